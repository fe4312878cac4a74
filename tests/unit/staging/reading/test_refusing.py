"""Whose fault it is when reading fails: a file's, or that of a task without memory or disk."""

import errno
import gzip
import os
from pathlib import Path

import duckdb
import pytest

from regsosek.errors import ContractBreachError, EngineFaultError
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.refusing import refusing
from regsosek.staging.reading.unpacking import unpack
from support.deliveries.families import (
    VERSION,
    WRITERS,
    anggota_row,
    csv_gz,
    delivered_file,
    described_file,
    keluarga_row,
)

NIK = "6403015202840001"


def fails_with(error: BaseException) -> BaseException:
    with (
        pytest.raises((ContractBreachError, EngineFaultError, OSError, duckdb.Error)) as raised,
        refusing("f", "file_malformed", "f is broken"),
    ):
        raise error
    return raised.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_is_ours(number: int) -> None:
    error = fails_with(duckdb.IOException(f'Could not write file "{NIK}": {os.strerror(number)}'))
    assert isinstance(error, EngineFaultError)
    assert NIK not in str(error)
    assert "REGSOSEK_WORK_DIR" in str(error)


def test_a_file_that_cannot_be_read_is_not() -> None:
    error = fails_with(duckdb.IOException(f"{NIK} is not a file of that format"))
    assert isinstance(error, ContractBreachError)
    assert str(error) == "file_malformed: f is broken"


def test_what_the_engine_has_not_implemented_is_ours() -> None:
    error = fails_with(duckdb.NotImplementedException(f"not yet: {NIK}"))
    assert isinstance(error, EngineFaultError)
    assert NIK not in str(error)


def test_a_border_of_pieces_within_a_copied_row_is_no_fault_of_the_file(engine, tmp_path: Path) -> None:
    """Byte 8,000,000, where the engine's threads part the file, lies in a note that holds lines of the export."""
    plain, names = keluarga_row(), list(keluarga_row())
    copied = ("\n" + ",".join(["9"] * (len(names) - 1)) + ",x\n") * 5
    lines = csv_gz("keluarga", [plain, plain | {"id_dokumen": "S", "r600_catatan": copied}])
    header, line, special = gzip.decompress(lines).replace(b"\r\n", b"\n").split(b"\n", 2)
    times, pad = divmod(8_000_000 - len(header) - 1 - special.index(b'"') - 210, len(line) + 1)
    padded = gzip.decompress(csv_gz("keluarga", [plain | {"r107_alamat": "Y" * pad}])).split(b"\r\n")[1]
    text = b"\n".join([header, padded, *[line] * (times - 1), special + b"\n".join([line] * 300), b""])
    file, path = described_file("keluarga", gzip.compress(text, 1), times + 301, tmp_path)
    read_part(engine, file, path, version=VERSION)
    found = engine.execute("SELECT r600_catatan FROM keluarga_text WHERE id_dokumen = 'S'").fetchall()
    assert found == [(copied,)]


@pytest.mark.parametrize("format_", WRITERS)
def test_memory_that_runs_out_is_ours(tmp_path: Path, format_: str) -> None:
    rows = [anggota_row(1, id_dokumen=f"D{n}", r402_nama=f"{NIK} {n}" * 8) for n in range(20_000)]
    delivered = delivered_file("anggota", rows, tmp_path, format_=format_)
    with open_engine(tmp_path, memory_limit="12MB", threads=1) as connection:
        connection.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(EngineFaultError, match=r"anggota-00001.*REGSOSEK_MEMORY_LIMIT") as raised:
            read_part(connection, *delivered, version=VERSION)
    assert NIK not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_disk_that_is_full_while_unpacking_is_ours(tmp_path: Path) -> None:
    file, path = delivered_file("anggota", [anggota_row(1)], tmp_path)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        unpack(file, path, full)
