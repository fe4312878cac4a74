"""The gate of the calendar and of the quality by rule: sound tables pass, and each kind of wrong one is named."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import get_args

import pytest

from regsosek.release.audit.arrival_audit import calendar_faults, rule_table_faults
from regsosek.release.figures.words import calendar_states, severities
from regsosek.release.files.tables import table_files
from regsosek.statistics.nights.arrivals_calendar import CalendarState
from support.figures import made_up

Row = dict[str, str]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return table_files(made_up.figures())


def changed(files: Mapping[str, bytes], name: str, where: Mapping[str, str], change: Callable[[Row], Row | None]) -> (
    dict[str, bytes]
):  # fmt: skip
    """The files with one row of a table changed, or taken away."""
    rows = list(csv.DictReader(io.StringIO(files[name].decode())))
    [at] = [n for n, row in enumerate(rows) if where.items() <= row.items()]
    after = change(dict(rows[at]))
    kept = [*rows[:at], *([after] if after else []), *rows[at + 1 :]]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return {**files, name: text.getvalue().encode()}


def more(column: str) -> Callable[[Row], Row]:
    return lambda row: row | {column: str(int(row[column]) + 1)}


TONIGHT = {"kode": "31", "malam_kiriman": str(made_up.NIGHT)}


def test_sound_tables_pass(files: dict[str, bytes]) -> None:
    assert calendar_faults(files) == []
    assert rule_table_faults(files) == []


@pytest.mark.parametrize(
    ("where", "change", "told"),
    [
        (TONIGHT, lambda row: None, "31 2022-10-23: cell missing"),
        (TONIGHT | {"malam_kiriman": "2022-10-22"}, lambda row: None, "31 2022-10-22: cell missing"),
        (TONIGHT, more("diterima_masuk"), "31 2022-10-23: received differs from kedatangan.csv"),
        (TONIGHT, more("terlambat"), "31 2022-10-23: late differs from kedatangan.csv"),
        (TONIGHT, more("kiriman"), "deliveries are not the sum of their states"),
        (
            TONIGHT | {"kode": made_up.HELD},
            more("keluarga_ditahan_malam"),
            "64: families held differ from provinsi.csv",
        ),
    ],
)
def test_a_wrong_cell_is_named(
    files: dict[str, bytes], where: Row, change: Callable[[Row], Row | None], told: str
) -> None:
    faults = calendar_faults(changed(files, "kalender.csv", where, change))
    assert any(told in fault for fault in faults), faults


ERROR = {"aturan": "C-303", "himpunan_data": "keluarga"}


@pytest.mark.parametrize(
    ("code", "change", "told"),
    [
        ("11", more("baris_melanggar"), "C-303 kesalahan: the nation is not its provinces"),
        ("00", more("baris_melanggar_malam"), "C-303 kesalahan: the nation is not its provinces"),
        ("12", lambda row: None, "the nation is not its provinces"),
        ("11", lambda row: row | {"baris_diperiksa": "15"}, "the nation is not its provinces"),
        ("11", lambda row: row | {"baris_diperiksa": "8"}, "11 C-303: judged: more than received"),
        ("12", lambda row: row | {"baris_diperiksa_malam": "8"}, "12 C-303: judged_tonight: more than received"),
    ],
)
def test_a_wrong_rule_is_named(
    files: dict[str, bytes], code: str, change: Callable[[Row], Row | None], told: str
) -> None:
    faults = rule_table_faults(changed(files, "mutu.csv", ERROR | {"kode": code}, change))
    assert any(told in fault for fault in faults), faults


def test_quality_is_told_of_provinces_and_the_nation_alone(files: dict[str, bytes]) -> None:
    codes = {row["kode"] for row in csv.DictReader(io.StringIO(files["mutu.csv"].decode()))}
    assert codes == {"00", "11", "12"}


def test_every_state_and_severity_has_words() -> None:
    assert set(get_args(CalendarState)) <= set(calendar_states())
    assert set(severities()) == {"critical", "warning"}
