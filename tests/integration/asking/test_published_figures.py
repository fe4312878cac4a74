"""What was published in 2022 comes out of campaigns of that shape: from the delivered files to the released tables.

The campaigns are data (``campaigns/``); the figures are read from the release, each with what it divides.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import ceil
from pathlib import Path

import pytest

from regsosek.geography.calendar import field_windows
from regsosek.night.nightly import run_night
from regsosek.night.reference import load_reference
from regsosek.release.lifecycle.pointer import POINTER
from regsosek.resources import Resources, open_resources
from regsosek.settings import Settings
from regsosek.simulation.field.campaign import Campaign, behaviour_of
from regsosek.simulation.output.sinks import BucketSink
from regsosek.simulation.simulate import simulate
from regsosek.warehouse.migration import migrate
from support.worlds.field_world import near_regions

TABLES_ALONE = True
CAMPAIGNS = Path(__file__).parent / "campaigns"
Table = Mapping[str, Mapping[str, str]]


SITUBONDO, JATENG, KALTIM = "3512", "33", "64"
DAYS = {SITUBONDO: 7, JATENG: 18, KALTIM: 32}
OPENS = field_windows()[JATENG].opens


@pytest.fixture(scope="module")
def releases(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Table]]:
    """The three campaigns in landing, and on its day the night of each: what readers then see of it, by table."""
    nights = {code: OPENS + timedelta(days=day - 1) for code, day in DAYS.items()}
    behaviour = behaviour_of(CAMPAIGNS / "published-2022.toml")
    with open_resources(services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})) as resources:
        migrate(resources.engine)
        sink = BucketSink(resources.store, resources.settings.landing_bucket)
        for code, night in nights.items():  # all that a province has done until its night comes at once
            campaign = Campaign(scale=1 / 8000, first_delivery=night, behaviour=behaviour)
            simulate(campaign, sink, nights=[night], provinces=[code[:2]])
        with near_regions(*(code[:2] for code in DAYS)):
            load_reference(resources)
        found = {}
        for code, night in nights.items():
            report = run_night(resources, night, [code[:2]], alerts=False)
            assert report.outcome.whole, report.outcome
            level = "provinsi" if len(code) == 2 else "kabkota"
            found[code] = {name: released(resources, f"{name}.csv")[code] for name in (level, "prakiraan")}
        yield found


def released(resources: Resources, name: str) -> Table:
    """A table of the release that the pointer names, by code."""
    bucket = resources.settings.release_bucket
    pointer = json.loads(resources.store.get_bytes(bucket, POINTER, max_bytes=10_000) or b"")
    content = resources.store.get_bytes(bucket, pointer["prefix"] + name, max_bytes=100_000_000)
    assert content is not None
    return {row["kode"]: row for row in csv.DictReader(io.StringIO(content.decode()))}


def share(row: Mapping[str, str], numerator: str, denominator: str) -> float:
    return 100 * int(row[numerator]) / int(row[denominator])


def test_situbondo_stands_at_24_percent_where_28_were_planned(releases: Mapping[str, Table]) -> None:
    row = releases[SITUBONDO]["kabkota"]
    percent = share(row, "dikunjungi", "keluarga_penyebut_rencana")
    assert round(percent) == 24
    assert row["persen_dikunjungi_dari_penyebut_rencana"] == f"{percent:.2f}"
    assert (row["persen_rencana"], row["penyebut_rencana"], row["malam"]) == ("28.00", "kerangka", "2022-10-21")
    assert row["versi_penyebut_rencana"] == "2022-10-01"
    assert float(row["selisih_poin"]) == pytest.approx(percent - 28, abs=0.01)


def test_jateng_stands_at_57_percent_on_day_18(releases: Mapping[str, Table]) -> None:
    row = releases[JATENG]["provinsi"]
    percent = share(row, "dikunjungi", "target")
    assert round(percent) == 57
    assert row["persen_dikunjungi_dari_target"] == f"{percent:.2f}"
    assert (row["persen_rencana"], row["sumber_target"], row["malam"]) == ("72.00", "angka publikasi", "2022-11-01")
    forecast = releases[JATENG]["prakiraan"]
    assert forecast["status_prakiraan"] == "diperkirakan"
    # What was to come, all of the list by day 31, lies in the interval; officers are those of the documents.
    assert int(forecast["prakiraan_terendah"]) <= int(row["kerangka"]) <= int(forecast["prakiraan_tertinggi"])
    assert forecast["sumber_petugas"] == "petugas yang terlihat dalam dokumen"
    left, rate = int(forecast["sisa_keluarga"]), share(forecast, "keluarga_hari_petugas", "hari_petugas") / 100
    assert int(forecast["hari_petugas_diperlukan"]) == ceil(left / rate)


def test_kaltim_passes_its_sls_while_families_stand_near_90_percent(releases: Mapping[str, Table]) -> None:
    row = releases[KALTIM]["provinsi"]
    assert int(row["sls_dikunjungi"]) > int(row["target_sls"])
    assert row["persen_sls_dikunjungi"] == f"{share(row, 'sls_dikunjungi', 'target_sls'):.2f}"
    percent = share(row, "dikunjungi", "target")
    assert 87 <= percent <= 93
    assert row["persen_dikunjungi_dari_target"] == f"{percent:.2f}"
    # Its window is not over; what it will have reached is told with its interval, of the same denominator.
    forecast = releases[KALTIM]["prakiraan"]
    assert forecast["status_prakiraan"] == "diperkirakan"
    assert forecast["keluarga_penyebut_rencana"] == row["target"]
    assert int(row["dikunjungi"]) <= int(forecast["prakiraan_terendah"]) <= int(forecast["prakiraan_tertinggi"])
