"""Reads one delivered file of members as a task would, and answers with what matters to these tests."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regsosek.errors import ContractBreachError
from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.repairs import Repair
from support.deliveries.families import VERSION, anggota_row, described_file

NIK = "6403015202840001"
ROWS = [anggota_row(1, r403_nik=NIK), anggota_row(2, r402_nama="LAIN")]
WITA = timedelta(hours=8)


def read(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    content: bytes,
    rows: int = 2,
    *,
    format_: str,
    dataset: str = "anggota",
) -> list[Repair]:
    file, path = described_file(dataset, content, rows, directory, format_=format_)
    return sorted(read_part(connection, file, path, version=VERSION, offset=WITA), key=str)


def values(connection: duckdb.DuckDBPyConnection, *columns: str, dataset: str = "anggota") -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {', '.join(columns)} FROM {dataset}_text ORDER BY row_no").fetchall()


def refused(
    connection: duckdb.DuckDBPyConnection, directory: Path, content: bytes, rows: int = 2, *, format_: str
) -> ContractBreachError:
    """How the file is refused: with a reason, naming the file, and quoting nothing of it."""
    with pytest.raises(ContractBreachError) as raised:
        read(connection, directory, content, rows, format_=format_)
    assert f"anggota-00001.{format_}" in raised.value.detail
    assert not any(secret in str(raised.value) for secret in (NIK, "CONTOH", "CONT", "LAIN", "1984"))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value
