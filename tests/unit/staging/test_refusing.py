"""Whose fault it is when reading fails: a file's, or that of a task without memory or disk."""

import errno
import os
from pathlib import Path

import duckdb
import pytest

from delivered import VERSION, WRITERS, anggota_row, delivered_file
from regsosek.errors import ContractBreachError, EngineFaultError
from regsosek.staging.engine import open_engine
from regsosek.staging.files import read_part
from regsosek.staging.refusing import refusing
from regsosek.staging.unpacking import unpack

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
