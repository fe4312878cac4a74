"""The DuckDB of one task: in process, bounded in memory, spilling into the task's own scratch directory."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from regsosek.staging.pseudonyms import HashKeys, prepare_keys


@contextmanager
def open_engine(
    scratch: Path, *, memory_limit: str, threads: int, keys: HashKeys | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens an empty in-memory database that may use ``memory_limit`` and spills into ``scratch``.

    Args:
        memory_limit: as DuckDB writes it, e.g. ``1500MB``.
        threads: worker threads; two provinces on two cores want one or two each.
        keys: of the keyed hashes, the oldest first. Without them they are made with one that nobody keeps: good for
            comparing within this engine, as the check of a delivery does, and for nothing else.
    """
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET enable_progress_bar = false")  # it would print on stdout, even when captured
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = ?", [memory_limit])
        connection.execute("SET threads = ?", [threads])
        connection.execute("SET temp_directory = ?", [str(scratch / "spill")])
        connection.execute("SET autoinstall_known_extensions = false")  # nothing is downloaded while a night runs
        prepare_keys(connection, keys or (secrets.token_bytes(),))
        yield connection
    finally:
        connection.close()


def scratch_of(connection: duckdb.DuckDBPyConnection) -> Path:
    """The scratch directory that ``connection`` was opened with, for what is unpacked beside the engine."""
    [(spill,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    return Path(spill).parent
