"""A delivered CSV file, once unpacked: its header, its line ends, and its rows as text."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import numpy.typing as npt

from regsosek.contract.codebook import Variable
from regsosek.contract.limits import MAX_LINE_BYTES
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.columns import Layout, match_columns
from regsosek.staging.refusing import refusing
from regsosek.staging.repairs import Repair
from regsosek.staging.typing_sql import given
from regsosek.staging.unpacking import CHUNK_BYTES, TextFacts

MAX_HEADER_BYTES = 65_536
_LF, _CR, _QUOTE, _COMMA = 10, 13, 34, 44
Bytes = npt.NDArray[np.uint8]


def read_csv(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: DeliveredFile,
    plain: Path,
    facts: TextFacts,
    expected: Sequence[Variable],
) -> tuple[Repair, ...]:
    """Reads the unpacked CSV ``plain`` into ``table``: ``row_no`` from 1 and the text of each variable.

    Raises:
        ContractBreachError: ``columns_differ`` or ``file_malformed``.
    """
    source, mixed = plain, False
    if facts.mixed:
        source = plain.with_suffix(".lines")
        mixed = _one_kind_of_line_end(plain, source)
    layout = match_columns(file, _header(file, source), expected)
    fault = f"{file.name} is not CSV as in RFC 4180: quotes that do not close, or a line with another number of values"
    with refusing(file.name, "file_malformed", fault):
        _load(connection, table, source, layout, expected)
    _refuse_surplus(connection, table, file, source, layout)
    return (
        *_line_end_repairs(file, facts, mixed=mixed),
        *layout.repairs,
        *_empty_columns(connection, table, file, layout),
    )


def _header(file: DeliveredFile, plain: Path) -> list[str]:
    with plain.open("rb") as stream:
        start = stream.read(MAX_HEADER_BYTES)
    try:
        return next(csv.reader(io.StringIO(start.decode("utf-8", errors="ignore"), newline="")), [])
    except csv.Error:
        raise ContractBreachError("file_malformed", f"{file.name} has no header that can be read as CSV") from None


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, plain: Path, layout: Layout, expected: Sequence[Variable]
) -> None:
    # Everything is stated, nothing sniffed: a reader that guesses types or dialects guesses wrong one night. Columns
    # are named by their position, so that no name of the file reaches the SQL.
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(layout.width))
    values = [f"{given(f'c{layout.positions[v.name]}')} AS {v.name}" for v in expected]
    values += [f"{given(f'c{position}')} AS c{position}" for position in layout.unnamed]
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT row_number() OVER () AS row_no, {', '.join(values)} "
        f"FROM read_csv(?, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"encoding = 'utf-8', strict_mode = true, max_line_size = {MAX_LINE_BYTES}, hive_partitioning = false, "
        f"columns = {{{columns}}})",
        [str(plain)],
    )


def _refuse_surplus(
    connection: duckdb.DuckDBPyConnection, table: str, file: DeliveredFile, plain: Path, layout: Layout
) -> None:
    """Refuses rows with more values than the header: the engine drops a last one that is empty, as a comma too many
    anywhere in the row leaves it, with all values behind that comma shifted."""
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    separators = (rows + 1) * (layout.width - 1)
    if _commas(plain) > separators and _commas_outside_of_quotes(plain) > separators:
        raise ContractBreachError("file_malformed", f"{file.name} has lines with more values than its header")


def _commas(plain: Path) -> int:
    with plain.open("rb") as source:
        return sum(chunk.count(b",") for chunk in iter(lambda: source.read(CHUNK_BYTES), b""))


def _commas_outside_of_quotes(plain: Path) -> int:
    inside, commas = False, 0
    with plain.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            text = np.frombuffer(chunk, dtype=np.uint8)
            quoted = (np.cumsum(text == _QUOTE) + inside) % 2 == 1
            inside = bool(quoted[-1])
            commas += int(np.count_nonzero((text == _COMMA) & ~quoted))
    return commas


def _empty_columns(
    connection: duckdb.DuckDBPyConnection, table: str, file: DeliveredFile, layout: Layout
) -> tuple[Repair, ...]:
    """Drops columns without a name, which spreadsheets leave behind; one that holds values is no such leftover."""
    if not layout.unnamed:
        return ()
    filled = " OR ".join(f"c{position} IS NOT NULL" for position in layout.unnamed)
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {table} WHERE {filled}").fetchall()
    if rows:
        raise ContractBreachError("columns_differ", f"{file.name}: a column without a name has values in {rows} rows")
    for position in layout.unnamed:
        connection.execute(f"ALTER TABLE {table} DROP COLUMN c{position}")
    return (Repair(file.dataset, "column_empty", "", len(layout.unnamed)),)


def _line_end_repairs(file: DeliveredFile, facts: TextFacts, *, mixed: bool) -> list[Repair]:
    kind = "line_ends" if mixed else "crlf" if facts.crlf else ""
    return [Repair(file.dataset, kind, "", 1)] if kind else []


def _one_kind_of_line_end(plain: Path, target: Path) -> bool:
    """Writes LF for every CRLF and every CR that stands outside of quotes; line breaks within values stay.

    Returns:
        whether lines did end in several ways, or in CR alone.
    """
    inside = False
    ends = np.zeros(3, dtype=np.int64)
    with plain.open("rb") as source, target.open("wb") as written:
        while chunk := _whole_pairs(source):
            text = np.frombuffer(chunk, dtype=np.uint8)
            quoted = (np.cumsum(text == _QUOTE) + inside) % 2 == 1
            inside = bool(quoted[-1])
            ended, found = _with_lf(text, quoted)
            ends += found
            written.write(ended.tobytes())
    lf, crlf, cr = ends > 0
    return bool(cr or (lf and crlf))


def _whole_pairs(source: BinaryIO) -> bytes:
    """The next chunk; a CR at its end brings its LF along."""
    chunk = source.read(CHUNK_BYTES)
    return chunk + source.read(1) if chunk.endswith(b"\r") else chunk


def _with_lf(text: Bytes, quoted: npt.NDArray[np.bool_]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """The text with LF alone, and how many lines ended in LF, CRLF and CR."""
    cr, lf = (text == _CR) & ~quoted, (text == _LF) & ~quoted
    paired = cr & (np.append(text[1:], 0) == _LF)
    ended: Bytes = np.where(cr, np.uint8(_LF), text)[~paired]
    crlf = np.count_nonzero(paired)
    return ended, np.array([np.count_nonzero(lf) - crlf, crlf, np.count_nonzero(cr) - crlf])
