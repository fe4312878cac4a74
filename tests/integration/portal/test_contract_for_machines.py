"""A delivery that was written from the machine-readable contract alone is received by the night."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hostile.draft import NIGHT
from regsosek.contract.instruments import QUESTIONNAIRE, instruments
from regsosek.quality.odcs import ODCS
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from support.deliveries.contract_stranger import ID, PROVINCE, Stranger
from support.worlds.field_world import FieldWorld

DOCUMENT = yaml.safe_load((PROJECT_ROOT / ODCS).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    work = tmp_path_factory.mktemp("work")
    with open_resources(services_env.model_copy(update={"work_dir": work})) as resources:
        world = FieldWorld(resources, load_suites(PROJECT_ROOT / "expectations"))
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world


@pytest.mark.parametrize("instrument", sorted({each.instrument for each in instruments()}))
def test_the_night_takes_what_a_stranger_wrote(world: FieldWorld, tmp_path: Path, instrument: str) -> None:
    world.fresh()
    Stranger(DOCUMENT).deliver(tmp_path, instrument, "csv.gz")
    store, bucket = world.resources.store, world.resources.settings.landing_bucket
    for path in sorted(tmp_path.rglob("*.*")):
        store.put_bytes(bucket, path.relative_to(tmp_path).as_posix(), path.read_bytes())
    world.run(NIGHT)
    assert world.rows("SELECT province, delivery_id, state, reason FROM ledger.delivery") == [
        (PROVINCE, ID, "accepted", None)
    ]
    counts = world.rows("SELECT received, loaded FROM ledger.delivery_count ORDER BY dataset")
    assert counts == [(1, 1)] * (2 if instrument == QUESTIONNAIRE else 1)
