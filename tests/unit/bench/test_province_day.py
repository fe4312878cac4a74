"""The bench works on a small day: what it measures is a whole delivery, judged and split."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from regsosek.contract.manifest import parse_manifest
from regsosek.settings import PROJECT_ROOT
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import default_defects
from regsosek.simulation.simulate import simulate_day
from support.checks.matrix import FULL
from support.worlds.field_world import CompiledJudge

pytestmark = FULL

FAMILIES, PARTS = 400, 2


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(PROJECT_ROOT / "bench"))
    import province_day

    # Great Expectations' own cost is not the question here.
    monkeypatch.setattr(province_day, "Judge", CompiledJudge)
    yield province_day
    del sys.modules["province_day"]


def test_every_part_is_staged_judged_and_split(bench: ModuleType, tmp_path: Path) -> None:
    half = default_defects().model_copy(update={"share_of_documents": 0.5})
    campaign = Campaign(scale=1e-3, families_per_part=FAMILIES // PARTS)
    report = simulate_day(
        campaign,
        DirectorySink(tmp_path),
        province="35",
        night=date(2022, 10, 29),
        families=FAMILIES,
        defects=half,
    )
    [delivery] = report.deliveries
    folder = tmp_path / delivery.envelope.folder
    manifest = parse_manifest((folder / "manifest.json").read_bytes(), province="35", delivery_id=folder.name)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    measured = bench.measure(tmp_path, folder, manifest, scratch)
    assert (measured.families, measured.persons) == (FAMILIES, report.persons)
    errors = {label.id_dokumen for label in report.labels if label.expected == "quarantined"}
    assert measured.quarantined == len(errors) > 0
    assert set(measured.wall) == set(measured.cpu) == set(bench.STEPS)
    assert min(measured.wall.values()) > 0
    assert measured.split_bytes > 0
    assert not list(scratch.glob("*.csv"))
