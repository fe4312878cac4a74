"""A delivered CSV file, once unpacked: its header, its line ends, and its rows as text."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from regsosek.contract.codebook import Variable
from regsosek.contract.limits import MAX_LINE_BYTES
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.columns import Layout, match_columns
from regsosek.staging.reading.csv_header import read_header
from regsosek.staging.reading.csv_quotes import CR, LF, Bytes, Quoting, count_separators, whole_lines
from regsosek.staging.reading.refusing import refusing
from regsosek.staging.reading.repairs import Repair
from regsosek.staging.reading.typing_sql import given
from regsosek.staging.reading.unpacking import TextFacts

# What the engine raises about a file that one thread may yet read: borders of its pieces fall within values.
_OF_PIECES = (duckdb.InvalidInputException, duckdb.NotImplementedException)


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
        ContractBreachError: ``columns_differ``, ``header_preceded``, ``separator_unsupported`` or ``file_malformed``.
    """
    layout = match_columns(file, read_header(file, plain, expected), expected)
    source, mixed = plain, False
    if facts.mixed:
        source = plain.with_suffix(".lines")
        mixed = _one_kind_of_line_end(file.name, plain, source)
    separators = count_separators(file.name, source)
    fault = f"{file.name} is not CSV as in RFC 4180: quotes that do not close, or a line with another number of values"
    with refusing(file.name, "file_malformed", fault):
        _load(connection, table, source, layout, expected)
    _refuse_surplus(connection, table, file, separators, layout)
    return (
        *_line_end_repairs(file, facts, mixed=mixed),
        *layout.repairs,
        *_empty_columns(connection, table, file, layout),
    )


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, plain: Path, layout: Layout, expected: Sequence[Variable]
) -> None:
    """Loads with all threads, and with one alone what those cannot read."""
    try:
        connection.execute(_reading(table, layout, expected, parallel=True), [str(plain)])
    except _OF_PIECES:
        connection.execute(_reading(table, layout, expected, parallel=False), [str(plain)])


def _reading(table: str, layout: Layout, expected: Sequence[Variable], *, parallel: bool) -> str:
    # Everything is stated, nothing sniffed: a reader that guesses types or dialects guesses wrong one night. Columns
    # are named by their position, so that no name of the file reaches the SQL.
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(layout.width))
    values = [f"{given(f'c{layout.positions[v.name]}')} AS {v.name}" for v in expected]
    values += [f"{given(f'c{position}')} AS c{position}" for position in layout.unnamed]
    return (
        f"CREATE OR REPLACE TABLE {table} AS SELECT row_number() OVER () AS row_no, {', '.join(values)} "
        f"FROM read_csv(?, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"encoding = 'utf-8', strict_mode = true, max_line_size = {MAX_LINE_BYTES}, hive_partitioning = false, "
        f"parallel = {parallel}, columns = {{{columns}}})"
    )


def _refuse_surplus(
    connection: duckdb.DuckDBPyConnection, table: str, file: DeliveredFile, separators: int, layout: Layout
) -> None:
    """Refuses rows with more values than the header: the engine drops last ones that are empty, as a comma too many
    anywhere in the row leaves them, with all values behind that comma shifted."""
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    if separators != (rows + 1) * (layout.width - 1):
        raise ContractBreachError("file_malformed", f"{file.name} has lines with more values than its header")


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


def _one_kind_of_line_end(name: str, plain: Path, target: Path) -> bool:
    """Writes LF for every CRLF and every CR that stands outside of quotes; line breaks within values stay.

    Returns:
        whether lines did end in several ways, or in CR alone.
    """
    quoting, ends = Quoting(name), np.zeros(3, dtype=np.int64)
    with plain.open("rb") as source, target.open("wb") as written:
        for text in whole_lines(source):
            quoted = quoting.spans(text).mask(len(text))
            ended, found = _with_lf(np.frombuffer(text, dtype=np.uint8), quoted)
            ends += found
            written.write(ended.tobytes())
    quoting.finish()
    lf, crlf, cr = ends > 0
    return bool(cr or (lf and crlf))


def _with_lf(text: Bytes, quoted: npt.NDArray[np.bool_]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """The text with LF alone, and how many lines ended in LF, CRLF and CR."""
    cr, lf = (text == CR) & ~quoted, (text == LF) & ~quoted
    paired = cr & (np.append(text[1:], 0) == LF)
    ended: Bytes = np.where(cr, np.uint8(LF), text)[~paired]
    crlf = np.count_nonzero(paired)
    return ended, np.array([np.count_nonzero(lf) - crlf, crlf, np.count_nonzero(cr) - crlf])
