"""Delivered files: what the contract tolerates is read, the rest is refused without quoting a row."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from regsosek.contract.limits import MAX_LINE_BYTES
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.files import read_part
from support.checks.matrix import examples
from support.deliveries.families import anggota_row, csv_gz

NIK = "6403015202840001"
ROWS = [anggota_row(1, r403_nik=NIK), anggota_row(2, r402_nama="LAIN")]
TEXT = gzip.decompress(csv_gz("anggota", ROWS))
HEADER, *_ = TEXT.split(b"\r\n")
Edit = Callable[[bytes], bytes]


def read(
    connection: duckdb.DuckDBPyConnection, directory: Path, content: bytes, rows: int = 2
) -> list[tuple[str, str]]:
    path = directory / "delivered.csv.gz"
    path.write_bytes(content)
    file = DeliveredFile(
        name="anggota-00001.csv.gz",
        dataset="anggota",
        part=1,
        format="csv.gz",
        rows=rows,
        bytes=len(content),
        sha256="0" * 64,
    )
    read_part(connection, file, path, version=first_version())
    return connection.execute("SELECT r402_nama, r403_nik FROM anggota_text ORDER BY row_no").fetchall()


def zipped(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


def reordered(text: bytes) -> bytes:
    names = [v.name for v in variables("anggota", first_version())]
    order = random.Random(7).sample(range(len(names)), len(names))
    lines = [line.split(b",") for line in text.split(b"\r\n") if line]
    return b"".join(b",".join(line[n] for n in order) + b"\r\n" for line in lines)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda text: text, id="as written"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="BOM"),
        pytest.param(lambda text: text.replace(b"\r\n", b"\n"), id="LF"),
        pytest.param(lambda text: text.rstrip(), id="no newline at the end"),
        pytest.param(lambda text: text + b"\r\n", id="empty line at the end"),
        pytest.param(reordered, id="columns in another order"),
        pytest.param(lambda text: text.replace(b"r402_nama", b'"r402_nama"'), id="quoted header"),
        pytest.param(lambda text: text.replace(b"CONTOH", b'"CONTOH"').replace(b"LAIN", b'  "LAIN"'[2:]), id="quoted"),
        pytest.param(lambda text: text.replace(b"LAIN", b"  LAIN "), id="blanks around"),
        pytest.param(lambda text: text.replace(b"\r\n", b"\n", 1), id="mixed line ends"),
        pytest.param(lambda text: text.replace(b"\r\n", b"\r"), id="CR alone"),
        pytest.param(lambda text: text.replace(b"r402_nama", b" R402_Nama "), id="header in capitals and blanks"),
        pytest.param(lambda text: text.replace(b"\r\n", b",\r\n"), id="empty column at the end"),
        pytest.param(lambda text: text.replace(b"6403015202840001", b"'6403015202840001"), id="apostrophe"),
    ],
)
def test_what_the_contract_tolerates_reads_the_same(engine, tmp_path: Path, edit: Edit) -> None:
    assert read(engine, tmp_path, zipped(edit(TEXT))) == [("CONTOH", NIK), ("LAIN", None)]


def test_quoted_commas_quotes_and_line_breaks_belong_to_the_value(engine, tmp_path: Path) -> None:
    names = ['A "B", C', "dua\nbaris", "dua\r\nbaris"]
    content = csv_gz("anggota", [anggota_row(n, r402_nama=name) for n, name in enumerate(names, start=1)])
    assert [name for name, _ in read(engine, tmp_path, content, 3)] == names


def test_a_file_of_several_gzip_members_is_one_file(engine, tmp_path: Path) -> None:
    assert len(read(engine, tmp_path, zipped(TEXT[:1500]) + zipped(TEXT[1500:]))) == 2


def test_a_file_without_rows_is_read(engine, tmp_path: Path) -> None:
    assert read(engine, tmp_path, zipped(HEADER + b"\r\n"), 0) == []


def noise() -> bytes:
    """Rows that compress badly, so that a cut near the end lies far behind the header."""
    rows = [anggota_row(1, r402_nama=random.Random(n).randbytes(20).hex()) for n in range(2000)]
    return gzip.decompress(csv_gz("anggota", rows)).split(b"\r\n", 1)[1]


def replacing(old: bytes, new: bytes) -> Edit:
    return lambda text: zipped(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("reason", "edit"),
    [
        pytest.param("file_unreadable", lambda text: text, id="not gzip"),
        pytest.param("file_unreadable", lambda text: zipped(text)[:-30], id="truncated gzip"),
        pytest.param("file_unreadable", lambda text: zipped(text + noise())[:-3000], id="truncated in a later block"),
        pytest.param("file_unreadable", lambda text: zipped(text) + b"garbage", id="trailing garbage"),
        pytest.param("encoding_unsupported", replacing(b"CONTOH", "CONTÖH".encode("latin-1")), id="Latin-1"),
        pytest.param("nul_characters", replacing(b"CONTOH", b"CON\0TOH"), id="NUL"),
        pytest.param("file_malformed", replacing(b"CONTOH", b'"CONTOH'), id="quote never closed"),
        pytest.param("file_malformed", replacing(b"CONTOH", b'"CON"TOH'), id="text behind a quoted value"),
        pytest.param("file_malformed", replacing(b"CONTOH", b"CON,TOH"), id="one value too many"),
        pytest.param("file_malformed", replacing(b"CONTOH,", b"CONTOH"), id="one value too few"),
        pytest.param("file_too_large", replacing(b"CONTOH", b"X" * (MAX_LINE_BYTES + 200_000)), id="line too long"),
        pytest.param("columns_differ", lambda text: zipped(b""), id="empty file"),
        pytest.param("columns_differ", lambda text: zipped(text.split(b"\r\n", 1)[1]), id="no header"),
        pytest.param("columns_differ", replacing(b"r402_nama", b"nama"), id="unknown column"),
        pytest.param("columns_differ", replacing(b"r402_nama", b"r403_nik"), id="column named twice"),
        pytest.param("columns_differ", replacing(b"r402_nama", b"r402_nama',1)--"), id="no way into the SQL"),
        pytest.param("separator_unsupported", lambda text: zipped(text.replace(b",", b";")), id="semicolons"),
        pytest.param("encoding_unsupported", lambda text: zipped(text.decode().encode("utf-16")), id="UTF-16"),
    ],
)
def test_what_breaks_the_contract_is_refused_without_quoting_it(
    engine, tmp_path: Path, reason: str, edit: Edit
) -> None:
    with pytest.raises(ContractBreachError) as raised:
        read(engine, tmp_path, edit(TEXT))
    assert raised.value.reason == reason
    assert "anggota-00001.csv.gz" in raised.value.detail
    assert not any(secret in str(raised.value) for secret in (NIK, "CONTOH", "CONT", "LAIN", "1984"))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_columns_that_differ_are_counted_and_the_missing_ones_named(engine, tmp_path: Path) -> None:
    with pytest.raises(ContractBreachError, match="missing: r402_nama; 1 unknown"):
        read(engine, tmp_path, replacing(b"r402_nama", b"nama")(TEXT))


@pytest.mark.parametrize("told", [1, 3])
def test_the_manifest_must_know_the_number_of_rows(engine, tmp_path: Path, told: int) -> None:
    with pytest.raises(ContractBreachError, match=f"row_count: .* holds 2 rows, the manifest says {told}"):
        read(engine, tmp_path, zipped(TEXT), told)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(TEXT) - 1), byte=st.integers(0, 255))
def test_one_altered_byte_is_read_or_refused_and_never_our_fault(engine, tmp_path: Path, place: int, byte: int) -> None:
    altered = TEXT[:place] + bytes([byte]) + TEXT[place + 1 :]
    try:
        read(engine, tmp_path, zipped(altered))
    except ContractBreachError as breach:
        assert NIK not in str(breach)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(st.sampled_from('ab ",\r\n'), max_size=12), min_size=1, max_size=6),
    ends=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=7, max_size=7),
)
def test_however_lines_end_line_breaks_within_values_stay(
    engine, tmp_path: Path, names: list[str], ends: list[bytes]
) -> None:
    rows = [anggota_row(number, r402_nama=name) for number, name in enumerate(names, start=1)]
    header, *_ = gzip.decompress(csv_gz("anggota", rows)).split(b"\r\n")
    lines = [header]
    for row in rows:
        _, line = gzip.decompress(csv_gz("anggota", [row])).split(b"\r\n", 1)
        lines.append(line.removesuffix(b"\r\n"))
    text = b"".join(line + end for line, end in zip(lines, ends, strict=False))
    expected = [name.strip(" ") or None for name in names]
    assert [name for name, _ in read(engine, tmp_path, zipped(text), len(names))] == expected


@pytest.mark.parametrize("place", [b"D1,1,", b"6403010001000100,", b"CONTOH,"])
def test_a_comma_too_many_is_refused_though_the_last_value_is_empty(engine, tmp_path: Path, place: bytes) -> None:
    rows = [row | {list(row)[-1]: ""} for row in ROWS]
    content = gzip.compress(gzip.decompress(csv_gz("anggota", rows)).replace(place, place + b",", 1))
    with pytest.raises(ContractBreachError, match=r"^file_malformed: anggota-00001.* more values than its header$"):
        read(engine, tmp_path, content)


def test_commas_within_quotes_are_no_surplus(engine, tmp_path: Path) -> None:
    rows = [row | {"r402_nama": 'A, B, "C", D' + "," * 50} for row in ROWS]
    assert len(read(engine, tmp_path, csv_gz("anggota", rows))) == 2
