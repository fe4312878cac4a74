"""Quotes where nobody expects them: a row is read as it is written, or its file is refused; it is never shifted."""

import gzip
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import read_of_faulty_writer
from regsosek.contract.codebook import STREAMS, all_variables
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.csv_quotes import count_separators
from regsosek.staging.reading.files import read_part, text_table
from support.checks.matrix import examples
from support.deliveries import stream_messages
from support.deliveries.families import VERSION, Row, anggota_row, csv_gz, described_file, keluarga_row
from support.deliveries.faulty_writers import WRITERS, mixed_rows, python_reads, said

# A text column of each dataset that has one inside: neither its first nor its last.
TEXT_OF = {"keluarga": "r107_alamat", "anggota": "r402_nama"} | {
    stream: v.name for stream in STREAMS for v in all_variables(stream)[1:-1] if v.is_text
}
CLEAN = {"keluarga": keluarga_row, "anggota": anggota_row} | {
    stream: clean for stream, clean in stream_messages.CLEAN.items() if stream in TEXT_OF
}
ANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def text_of(dataset: str, marked: str, *, rows: int = 3) -> str:
    """Rows whose text column holds ``@`` and whose last column is empty; the first ``@`` becomes ``marked``."""
    clean = CLEAN[dataset]() | {TEXT_OF[dataset]: "@"}
    clean[list(clean)[-1]] = ""
    text = gzip.decompress(csv_gz(dataset, [clean] * rows)).decode()
    return text.replace("@", marked, 1)


def read(connection: duckdb.DuckDBPyConnection, directory: Path, dataset: str, text: str, rows: int = 3) -> list[Row]:
    file, path = described_file(dataset, gzip.compress(text.encode()), rows, directory)
    read_part(connection, file, path, version=VERSION)
    found = connection.execute(f"SELECT * EXCLUDE (row_no) FROM {text_table(dataset)} ORDER BY row_no")
    names = [each[0] for each in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def refused(connection: duckdb.DuckDBPyConnection, directory: Path, dataset: str, text: str) -> str:
    with pytest.raises(ContractBreachError, match=r"^file_malformed: ") as raised:
        read(connection, directory, dataset, text)
    assert raised.value.__cause__ is None
    assert "RT 1" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("dataset", CLEAN)
@pytest.mark.parametrize(
    "marked",
    ['"RT 1, RW 2"', "RT 1", 'RT 1 5"', 'RT "1" 2', '5" x 3"', '5"" x', "'RT 1'", "RT\t1", ' "RT 1, RW 2"  '],
)
def test_a_quote_whose_meaning_is_clear_is_read_as_written(engine, tmp_path: Path, dataset: str, marked: str) -> None:
    text = text_of(dataset, marked)
    first, *others = read(engine, tmp_path, dataset, text)
    clear = marked.strip(" ")
    assert first[TEXT_OF[dataset]] == (clear.strip('"') if clear.startswith('"') else clear)
    assert all(row[TEXT_OF[dataset]] == "@" for row in others)
    assert [row | {TEXT_OF[dataset]: "@"} for row in (first, *others)] == [others[0]] * 3


@pytest.mark.parametrize("dataset", CLEAN)
@pytest.mark.parametrize(
    "marked",
    [
        pytest.param('RT "1, RW" 2', id="bare quotes around a comma"),
        pytest.param('\t"RT 1, RW 2"', id="tab before a quoted value"),
        pytest.param('\t"RT 1"', id="tab before a quoted value without a comma"),
        pytest.param('  "RT 1, RW 2"', id="two blanks before a quoted value"),
        pytest.param('"RT 1" "RW 2"', id="two quoted values in one"),
        pytest.param('"RT 1"x', id="text behind a quoted value"),
        pytest.param('RT 1 5",', id="comma too many behind a bare quote"),
        pytest.param(',RT 1 5"', id="comma too many before a bare quote"),
        pytest.param('"RT 1, 5"" 2",', id="comma too many behind sound quotes"),
        pytest.param("RT 1,,", id="two commas too many"),
    ],
)
def test_a_quote_or_comma_of_two_meanings_refuses_the_file(engine, tmp_path: Path, dataset: str, marked: str) -> None:
    refused(engine, tmp_path, dataset, text_of(dataset, marked))


@pytest.mark.parametrize("quoted_at", range(3))
@pytest.mark.parametrize("comma_at", range(3))
@pytest.mark.parametrize("sound", [False, True])
def test_a_comma_too_many_is_seen_wherever_a_bare_quote_stands(
    engine, tmp_path: Path, quoted_at: int, comma_at: int, sound: bool
) -> None:
    rows = [keluarga_row(id_dokumen=f"D{n}", r107_alamat="@", r106_nama_sls="#", kunci_foto="") for n in range(3)]
    header, *lines = gzip.decompress(csv_gz("keluarga", rows)).decode().splitlines()
    lines[quoted_at] = lines[quoted_at].replace("@", 'PIPA 5" NO 1')
    lines[comma_at] = lines[comma_at].replace("#", ",#")
    other = next(n for n in range(3) if n not in {comma_at, quoted_at})
    lines[other] = lines[other].replace("#", '"SUDAH, ""BAIK"""') if sound else lines[other]
    assert "more values" in refused(engine, tmp_path, "keluarga", "\n".join([header, *lines, ""]))


def test_bare_quotes_do_not_hide_a_comma_too_few_by_one_too_many(engine, tmp_path: Path) -> None:
    text = text_of("keluarga", '\t"RT 1, RW 2"')
    assert "line 2 has blanks or tabs before a quote" in refused(engine, tmp_path, "keluarga", text)
    around = text_of("keluarga", 'NO "1, RW" 2').replace(",001,001,", ",001001,", 1)
    assert "line 2 has a quote within a value" in refused(engine, tmp_path, "keluarga", around)


def test_a_line_is_named_as_an_editor_counts_it(engine, tmp_path: Path) -> None:
    text = text_of("anggota", '"A\r\nB, ""C"""', rows=3).replace("@", 'H. "ADE, SH" X', 1)
    assert "line 4 has a quote" in refused(engine, tmp_path, "anggota", text)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_line_ends_are_mended_beside_bare_quotes(engine, tmp_path: Path, end: str) -> None:
    text = text_of("anggota", 'PIPA 5" NO 1').replace("\r\n", "\n", 1).replace("\r\n", end)
    assert read(engine, tmp_path, "anggota", text)[0]["r402_nama"] == 'PIPA 5" NO 1'


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("last", ['"', '"#', '"x,,#', '"#a,b#c,"",d#'])
def test_a_text_that_ends_inside_a_quote_is_refused_by_the_line_that_opens_it(
    engine, tmp_path: Path, end: str, last: str
) -> None:
    text = (text_of("anggota", "@", rows=3) + last.replace("#", "\r\n")).replace("\r\n", end)
    assert "line 5 has a quote that is never closed" in refused(engine, tmp_path, "anggota", text)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_row_whose_last_value_is_never_closed_is_not_left_out(engine, tmp_path: Path, mixed: bool) -> None:
    """With as many rows as the manifest names but for the one that was dropped."""
    lines = text_of("anggota", "@", rows=4).splitlines()
    text = "\n".join([*lines[:4], lines[4] + '"x', ""])
    text = text.replace("\n", "\r\n", 1) if mixed else text
    assert "line 5 has a quote that is never closed" in refused(engine, tmp_path, "anggota", text)


@pytest.mark.parametrize("pieces", [1, 7, 64])
def test_a_quote_never_closed_is_seen_in_pieces_of_any_size(monkeypatch, tmp_path: Path, pieces: int) -> None:
    monkeypatch.setattr("regsosek.staging.reading.csv_quotes.CHUNK_BYTES", pieces)
    plain = tmp_path / "text"
    plain.write_text('a,b\n"1\n",2\n3,"4\n5,6\n7,8\n', newline="")
    with pytest.raises(ContractBreachError, match="line 4 has a quote that is never closed"):
        count_separators("f", plain)


@pytest.mark.parametrize("pieces", [1, 7, 64, 1 << 20])
def test_commas_are_counted_alike_in_pieces_of_any_size(monkeypatch, tmp_path: Path, pieces: int) -> None:
    monkeypatch.setattr("regsosek.staging.reading.csv_quotes.CHUNK_BYTES", pieces)
    plain = tmp_path / "text"
    plain.write_text('a,"b\n,",c\r\n"","x ""y"", ,z" ,q\r\n5" q,1\r\n\n"\r\n\r\n,,",2\r3,4', newline="")
    assert count_separators("f", plain) == 2 + 2 + 1 + 1 + 1


@settings(ANY, max_examples=examples(200))
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(WRITERS)), st.sampled_from(sorted(CLEAN)))
def test_what_any_faulty_writer_writes_is_read_as_written_or_refused(
    engine, tmp_path: Path, chance: Random, writer: str, dataset: str
) -> None:
    rows = mixed_rows(dataset, chance, chance.randrange(1, 5))
    read_of_faulty_writer(engine, tmp_path, dataset, rows, WRITERS[writer](rows, chance))


@settings(ANY, max_examples=examples(100))
@given(st.randoms(use_true_random=False))
def test_the_reading_that_all_is_compared_with_is_that_of_the_standard(chance: Random) -> None:
    rows = mixed_rows("geotag", chance, 4)
    text = WRITERS["sound"](rows, chance)
    spelled = said(text)
    assert spelled is not None
    assert all(row.flawless for row in spelled)
    assert [row.cells for row in spelled] == rows == python_reads(text)
