"""A DuckDB as a task opens it."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from regsosek.staging.engine import open_engine
from support.deliveries.families import reference_tables


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path, memory_limit="300MB", threads=2) as connection:
        reference_tables(connection)
        yield connection
