"""What was published in 2022 comes out of campaigns of that shape: from the delivered files to the released tables.

The campaigns are data (``campaigns/``); the figures are read from the release, each with what it divides.
"""

import csv
import io
import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from regsosek.geography.calendar import field_windows
from regsosek.night.house import House, open_house
from regsosek.night.nightly import NightReport, run_night
from regsosek.night.reference import load_reference
from regsosek.release.publish import POINTER
from regsosek.settings import Settings
from regsosek.simulation.campaign import Campaign, behaviour_of
from regsosek.simulation.simulate import SimulationReport, simulate
from regsosek.simulation.sinks import BucketSink
from regsosek.warehouse.migration import migrate

CAMPAIGNS = Path(__file__).parent / "campaigns"
Rows = Mapping[str, Mapping[str, str]]


def night_of(province: str, day: int) -> date:
    return field_windows()[province].opens + timedelta(days=day - 1)


def run(
    house: House, name: str, province: str, day: int, scale: float
) -> tuple[SimulationReport, NightReport, dict[str, Rows]]:
    """Delivers the campaign ``name`` until ``day`` at once, runs that night, and reads what readers see then."""
    night = night_of(province, day)
    campaign = Campaign(scale=scale, first_delivery=night, behaviour=behaviour_of(CAMPAIGNS / f"{name}.toml"))
    sink = BucketSink(house.store, house.settings.landing_bucket)
    delivered = simulate(campaign, sink, nights=[night], provinces=[province])
    load_reference(house)
    report = run_night(house, night, [province], alerts=False)
    assert report.whole, (report.failed, report.publication)
    return delivered, report, {name: released(house, f"{name}.csv") for name in ("provinsi", "kabkota", "prakiraan")}


def released(house: House, name: str) -> Rows:
    """A table of the release that the pointer names, by code."""
    bucket = house.settings.release_bucket
    pointer = json.loads(house.store.get_bytes(bucket, POINTER, max_bytes=10_000) or b"")
    content = house.store.get_bytes(bucket, pointer["prefix"] + name, max_bytes=100_000_000)
    assert content is not None
    return {row["kode"]: row for row in csv.DictReader(io.StringIO(content.decode()))}


def share(row: Mapping[str, str], numerator: str, denominator: str) -> float:
    return 100 * int(row[numerator]) / int(row[denominator])


@pytest.fixture
def house(services_env: Settings, tmp_path: Path):  # type: ignore[no-untyped-def]
    with open_house(services_env.model_copy(update={"work_dir": tmp_path})) as opened:
        migrate(opened.engine)
        yield opened


def test_x(house: House) -> None:
    import time

    t = time.time()
    for args in (("situbondo", "35", 7, 1 / 8000), ):
        d, r, t_ = run(house, *args)
        print(args, d.families, time.time() - t)
        for code, row in {**t_["provinsi"], **t_["kabkota"]}.items():
            if code.startswith(args[1]) and int(row["dikunjungi"]):
                print(code, row["dikunjungi"], row["keluarga_penyebut_rencana"], row["persen_dikunjungi_dari_penyebut_rencana"], row["persen_rencana"] if "persen_rencana" in row else row, row["sls_dikunjungi"], row["target_sls"], row["persen_sls_dikunjungi"], row["status"] if "status" in row else "")
