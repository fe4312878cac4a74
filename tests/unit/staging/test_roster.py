"""What the roster says about its members: ages by the calendar, the couple at its head, numbers borne twice."""

from datetime import date
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.staging.roster import COMPLETED_AGE
from support.checks.matrix import examples
from support.deliveries.families import Row, anggota_row, keluarga_row, stage_rows

DAYS = st.dates(date(1892, 1, 1), date(2030, 12, 31))


def completed_ages(pairs: list[tuple[date, date]]) -> list[int]:
    """What SQL makes of pairs of birth and visit."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE pair (n INTEGER, r406_tanggal_lahir DATE, r201_tanggal_pencacahan DATE)")
        connection.executemany("INSERT INTO pair VALUES (?, ?, ?)", [(n, *pair) for n, pair in enumerate(pairs)])
        query = f"SELECT {COMPLETED_AGE} FROM pair a JOIN pair k USING (n) ORDER BY n"
        return [age for (age,) in connection.execute(query).fetchall()]


def birthday(birth: date, age: int) -> date:
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:
        return date(birth.year + age, 3, 1)


def birthdays_reached(birth: date, visit: date) -> int:
    return sum(1 for _ in takewhile(lambda age: birthday(birth, age) <= visit, count(1)))


def test_a_year_is_completed_on_the_birthday() -> None:
    pairs = [
        (date(2000, 2, 29), date(2001, 2, 28)),
        (date(2000, 2, 29), date(2001, 3, 1)),
        (date(2000, 2, 29), date(2004, 2, 28)),
        (date(2000, 2, 29), date(2004, 2, 29)),
        (date(2000, 3, 1), date(2004, 2, 29)),
        (date(1984, 10, 20), date(2022, 10, 20)),
        (date(1984, 10, 21), date(2022, 10, 20)),
        (date(2022, 10, 20), date(2022, 10, 20)),
        (date(2022, 10, 21), date(2022, 10, 20)),
    ]
    assert completed_ages(pairs) == [0, 1, 3, 4, 3, 38, 37, 0, -1]


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.tuples(DAYS, DAYS).map(sorted).map(tuple), min_size=1, max_size=50))
def test_completed_years_are_the_birthdays_that_were_reached(pairs: list[tuple[date, date]]) -> None:
    assert completed_ages(pairs) == [birthdays_reached(*pair) for pair in pairs]


def member(number: int, relation: str, age: str, **changes: str) -> Row:
    return anggota_row(number, r409_hubungan=relation, r407_umur=age) | changes


def facts(engine: duckdb.DuckDBPyConnection, directory: Path, *members: Row) -> set[tuple[Any, ...]]:
    stage_rows(engine, directory, [keluarga_row()], list(members))
    query = "SELECT DISTINCT head_age, head_sex, youngest_of_couple FROM anggota"
    return set(engine.execute(query).fetchall())


HEAD, WIFE = member(1, "1", "40"), member(2, "2", "35")


@pytest.mark.parametrize(
    ("members", "head_age", "head_sex", "youngest"),
    [
        ([HEAD], 40, 1, 40),
        ([HEAD, WIFE], 40, 1, 35),
        ([HEAD, WIFE, member(3, "2", "30")], 40, 1, 30),
        ([HEAD, WIFE | {"r404_keberadaan": "2"}], 40, 1, 40),
        ([HEAD, WIFE | {"r407_umur": ""}], 40, 1, None),
        ([HEAD | {"r407_umur": ""}, WIFE], None, 1, None),
        ([HEAD | {"r405_jenis_kelamin": ""}, WIFE], 40, None, 35),
        ([HEAD, WIFE | {"r409_hubungan": "1"}], None, None, None),
        ([HEAD | {"r404_keberadaan": "3"}, WIFE], None, None, None),
        ([WIFE], None, None, None),
    ],
)
def test_the_couple_is_known_once_exactly_one_head_lives_there(
    engine, tmp_path: Path, members: list[Row], head_age: int | None, head_sex: int | None, youngest: int | None
) -> None:
    assert facts(engine, tmp_path, *members) == {(head_age, head_sex, youngest)}


def test_a_nik_is_counted_within_its_family_among_those_who_live_there(engine, tmp_path: Path) -> None:
    nik = {"r403_nik": "6403010302840001"}
    gone = member(3, "8", "20", r404_keberadaan="4") | nik
    other = {"id_dokumen": "D2", "r110_no_keluarga": "2"}
    stage_rows(
        engine, tmp_path, [keluarga_row(), keluarga_row(**other)], [HEAD | nik, WIFE | nik, gone, HEAD | nik | other]
    )
    query = "SELECT id_dokumen, r401_no_urut, nik_in_family FROM anggota WHERE r404_keberadaan = 1 ORDER BY ALL"
    assert engine.execute(query).fetchall() == [("D1", 1, 2), ("D1", 2, 2), ("D2", 1, 1)]


def test_only_families_that_were_interviewed_ask_their_members(engine, tmp_path: Path) -> None:
    results = {"D1": "1", "D2": "2", "D3": "3", "D4": ""}
    keys = [{"id_dokumen": document, "r110_no_keluarga": document[1:]} for document in results]
    stage_rows(
        engine,
        tmp_path,
        [keluarga_row(**k, r205_hasil=results[k["id_dokumen"]]) for k in keys],
        [HEAD | k for k in keys],
    )
    asked = engine.execute("SELECT asked_existence FROM anggota ORDER BY id_dokumen").fetchall()
    assert asked == [(1,), (1,), (None,), (None,)]
