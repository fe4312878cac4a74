"""A night of which some provinces alone were processed: what nobody looked at is zero on no page and in no table."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping

import pandas as pd
import pytest

from regsosek.geography.provinces import provinces
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.counted import COUNTS
from regsosek.warehouse.nights import ledger
from support.worlds.field_world import FieldWorld, add_place, family
from support.worlds.published_world import AT, FIRST, read, release

SENT, SILENT = ("64",), ("11", "12", "13")
ELSEWHERE = "6402010001"  # a desa of another kab/kota
COUNTED = (*SENT, *SILENT)
Tables = Mapping[str, pd.DataFrame]


@pytest.fixture(scope="module")
def files(prepared: FieldWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, bytes]]:
    """A release of four processed provinces of 34; one of them sent families of one kab/kota of two, three nothing."""
    world = prepared.fresh()
    add_place(world, SENT[0], ELSEWHERE, tmp_path_factory.mktemp("frame"))
    world.deliver(FIRST, [family(f"D{n}", number=n) for n in range(1, 5)], produced_at=AT)
    world.run(FIRST)
    with world.resources.engine.begin() as connection:
        for code in COUNTED:
            ledger.note_refreshed(connection, code, FIRST)
    published = release(world, FIRST)
    manifest = json.loads(read(world, published.prefix + "manifest.json"))
    yield {each["name"]: read(world, published.prefix + each["name"]) for each in manifest["files"]}


@pytest.fixture(scope="module")
def tables(files: Mapping[str, bytes]) -> Tables:
    return {
        name: pd.DataFrame(list(csv.DictReader(io.StringIO(content.decode()))))
        for name, content in files.items()
        if name.endswith(".csv")
    }


def column(field: str) -> str:
    return definitions()[field].column


def test_regions_of_provinces_that_were_not_processed_have_no_counts_and_no_shares(tables: Tables) -> None:
    derived = ("gap_points", "gap_families", "days_behind", "visited_of_target", "visited_of_frame", "nonresponse")
    table = tables["provinsi.csv"]
    unknown = table[~table["kode"].isin(COUNTED)]
    assert len(unknown) == len(provinces()) - len(COUNTED)
    for field in (*COUNTS, *derived):
        assert set(unknown[column(field)]) == {""}, field
    assert set(unknown["status"]) == {"tidak ada data"}


def test_who_was_processed_and_sent_nothing_has_counted_zeros_and_no_gap(tables: Tables) -> None:
    table = tables["provinsi.csv"].set_index("kode")
    for code in SILENT:
        told = {field: table.loc[code, column(field)] for field in ("visited", "gap_points", "days_behind", "status")}
        assert told == {"visited": "0", "gap_points": "", "days_behind": "", "status": "tidak ada data"}, code
    assert table.loc[SENT[0], column("visited")] == "4"
    assert table.loc[SENT[0], column("gap_points")] != ""


def test_a_kabkota_without_a_family_has_no_gap_and_is_no_lowest_part(tables: Tables) -> None:
    """Its documents may be on their way: that none came is no statement about its field."""
    table = tables["kabkota.csv"]
    own = table[table["kode"].str.startswith(SENT[0]) & (table[column("plan_base_families")] != "")]
    silent, sent = own[own[column("visited")] == "0"], own[own[column("visited")] != "0"]
    assert len(silent) and len(sent) == 1
    for field in ("gap_points", "gap_families", "days_behind"):
        assert set(silent[column(field)]) == {""} and "" not in set(sent[column(field)]), field
    assert set(silent[column("status")]) == {"belum ada data keluarga"} and "" not in set(
        silent[column("plan_percent")]
    )
    lowest = tables["terendah.csv"]
    [told] = lowest[(lowest["kode"] == SENT[0]) & (lowest[column("child_level")] == "kabkota")].to_dict("records")
    assert told[column("floor_code")] == sent.iloc[0]["kode"]
    assert (told[column("children_judged")], int(told[column("children")]) - 1) == ("1", len(silent))


def test_the_nation_is_a_share_of_what_is_counted_and_says_of_how_much_that_is(tables: Tables) -> None:
    """Every province plans 120 families in this world."""
    [nation] = tables["nasional.csv"].to_dict("records")
    target = 120 * len(COUNTED)
    assert (nation["dikunjungi"], nation["target"]) == ("4", str(target))
    assert nation["cakupan_target"] == f"{100 * len(COUNTED) / len(provinces()):.2f}"
    assert nation[column("visited_of_target")] == f"{4 * 100 / target:.2f}"
    counted = tables["provinsi.csv"].set_index("kode").loc[list(COUNTED)]
    assert int(nation[column("plan_families")]) == counted[column("plan_families")].astype(int).sum()


def test_days_and_nights_that_nobody_looked_at_are_empty(tables: Tables) -> None:
    days, cells = tables["harian.csv"], tables["kalender.csv"]
    unknown = days[~days["kode"].isin([*COUNTED, "00"])]
    assert len(unknown) > 0
    assert set(unknown["dikunjungi"]) == set(unknown[column("visited_so_far")]) == {""}
    assert set(days[days["kode"].isin(SILENT)]["dikunjungi"]) == {"0"}
    cells = cells[~cells["kode"].isin(COUNTED)]
    assert set(cells["keadaan_malam"]) == {"Belum diolah"}
    assert set(cells[column("received")]) == {""}


def test_the_page_names_no_unknown_province_as_behind_and_draws_it_without_a_value(files: Mapping[str, bytes]) -> None:
    page = files["index.html"].decode()
    worst = page[page.index('class="answers"') : page.index("</main>")].split("<h3>")[2].split("</li>")[0]
    assert not any(each.name in worst for each in provinces() if each.code not in SENT)
    assert f"{len(COUNTED)} dari {len(provinces())} provinsi" in page
    shades = {code: shade for shade, code in re.findall(r'class="tile (\w+)" data-code="(\d+)"', page)}
    assert {code for code, shade in shades.items() if shade != "none"} == set(SENT)
    figure = re.search(r'class="figure">([^<]*)', files["provinsi/31.html"].decode())
    assert figure is not None
    assert figure.group(1).strip() == "–"


def test_machines_read_the_same_gaps(files: Mapping[str, bytes]) -> None:
    summary = {row["kode"]: row for row in json.loads(files["progres.json"])["provinsi"]}
    assert {code for code, row in summary.items() if row["dikunjungi"] is not None} == set(COUNTED)
    observed = {
        row["REF_AREA"]
        for row in csv.DictReader(io.StringIO(files["harian.sdmx.csv"].decode()))
        if row["INDICATOR"] == "VISITED"
    }
    assert observed == {"ID", *(f"ID{code}" for code in COUNTED)}
