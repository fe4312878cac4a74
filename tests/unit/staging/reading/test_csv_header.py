"""What stands in place of the header is named, so that an office knows which line to take away."""

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from regsosek.errors import ContractBreachError
from regsosek.staging.reading.files import read_part
from support.deliveries.families import VERSION, anggota_row, csv_gz, described_file

TEXT = gzip.decompress(csv_gz("anggota", [anggota_row()])).decode()


@pytest.mark.parametrize(
    ("reason", "told", "edit"),
    [
        ("header_preceded", "the line 'sep='", lambda text: "sep=,\r\n" + text),
        ("header_preceded", "the line 'sep='", lambda text: '"sep=;"\n' + text.replace(",", ";")),
        ("header_preceded", "an empty line", lambda text: "\r\n" + text),
        ("header_preceded", "an empty line", lambda text: "\n\n \n" + text),
        ("header_preceded", "an empty line", lambda text: "\r" + text.replace("\r\n", "\r")),
        ("header_preceded", "an empty line", lambda text: ",,,\r\n" + text),
        ("header_preceded", "a comment", lambda text: "# RAHASIA\n" + text),
        ("header_preceded", "another line; .* in line 3", lambda text: "DAFTAR RAHASIA\nOktober\n" + text),
        ("separator_unsupported", "semicolons", lambda text: text.replace(",", ";")),
        ("separator_unsupported", "semicolons", lambda text: text.replace(",", '";"')),
        ("separator_unsupported", "tabs", lambda text: text.replace(",", "\t")),
        ("columns_differ", "missing", lambda text: text.split("\r\n", 1)[1]),
        ("columns_differ", "missing", lambda _: ""),
    ],
)
def test_what_stands_in_place_of_the_header_is_named(
    engine, tmp_path: Path, reason: str, told: str, edit: Callable[[str], str]
) -> None:
    file, path = described_file("anggota", gzip.compress(edit(TEXT).encode()), 1, tmp_path)
    with pytest.raises(ContractBreachError, match=f"^{reason}: anggota-00001.csv.gz.*{told}") as raised:
        read_part(engine, file, path, version=VERSION)
    assert "RAHASIA" not in str(raised.value)


HEADER, ROW = TEXT.split("\r\n")[:2]


def read_names(connection: duckdb.DuckDBPyConnection, directory: Path, header: str, *rows: str) -> list[tuple[str]]:
    content = gzip.compress("\n".join([header, *rows, ""]).encode())
    file, path = described_file("anggota", content, len(rows), directory)
    read_part(connection, file, path, version=VERSION)
    return connection.execute("SELECT r402_nama FROM anggota_text ORDER BY row_no").fetchall()


@pytest.mark.parametrize("name", [' "r402_nama"', '"r402_nama"', ' "R402_NAMA" ', " r402_nama ", '"r402_nama" '])
def test_a_name_is_read_as_the_values_below_it_are(engine, tmp_path: Path, name: str) -> None:
    row = ROW.replace("CONTOH", ' "CONTOH"')
    assert read_names(engine, tmp_path, HEADER.replace("r402_nama", name), row) == [("CONTOH",)]


@pytest.mark.parametrize("unknown", [' "x,y"', '"x,y"', ' "x"",""y"', ' "x, ""y"""', '"x, "'])
def test_a_comma_within_a_quoted_name_makes_up_for_no_comma_too_many(engine, tmp_path: Path, unknown: str) -> None:
    header, row = HEADER.replace(",r402_nama", f",{unknown},r402_nama"), ROW.replace(",CONTOH", ",1,CONTOH")
    assert read_names(engine, tmp_path, header, row, row) == [("CONTOH",)] * 2
    with pytest.raises(ContractBreachError, match=r"^file_malformed: "):
        read_names(engine, tmp_path, header, row, row.replace(",CONTOH", ",,CONTOH"))


@pytest.mark.parametrize("unknown", ['"x"y', '  "x,y"', '\t"x"', '"x', 'x "y,z" w'])
def test_a_header_whose_quotes_have_two_meanings_is_refused(engine, tmp_path: Path, unknown: str) -> None:
    with pytest.raises(ContractBreachError, match=r"^file_malformed: .*line 1 has "):
        read_names(engine, tmp_path, f"{HEADER},{unknown}", f"{ROW},1")
