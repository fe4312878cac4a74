"""Delivered CSV files as relations of text: header against the codebook, rows against the manifest."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from regsosek.contract.codebook import variables
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.typing_sql import given

MAX_HEADER_CHARACTERS = 65_536
MAX_LINE_BYTES = 1_048_576
SHOWN_COLUMNS = 10


def text_table(dataset: str) -> str:
    """The table that holds the delivered text of ``dataset``, one part at a time."""
    return f"{dataset}_text"


def read_part(
    connection: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path, *, only: Collection[str] = ()
) -> None:
    """Reads one file into ``<dataset>_text``: ``row_no`` from 1 and one text column per variable, empty as NULL.

    Args:
        only: the columns that are wanted; none means all of the codebook.

    Raises:
        ContractBreachError: ``file_unreadable``, ``columns_differ`` or ``row_count``, naming the file.
    """
    header = _header(file.name, path)
    _check_columns(file, header)
    wanted = [v.name for v in variables(file.dataset) if not only or v.name in only]
    names = ", ".join(f"{given(name)} AS {name}" for name in wanted)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in header)
    # Everything is stated, nothing sniffed: a reader that guesses types or dialects guesses wrong one night.
    source = (
        f"read_csv(?, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"compression = 'gzip', encoding = 'utf-8', strict_mode = true, max_line_size = {MAX_LINE_BYTES}, "
        f"columns = {{{columns}}})"
    )
    rows = f"SELECT row_number() OVER () AS row_no, {names} FROM {source}"
    try:
        connection.execute(f"CREATE OR REPLACE TABLE {text_table(file.dataset)} AS {rows}", [str(path)])
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException):
        # The engine's own message quotes the offending line, which holds personal data: it stays here.
        raise ContractBreachError(
            "file_unreadable", f"{file.name} is not gzip-compressed RFC 4180 CSV in UTF-8"
        ) from None
    _check_characters(connection, file, wanted)
    _check_rows(connection, file)


def _header(name: str, path: Path) -> list[str]:
    try:
        with gzip.open(path, "rb") as stream:
            start = stream.read(MAX_HEADER_CHARACTERS)
        text = io.StringIO(start.decode("utf-8-sig", errors="ignore"), newline="")
        return next(csv.reader(text), [])
    except (OSError, EOFError, zlib.error, csv.Error):
        raise ContractBreachError("file_unreadable", f"{name} is not gzip-compressed CSV") from None


def _check_columns(file: DeliveredFile, header: list[str]) -> None:
    expected = {v.name for v in variables(file.dataset)}
    missing = [v.name for v in variables(file.dataset) if v.name not in header]
    unknown = len(set(header) - expected)
    twice = len(header) - len(set(header))
    if not (missing or unknown or twice):
        return
    # Unknown names are counted, not quoted: a file without a header row would put personal data there.
    more = f" and {len(missing) - SHOWN_COLUMNS} more" if len(missing) > SHOWN_COLUMNS else ""
    faults = [f"missing: {', '.join(missing[:SHOWN_COLUMNS])}{more}"] if missing else []
    faults += [f"{unknown} unknown"] if unknown else []
    faults += [f"{twice} named twice"] if twice else []
    raise ContractBreachError("columns_differ", f"{file.name}: {'; '.join(faults)}")


def _check_characters(connection: duckdb.DuckDBPyConnection, file: DeliveredFile, names: Collection[str]) -> None:
    # PostgreSQL can store no NUL character, neither in text nor in the JSON of a quarantined case.
    nul = " OR ".join(f"contains({name}, chr(0))" for name in names)
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {text_table(file.dataset)} WHERE {nul}").fetchall()
    if rows:
        raise ContractBreachError("file_unreadable", f"{file.name} has NUL characters in {rows} rows")


def _check_rows(connection: duckdb.DuckDBPyConnection, file: DeliveredFile) -> None:
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {text_table(file.dataset)}").fetchall()
    if rows != file.rows:
        raise ContractBreachError("row_count", f"{file.name} holds {rows} rows, the manifest says {file.rows}")
