"""What keeps a province at its last good figures, and what stops a release."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from regsosek.contract.codebook import Variable
from regsosek.errors import AuditError
from regsosek.geography.regions import NATION
from regsosek.release.lifecycle.publication import publication_fault
from regsosek.release.publish import Published
from regsosek.release.rereading.archived_cases import Archive, read_cases
from regsosek.release.rereading.second_reading import Headline, change_since
from regsosek.staging.reading.columns import Layout
from regsosek.staging.reading.csv_files import _reading
from regsosek.statistics.counts.tree import completion, province_totals
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.warehouse.nights.night_faults import faults_of
from support.checks.matrix import examples
from support.deliveries.families import PROVINCE
from support.worlds.field_world import Family, FieldWorld, family, faulty, withdrawal
from support.worlds.published_world import (
    AT,
    FIRST,
    PUBLISHED_RULES,
    SECOND,
    THIRD,
    published_keys,
    read,
    receive,
    release,
    table,
)

KEPT_RULES = PUBLISHED_RULES
TABLES_ALONE = True


def published_with(world: FieldWorld, statement: str) -> Published:
    """A good night published, then one whose rows a ``statement`` changed before it was published."""
    receive(world, FIRST, [family("A")])
    release(world, FIRST)
    receive(world, SECOND, [family("B", number=2), family("C", number=3), faulty("D", number=4)])
    with world.resources.engine.begin() as connection:
        connection.execute(text(statement), {"night": SECOND})
    return release(world, SECOND)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE mart.total SET refused = -1", "rules of the published tables: .*No count is negative"),
        ("UPDATE reference.target SET families = 0 WHERE province = '11'", "Every target is above zero"),
    ],
)
@pytest.mark.usefixtures("whole_release")
def test_each_gate_stops_the_release_and_names_itself(world: FieldWorld, statement: str, told: str) -> None:
    receive(world, FIRST, [family("A")])
    saved = world.rows("SELECT province, families FROM reference.target WHERE province = '11'")
    with world.resources.engine.begin() as connection:
        connection.execute(text(statement))
    try:
        with pytest.raises(AuditError, match=told):
            release(world, FIRST)
    finally:
        with world.resources.engine.begin() as connection:
            connection.execute(
                text("UPDATE reference.target SET families = :n WHERE province = '11'"), {"n": saved[0][1]}
            )
    assert published_keys(world) == set()
    assert world.rows("SELECT count(*) FROM release.release") == [(0,)]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE mart.total SET visited = visited + 1 WHERE night = :night AND code = province",
            "visited changes by 4 in the release, 3 in the archived",
        ),
        (
            "UPDATE mart.total SET complete = complete - 1 WHERE night = :night AND code = province",
            "complete changes by 1 in the release, 2 in the archived",
        ),
        ("UPDATE core.kasus SET row_no = row_no + 100 WHERE night = :night", "rows of the log are in no archived file"),
    ],
)
def test_a_province_that_the_archived_files_contradict_stays_at_its_last_good_figures(
    world: FieldWorld, statement: str, told: str
) -> None:
    published = published_with(world, statement)
    [fault, *_] = published.held_back[PROVINCE]
    assert told in fault
    row = table(world, published, "provinsi.csv")[PROVINCE]
    assert (row["dikunjungi"], row["keadaan_malam_ini"]) == ("1", "Gagal pemeriksaan")
    assert table(world, published, "nasional.csv")["00"]["dikunjungi"] == "1"
    with world.resources.engine.connect() as connection:
        assert "second reading" in str(publication_fault(connection, SECOND, faults_of(connection, SECOND)))


def test_a_nation_that_is_not_the_sum_of_the_second_readings_stops_the_release(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(world, FIRST, [family("A")])

    def one_too_many(*given: Any) -> Any:
        regions = completion(*given)
        regions.loc[regions["code"] == NATION, "visited"] += 1
        return regions

    monkeypatch.setattr("regsosek.release.figures.figures.completion", one_too_many)
    with pytest.raises(AuditError, match="nation: visited is 2 in the release, 1 in the archived files"):
        release(world, FIRST)
    assert published_keys(world) == set()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM core.keluarga WHERE night = :night", "2 rows of keluarga loaded, 0 stored"),
        ("DELETE FROM core.anggota WHERE night = :night", "4 rows of anggota loaded, 0 stored"),
        ("DELETE FROM restricted.quarantined WHERE night = :night", "1 rows of keluarga quarantined, 0 stored"),
        ("DELETE FROM mart.arrivals WHERE night = :night", "3 families received, the statistics count 0"),
        (
            "UPDATE ledger.delivery_count c SET received = received + 1 FROM ledger.delivery d "
            "WHERE d.delivery_id = c.delivery_id AND d.night = :night",
            "4 rows of keluarga received, 3 accounted for",
        ),
    ],
)
def test_a_province_that_loses_rows_stays_at_its_last_good_figures(
    world: FieldWorld, statement: str, told: str
) -> None:
    published = published_with(world, statement)
    assert any(told in fault for fault in published.held_back[PROVINCE])
    row = table(world, published, "provinsi.csv")[PROVINCE]
    assert (row["dikunjungi"], row["keadaan_malam_ini"]) == ("1", "Gagal pemeriksaan")
    assert row["data_sampai"] == f"{SECOND} 00.59 WITA"  # the night's day ends by the clock of Jakarta
    assert "Kalimantan Timur" in row["provinsi_belum_lengkap"]


@pytest.mark.usefixtures("whole_release")
def test_the_page_says_of_which_night_the_figures_of_a_province_held_back_are(world: FieldWorld) -> None:
    published = published_with(world, "DELETE FROM core.anggota WHERE night = :night")
    assert list(published.held_back) == [PROVINCE]
    assert f"Angkanya per malam {FIRST.day} Okt" in read(world, published.prefix + "index.html").decode()


def test_a_province_held_back_returns_when_it_is_whole_again(world: FieldWorld) -> None:
    receive(world, FIRST, [family("A")])
    release(world, FIRST)
    receive(world, SECOND, [family("B", number=2)])
    spoil = "UPDATE mart.arrivals SET received = received + :more WHERE night = :night"
    with world.resources.engine.begin() as connection:
        connection.execute(text(spoil), {"more": 1, "night": SECOND})
    assert list(release(world, SECOND).held_back) == [PROVINCE]
    with world.resources.engine.begin() as connection:
        connection.execute(text(spoil), {"more": -1, "night": SECOND})
    receive(world, THIRD, [family("C", number=3)])
    assert table(world, release(world, THIRD), "provinsi.csv")[PROVINCE]["dikunjungi"] == "3"


def test_a_province_whose_files_cannot_be_read_again_is_held_back_without_quoting_them(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(world, FIRST, [family("A")])
    release(world, FIRST)

    def quote(path: Path, *_: object) -> None:
        raise ValueError(gzip.decompress(path.read_bytes()).decode())

    # No delivery is known that is received and cannot be read again; what would be said of one matters all the same.
    monkeypatch.setattr("regsosek.release.rereading.archived_cases.read_columns", quote)
    receive(world, SECOND, [family("B", number=2, r107_alamat="CONTOH")])
    published = release(world, SECOND)
    [fault] = published.held_back[PROVINCE]
    assert "keluarga-00001.csv.gz cannot be read a second time (ValueError)" in fault
    assert "CONTOH" not in fault
    assert table(world, published, "provinsi.csv")[PROVINCE]["dikunjungi"] == "1"


def _shifted(column: str, other: str) -> Callable[..., str]:
    """The reader of CSV, but ``column`` and ``other`` are read from each other's place."""

    def reading(table: str, layout: Layout, expected: Sequence[Variable], *, parallel: bool) -> str:
        places = dict(layout.positions)
        if column in places:
            places[column], places[other] = places[other], places[column]
        return _reading(table, replace(layout, positions=places), expected, parallel=parallel)

    return reading


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("lintang", "akurasi_m"),
        ("r107_alamat", "r106_nama_sls"),
        ("r402_nama", "r403_nik"),
        ("r504d_babi", "r504a_sapi"),
    ],
)
def test_a_value_read_into_another_column_keeps_a_province_at_its_last_good_figures(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, column: str, other: str
) -> None:
    """Of families or members, judged by rules or not: the second reading compares all columns."""
    receive(world, FIRST, [family("A")])
    release(world, FIRST)
    monkeypatch.setattr("regsosek.staging.reading.csv_files._reading", _shifted(column, other))
    answers = {"lintang": "-0.5", "akurasi_m": "8.5", "r107_alamat": "JALAN CONTOH", "r504a_sapi": "3"}
    receive(world, SECOND, [family("B", number=2, **answers), family("C", number=3)])
    published = release(world, SECOND)
    [fault] = published.held_back[PROVINCE]
    assert "families of the log hold other answers than the archived files, all columns compared" in fault
    assert "CONTOH" not in fault
    assert table(world, published, "provinsi.csv")[PROVINCE]["dikunjungi"] == "1"


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C"]),
        st.integers(1, 3),
        st.sampled_from(["clean", "refused", "faulty", "withdrawn", "moved"]),
        st.integers(0, 2),
        st.booleans(),
    ),
    min_size=2,
    max_size=6,
)


def message(document: str, versi: int, kind: str, floor_area: int) -> Family:
    number, answers = ord(document), {"r302_luas_lantai": str(floor_area)}
    match kind:
        case "refused":
            return family(document, versi, number=number, r205_hasil="4", **answers)
        case "faulty":
            return faulty(document, versi, number=number, **answers)
        case "moved":
            return family(document, versi, number=5, **answers)
        case "withdrawn":
            return withdrawal(document, versi, number=number)
    return family(document, versi, number=number, **answers)


@settings(max_examples=examples(3), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=MESSAGES)
def test_the_second_reading_agrees_with_the_statistics_whatever_arrives(
    prepared: FieldWorld, messages: list[tuple[str, int, str, int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = prepared.fresh()
    resources = world.resources
    archive = Archive(resources.archive, tmp_path_factory.mktemp("archive"), resources.settings.hash_keys)
    former: list[str] = []
    for position, (document, versi, kind, day, replaces) in enumerate(sorted(messages, key=lambda each: each[3])):
        supersedes = former[-1:] if replaces else []
        produced_at = AT + timedelta(minutes=position)
        night = FIRST + timedelta(days=day)
        former.append(
            world.deliver(
                night,
                [message(document, versi, kind, 48)],
                produced_at=produced_at,
                supersedes=supersedes,
            )
        )
    for day in range(3):
        night, before = FIRST + timedelta(days=day), FIRST + timedelta(days=day - 1)
        world.run(night)
        with resources.engine.connect() as connection:
            now, then = (_headline(connection, each) for each in (night, before))
            read = change_since(read_cases(connection, archive, PROVINCE, before, night), before)
        assert now - then == read


def _headline(connection: Any, night: date) -> Headline:
    totals = province_totals(connection, AsOf(night, {PROVINCE: night}))
    return Headline(*map(int, totals.loc[PROVINCE, ["visited", "complete"]])) if len(totals) else Headline(0, 0)
