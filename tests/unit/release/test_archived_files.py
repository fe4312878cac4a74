"""The second reading of archived files: every format, every repair, and nothing quoted where it fails."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from delivered import SUBSLS, WRITERS, described_file, keluarga_row, parquet_of
from regsosek.errors import AuditError
from regsosek.release.archived_cases import COLUMNS
from regsosek.release.archived_files import read_texts

NIK = "9171030302840001"
ROWS = [keluarga_row(r107_alamat=NIK), keluarga_row(id_dokumen="D2", versi="12", r205_hasil="")]
READ = [("D1", "1", "1", SUBSLS, "001", "001", "1"), ("D2", "12", "1", SUBSLS, "001", "001", "")]


def read(directory: Path, content: bytes, rows: int = 2, format_: str = "csv.gz") -> list[tuple[str, ...]]:
    file, path = described_file("keluarga", content, rows, directory, format_=format_)
    return list(read_texts(path, file, COLUMNS, "01GFWC1W80A0B1C2D3E4F5G6H7").itertuples(index=False, name=None))


def rewritten(old: str, new: str) -> bytes:
    return gzip.compress(gzip.decompress(WRITERS["csv.gz"]("keluarga", ROWS)).decode().replace(old, new).encode())


@pytest.mark.parametrize("format_", WRITERS)
def test_every_format_says_the_same(tmp_path: Path, format_: str) -> None:
    assert read(tmp_path, WRITERS[format_]("keluarga", ROWS), format_=format_) == READ


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id_dokumen,versi", "\ufeffid_dokumen,versi"),
        ("id_dokumen,versi", " ID_DOKUMEN ,Versi"),
        ("\r\n", "\n"),
        ("\r\n", "\r"),
        ("D1,1,", "'D1,'1,"),
        ("D1,1,", "\u00a0D1 ,\u30001,"),
    ],
    ids=["byte order mark", "header", "LF", "CR", "apostrophes", "blanks"],
)
def test_what_reading_repairs_is_repaired_here_too(tmp_path: Path, old: str, new: str) -> None:
    assert read(tmp_path, rewritten(old, new)) == READ


def test_numbers_of_parquet_and_json_are_whole(tmp_path: Path) -> None:
    names = list(ROWS[0])
    columns = {n: pa.array([row[n] or None for row in ROWS], pa.string()) for n in names}
    table = pa.table(columns | {"versi": pa.array([1.0, 12.0]), "r205_hasil": pa.array([1, None], pa.int8())})
    assert read(tmp_path, parquet_of(table), format_="parquet") == READ
    lines = gzip.decompress(WRITERS["jsonl.gz"]("keluarga", ROWS)).replace(b'"versi": "12"', b'"versi": 1.2e1')
    assert read(tmp_path, gzip.compress(lines), format_="jsonl.gz") == READ


def test_a_schema_of_arrow_that_is_damaged_damages_no_data(tmp_path: Path) -> None:
    packed = WRITERS["parquet"]("keluarga", ROWS)
    place = packed.index(b"ARROW:schema") + 30
    assert read(tmp_path, packed[:place] + b"/////////" + packed[place + 9 :], format_="parquet") == READ


@pytest.mark.parametrize(
    ("content", "format_"),
    [(b"no gzip", "csv.gz"), (gzip.compress(NIK.encode()), "jsonl.gz"), (b"PAR1", "parquet")],
    ids=WRITERS,
)
def test_a_file_that_cannot_be_read_fails_the_audit_and_quotes_nothing(
    tmp_path: Path, content: bytes, format_: str
) -> None:
    with pytest.raises(
        AuditError, match=r"delivery 01GFWC1W80A0B1C2D3E4F5G6H7: keluarga-00001.* a second time"
    ) as raised:
        read(tmp_path, content, format_=format_)
    assert NIK not in str(raised.value)


def test_a_row_too_few_fails_the_audit(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="has 2 rows when read a second time"):
        read(tmp_path, WRITERS["csv.gz"]("keluarga", ROWS), rows=3)
