"""JSON lines: numbers become the text of a CSV, missing is missing, and what is no such file is refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regsosek.contract.codebook import variables
from regsosek.contract.limits import MAX_LINE_BYTES
from regsosek.staging.reading.repairs import Repair
from support.checks.staging_reading import NIK, ROWS, read, refused, values
from support.deliveries.families import VERSION, anggota_row, jsonl_gz

FORMAT = "jsonl.gz"
TEXT = gzip.decompress(jsonl_gz("anggota", ROWS)).decode()
LINE = TEXT.splitlines()[0]


def zipped(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def member(**changes: Any) -> dict[str, Any]:
    return {name: value or None for name, value in anggota_row(1).items()} | changes


def raw(column: str, spelled: str) -> bytes:
    """One member with a value spelled in JSON as given."""
    return zipped(json.dumps(member(**{column: "@"})).replace('"@"', spelled))


@pytest.mark.parametrize(
    ("column", "spelled", "text", "repair"),
    [
        ("r407_umur", "38", "38", None),
        ("r407_umur", "38.0", "38", "fraction_of_zero"),
        ("r407_umur", "3.8e1", "38", "fraction_of_zero"),
        ("r407_umur", "38.5", "38.5", None),
        ("r407_umur", "null", None, None),
        ("r407_umur", '" 38 "', "38", None),
        ("r403_nik", NIK, NIK, "number_for_code"),
        ("r403_nik", "9" * 30, "9" * 30, "number_for_code"),
        ("r403_nik", "6.403015202840001E15", "6403015202840001.0", "number_for_code"),
        ("r402_nama", '"\\u004eAMA"', "NAMA", None),
        ("r402_nama", '"null"', "null", None),
    ],
)
def test_a_value_becomes_the_text_that_a_csv_would_have_carried(
    engine, tmp_path: Path, column: str, spelled: str, text: str | None, repair: str | None
) -> None:
    repairs = read(engine, tmp_path, raw(column, spelled), 1, format_=FORMAT)
    assert values(engine, column) == [(text,)]
    assert repairs == ([Repair("anggota", repair, column, 1)] if repair else [])


def test_a_key_that_a_row_lacks_is_missing_in_that_row(engine, tmp_path: Path) -> None:
    short = {name: value for name, value in member().items() if name != "r402_nama"}
    assert read(engine, tmp_path, jsonl_gz("anggota", [short, member()]), format_=FORMAT) == []
    assert values(engine, "r402_nama") == [(None,), ("CONTOH",)]


def test_a_key_that_every_row_lacks_is_a_missing_column(engine, tmp_path: Path) -> None:
    short = {name: value for name, value in member().items() if name != "r402_nama"}
    breach = refused(engine, tmp_path, jsonl_gz("anggota", [short, short]), format_=FORMAT)
    assert (breach.reason, breach.detail) == ("columns_differ", "anggota-00001.jsonl.gz: missing: r402_nama")


@pytest.mark.parametrize("text", ["", "\n", "\n \n"])
def test_a_file_without_rows_is_read(engine, tmp_path: Path, text: str) -> None:
    read(engine, tmp_path, zipped(text), 0, format_=FORMAT)
    assert values(engine, *(v.name for v in variables("anggota", VERSION))) == []


@pytest.mark.parametrize(
    "text",
    [TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\n\n"), TEXT.rstrip(), "\ufeff" + TEXT],
    ids=["CRLF", "empty lines", "no end of the last line", "BOM"],
)
def test_what_the_contract_tolerates_reads_the_same(engine, tmp_path: Path, text: str) -> None:
    read(engine, tmp_path, zipped(text), format_=FORMAT)
    assert values(engine, "r402_nama", "r403_nik") == [("CONTOH", NIK), ("LAIN", None)]


def test_other_keys_are_counted_and_named_only_if_they_look_like_an_item(engine, tmp_path: Path) -> None:
    row = member(**{"r432_baru": 1, "BUDI SANTOSO": [2], "": True})
    assert read(engine, tmp_path, jsonl_gz("anggota", [row]), 1, format_=FORMAT) == [
        Repair("anggota", "column_unknown", "", 1),
        Repair("anggota", "column_unknown", "", 1),
        Repair("anggota", "column_unknown", "r432", 1),
    ]


def test_keys_in_capitals_are_read_and_counted(engine, tmp_path: Path) -> None:
    rows = [{name.upper(): value for name, value in member().items()}]
    repairs = read(engine, tmp_path, jsonl_gz("anggota", rows), 1, format_=FORMAT)
    assert {repair.kind for repair in repairs} == {"header_spelling"}
    assert values(engine, "r402_nama") == [("CONTOH",)]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        pytest.param("file_malformed", LINE + "\n[1]\n", id="a list"),
        pytest.param("file_malformed", LINE + "\nnull\n", id="null"),
        pytest.param("file_malformed", LINE + '\n"CONTOH"\n', id="a text"),
        pytest.param("file_malformed", f"[{LINE},{LINE}]", id="one list of all"),
        pytest.param("file_malformed", json.dumps(member(), indent=1), id="an object over many lines"),
        pytest.param("file_malformed", LINE + LINE, id="two objects in a line"),
        pytest.param("file_malformed", LINE[:-9], id="half an object"),
        pytest.param("file_malformed", LINE.replace('"CONTOH"', "NaN"), id="NaN"),
        pytest.param("file_malformed", LINE.replace('"CONTOH"', "-Infinity"), id="Infinity"),
        pytest.param("file_malformed", LINE[:-1] + ', "r432_baru": nan}', id="nan under an unknown key"),
        pytest.param("file_malformed", LINE[:-1] + ', "r432_baru": NaN}', id="NaN under an unknown key"),
        pytest.param("file_malformed", LINE[:-1] + ",}", id="a comma too many"),
        pytest.param("file_malformed", f'{LINE[:-1]}, "r432_baru": {"[" * 9999 + "]" * 9999}}}', id="deep, unknown"),
        pytest.param("file_malformed", LINE.replace('"CONTOH"', '"\\ud800"'), id="half a surrogate"),
        pytest.param("file_malformed", LINE.replace('"038"', "038"), id="number with a leading zero"),
        pytest.param("nul_characters", LINE.replace("CONTOH", "CON\\u0000TOH"), id="spelled NUL"),
        pytest.param("columns_differ", LINE[:-1] + ', "r402_nama": "LAIN"}', id="a key twice"),
        pytest.param("columns_differ", LINE[:-1] + ', "R402_NAMA": "LAIN"}', id="a key twice but for capitals"),
        pytest.param("column_type", LINE.replace('"CONTOH"', "true"), id="true"),
        pytest.param("column_type", LINE.replace('"CONTOH"', '["CONTOH"]'), id="a nested list"),
        pytest.param("column_type", LINE.replace('"CONTOH"', '{"a": "CONTOH"}'), id="a nested object"),
        pytest.param("column_type", LINE.replace('"CONTOH"', "[" * 300_000 + "]" * 300_000), id="a very deep list"),
        pytest.param("file_too_large", LINE.replace("CONTOH", "X" * MAX_LINE_BYTES), id="a very long line"),
        pytest.param("row_count", TEXT + TEXT, id="more rows"),
        pytest.param("row_count", "", id="no rows"),
        pytest.param("columns_differ", json.dumps({f"k{n}": 1 for n in range(5000)}), id="thousands of keys"),
    ],
)
def test_what_breaks_the_contract_is_refused_without_quoting_it(engine, tmp_path: Path, reason: str, text: str) -> None:
    assert refused(engine, tmp_path, zipped(text), 1 if reason != "row_count" else 2, format_=FORMAT).reason == reason
