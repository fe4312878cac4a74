"""A national day of simulated families looks like the country that the documented margins describe."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from regsosek.contract.codebook import block, variable, variables
from regsosek.contract.instruments import first_version
from regsosek.geography.provinces import Province, provinces
from regsosek.simulation.answers.households import LIVES_HERE, NEW_MEMBER, rosters
from regsosek.simulation.draws.living import Building, living, mean_welfare
from regsosek.simulation.draws.margins import NOT_GIVEN, margins
from regsosek.simulation.draws.plausible import PlausibleFigure, measures
from regsosek.simulation.draws.randomness import seeded
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.national import simulate_national_day
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import DefectTable
from regsosek.staging.reading.typing_sql import typed
from support.checks.matrix import FULL

FAMILIES = 60_000
# Sampling of 60,000 families, and of whole neighbourhoods that are alike; the few of the east vary more.
DRAWN_WITHIN, DRAWN_WITHIN_EAST = 0.02, 0.05


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables ``keluarga`` and ``anggota`` as ``Measure`` describes them, of a national day without planted defects."""
    root = tmp_path_factory.mktemp("nation")
    flawless = DefectTable(share_of_documents=0, kind=())
    simulate_national_day(
        Campaign(scale=0.02),
        partial(DirectorySink, root),
        night=date(2022, 10, 29),
        families=FAMILIES,
        defects=flawless,
    )
    connection = duckdb.connect()
    for dataset in ("keluarga", "anggota"):
        cells = ", ".join(f"{typed(item, item.name)} AS {item.name}" for item in variables(dataset, first_version()))
        files = f"{root}/landing/*/*/*/{dataset}-*.csv.gz"
        connection.execute(f"CREATE TABLE {dataset}_all AS SELECT {cells} FROM read_csv('{files}', all_varchar = true)")
    buildings = {"province": list(living()), "building": [place.building for place in living().values()]}
    connection.register("buildings", pa.table(buildings))
    connection.execute(
        "CREATE TABLE present AS SELECT * FROM anggota_all WHERE r404_keberadaan IN (1, 5);"
        "CREATE TABLE keluarga AS SELECT k.*, b.building, coalesce(p.persons, 0) AS persons, p.head_age "
        "FROM keluarga_all k JOIN buildings b ON b.province = k.r101_provinsi LEFT JOIN (SELECT id_dokumen, "
        "count(*) AS persons, min(r407_umur) FILTER (r409_hubungan = 1) AS head_age FROM present GROUP BY 1) p "
        "USING (id_dokumen);"
        "CREATE TABLE anggota AS SELECT p.*, k.* EXCLUDE (id_dokumen, versi, id_subsls, r109_no_bangunan, "
        "r110_no_keluarga) FROM present p JOIN keluarga k USING (id_dokumen)"
    )
    yield connection
    connection.close()


@FULL
@pytest.mark.parametrize("measure", measures(), ids=lambda measure: measure.measure)
def test_the_country_is_plausible(nation: duckdb.DuckDBPyConnection, measure: PlausibleFigure) -> None:
    query = f"SELECT {measure.value} FROM {measure.dataset} WHERE {measure.universe}"
    [(value,)] = nation.execute(query).fetchall()
    assert value == pytest.approx(measure.expected, abs=measure.tolerance)


KEPT = [key for key, margin in margins().items() if margin.kept]


@FULL
@pytest.mark.parametrize(("dataset", "column", "building"), KEPT, ids=["-".join(key) for key in KEPT])
def test_answers_come_out_as_their_margins_say(
    nation: duckdb.DuckDBPyConnection, dataset: str, column: str, building: str
) -> None:
    item = variable(dataset, column, first_version())
    asked = f"({block(dataset, item.block, first_version()).required_when}) AND ({item.universe or 'TRUE'})"
    here = f"building = '{building}'" if building else "TRUE"
    query = (
        f"SELECT coalesce({column}, {NOT_GIVEN}), count(*) / sum(count(*)) OVER () FROM {dataset} "
        f"WHERE {asked} AND {here} GROUP BY 1"
    )
    found = dict(nation.execute(query).fetchall())
    margin = margins()[dataset, column, building]
    within = DRAWN_WITHIN_EAST if building in {"timur", "kayu"} else DRAWN_WITHIN
    for code, share in zip(margin.codes, margin.shares, strict=True):
        assert found.get(code, 0) == pytest.approx(share / sum(margin.shares), abs=within), code


@pytest.mark.parametrize("province", provinces(), ids=lambda province: province.code)
def test_families_are_as_large_as_the_provinces_have_them(province: Province) -> None:
    code = province.code
    count = 8_000
    keys = seeded(1, f"families of {code}", np.arange(count))
    roster = rosters(keys, keys, np.ones(count, dtype=np.bool_), living()[code].members)
    present = np.isin(roster.existence, (LIVES_HERE, NEW_MEMBER)).sum()
    assert present / count == pytest.approx(province.persons_dukcapil / province.families_dukcapil, abs=0.06)


def test_the_nations_welfare_is_in_balance() -> None:
    kinds: tuple[Building, ...] = ("jawa", "luar", "kayu", "timur")
    assert {place.building for place in living().values()} == set(kinds)
    total = sum(province.target for province in provinces())
    mean = sum(living()[province.code].mean_welfare * province.target for province in provinces()) / total
    urban = sum(living()[province.code].urban * province.target for province in provinces()) / total
    assert mean == pytest.approx(0, abs=0.03)
    assert urban == pytest.approx(0.57, abs=0.02)
    assert mean_welfare("jawa") > mean_welfare("timur")


def test_margins_are_read_whole() -> None:
    path = Path(__file__).parents[3] / "include/regsosek/simulation/data/margins.csv"
    assert len(margins()) == len(path.read_text(encoding="utf-8").splitlines()) - 1
