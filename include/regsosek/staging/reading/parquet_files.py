"""A delivered Parquet file: bounded by its own metadata, its typed columns turned into the text of a CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.contract.codebook import TEXT_KINDS, Kind, Variable
from regsosek.contract.limits import MAX_LINE_BYTES, rows_bound, unpacked_bound
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.columns import Layout, match_columns, refuse_types
from regsosek.staging.reading.refusing import refusing
from regsosek.staging.reading.repairs import Repair
from regsosek.staging.reading.typing_sql import given

_INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_LOCAL = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
_INSTANTS = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"})
_TEXTS = frozenset({"VARCHAR", "UUID"})
# Arrow keeps spans of time as plain numbers, of which the engine knows no more.
_SPAN = "DURATION"
_DATED: frozenset[Kind] = frozenset({"date", "timestamp"})
# Beyond them a float of the type does not hold every whole number.
_EXACT = {"FLOAT": "16777216", "DOUBLE": "9007199254740992"}
# As many digits any number keeps in single precision, up to as many as tell any two apart.
_SINGLE_DIGITS = (6, 7, 8, 9)
# First and last day that any reader and the clock of any province can tell; counts of nanoseconds reach less far.
_DAYS, _DAYS_NS = ("0001-01-02", "9999-12-30"), ("1677-09-23", "2262-04-10")
_DAY_US = 86_400 * 10**6


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the file that is a variable: ``source`` quoted for SQL, ``type`` as the engine names it."""

    variable: Variable
    source: str
    type: str

    @property
    def family(self) -> str:
        """The kind of type: text, integer, float, decimal, date, local, instant, or other."""
        families = {"text": _TEXTS, "integer": _INTEGERS, "float": _FLOATS, "local": _LOCAL, "instant": _INSTANTS}
        for name, types in families.items():
            if self.type in types:
                return name
        if self.type == "DATE":
            return "date"
        return "decimal" if self.type.startswith("DECIMAL") else "other"

    @property
    def dated(self) -> bool:
        """Whether its values are moments of the kind that its variable asks for."""
        return (self.family, self.variable.kind) in {("date", "date"), ("local", "date"), ("instant", "timestamp")}

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last day that a moment in it may fall on."""
        return _DAYS_NS if self.type.endswith("_NS") else _DAYS


def read_parquet(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: DeliveredFile,
    path: Path,
    offset: timedelta,
    expected: Sequence[Variable],
) -> tuple[Repair, ...]:
    """Reads ``path`` into ``table``: ``row_no`` from 1 and the text of each variable.

    Args:
        offset: of the clock that instants are written on, as Parquet keeps them in UTC without it.

    Raises:
        ContractBreachError: ``file_unreadable``, ``file_too_large``, ``row_count``, ``columns_differ`` or
            ``column_type``.
    """
    fault = f"{file.name} {_damage(path)}; write it anew"
    with refusing(file.name, "file_unreadable", fault):
        _check_size(connection, file, path)
        types = _arrow_types(path, fault)
        layout = match_columns(file, _names(connection, path), expected)
        _check_pages(path, layout, fault)
        columns = _columns(connection, path, types, layout.positions, expected)
        repairs = _survey(connection, file, path, columns)
        _load(connection, table, path, columns, offset)
    return (*layout.overlooked(file.dataset), *repairs)


def _damage(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        return "is empty (0 bytes)"
    if start == b"PARE":
        return "is encrypted Parquet, which is not read"
    return "is no Parquet file" if start != b"PAR1" else "is damaged, encrypted or has no columns"


def _check_size(connection: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path) -> None:
    """Checks what the metadata claim before a page is touched: rows, and bytes unpacked."""
    [(rows,)] = connection.execute("SELECT num_rows FROM parquet_file_metadata(?)", [str(path)]).fetchall()
    if rows != file.rows:
        raise ContractBreachError("row_count", f"{file.name} holds {rows} rows, the manifest says {file.rows}")
    if rows > rows_bound(path.stat().st_size):
        raise ContractBreachError("file_too_large", f"{file.name} is too small for {rows} rows of documents")
    claimed = """
        SELECT coalesce(sum(total_uncompressed_size), 0), coalesce(min(least(total_uncompressed_size,
               total_compressed_size, row_group_num_rows, num_values)), 0) FROM parquet_metadata(?)"""
    [(unpacked, least)] = connection.execute(claimed, [str(path)]).fetchall()
    if least < 0:
        raise ContractBreachError("file_unreadable", f"{file.name} has metadata that cannot be true; write it anew")
    _bound(file, path, int(unpacked))


def _arrow_types(path: Path, fault: str) -> list[pa.DataType]:
    """Arrow keeps a schema of its own among the metadata, by which pandas and the audit read: it must be sound, too."""
    try:
        return list(pq.read_schema(path).types)
    except (pa.ArrowException, OSError, ValueError):
        raise ContractBreachError("file_unreadable", fault) from None


def _check_pages(path: Path, layout: Layout, fault: str) -> None:
    """The engine passes over some damage within pages that Arrow does not, with which the audit reads every column."""
    try:
        with pq.ParquetFile(path) as parquet:
            names = [parquet.schema_arrow.names[place] for place in layout.positions.values()]
            rows = sum(each.num_rows for each in parquet.iter_batches(columns=names, use_threads=False))
            whole = rows == parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        raise ContractBreachError("file_unreadable", fault) from None
    # Of a column that ends early Arrow's batches end early, too, without a word.
    if not whole:
        raise ContractBreachError("file_unreadable", fault)


def _bound(file: DeliveredFile, path: Path, unpacked: int) -> None:
    if unpacked > unpacked_bound(file.rows, path.stat().st_size):
        raise ContractBreachError(
            "file_too_large", f"{file.name} unpacks to {unpacked} bytes, too much for its {file.rows} rows and its size"
        )


def _names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The names of the file's columns; those of nested values are left out.

    The schema is a tree laid out flat: a line with children is followed by them.
    """
    rows = connection.execute("SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)", [str(path)]).fetchall()
    names: list[str] = []
    inside = 0
    for name, children in rows[1:]:
        if inside:
            inside -= 1
        else:
            names.append(str(name))
        inside += int(children)
    return names


def _columns(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    types: Sequence[pa.DataType],
    positions: Mapping[str, int],
    expected: Sequence[Variable],
) -> list[_Column]:
    described = connection.execute(
        "DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)", [str(path)]
    ).fetchall()
    found = [
        (name.replace('"', '""'), _SPAN if pa.types.is_duration(kind) else str(type_))
        for (name, type_, *_), kind in zip(described, types, strict=True)
    ]
    return [_Column(v, f'"{found[positions[v.name]][0]}"', found[positions[v.name]][1]) for v in expected]


def _survey(
    connection: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path, columns: Sequence[_Column]
) -> list[Repair]:
    """One pass that keeps nothing: refuses what cannot be text or is too large, and counts what will be repaired."""
    asked = [f"[{', '.join(f'({each})::BIGINT' for each in _asked(column))}]" for column in columns]
    [found] = connection.execute(
        f"SELECT {', '.join(asked)} FROM read_parquet(?, hive_partitioning = false)", [str(path)]
    ).fetchall()
    counted = dict(zip((column.variable.name for column in columns), found, strict=True))
    refuse_types(file, {c.variable.name: _type_word(c) for c in columns if counted[c.variable.name][0]})
    if max((longest or 0 for _, _, _, longest in counted.values()), default=0) > MAX_LINE_BYTES:
        raise ContractBreachError("file_too_large", f"{file.name} has a value of more than {MAX_LINE_BYTES} bytes")
    _bound(file, path, sum(length or 0 for _, _, length, _ in counted.values()))
    repairs = [Repair(file.dataset, _repair_kind(c), c.variable.name, counted[c.variable.name][1]) for c in columns]
    return [repair for repair in repairs if repair.amount]


def _asked(column: _Column) -> tuple[str, str, str, str]:
    """SQL aggregates: values that forbid the column, values repaired, bytes of all values, bytes of the longest."""
    length = f"strlen({column.source})" if column.type == "VARCHAR" else "0"
    return (
        _unfit(column),
        _repaired(column),
        f"coalesce(sum({length}), 0)",
        f"coalesce(max({length}), 0)",
    )


def _unfit(column: _Column) -> str:
    """How many values of a column have no certain text; a column that is empty throughout may have any type."""
    values, kind = column.source, column.variable.kind
    match column.family:
        case "text":
            return "0"
        case "integer" | "decimal" if kind not in _DATED:
            return "0"
        case "float" if kind not in _DATED:
            return (
                f"count(*) FILTER (isinf({values}) OR (isfinite({values}) AND abs({values}) >= {_EXACT[column.type]}))"
            )
    return _outside(column) if column.dated else f"count({values})"


def _outside(column: _Column) -> str:
    """How many moments fall outside the days told apart everywhere, or are the engine's infinity."""
    (first, last), zone = column.days, "+00" if column.family == "instant" else ""
    bounds = [first, last] if column.family == "date" else [f"{first} 00:00:00{zone}", f"{last} 23:59:59{zone}"]
    low, high = (f"'{each}'::{column.type}" for each in bounds)
    return f"count(*) FILTER (NOT {column.source} BETWEEN {low} AND {high})"


def _repaired(column: _Column) -> str:
    values, kind = column.source, column.variable.kind
    match column.family:
        case "integer" | "decimal" if kind in TEXT_KINDS:
            return f"count({values})"
        case "float" if kind in TEXT_KINDS:
            return f"count(*) FILTER (isfinite({values}))"
        case "float" if kind != "decimal" and kind not in _DATED:
            return f"count(*) FILTER (isfinite({values}) AND {values} = trunc({values}))"
        case "local" if kind == "date":
            return f"count(*) FILTER ({_midnight(column)})"
    return "0"


def _midnight(column: _Column) -> str:
    # Counted, not cut to its day: a moment near the end of what the type counts would then fall outside.
    if column.type == "TIMESTAMP_NS":
        return f"epoch_ns({column.source}) % {1000 * _DAY_US} = 0"
    return f"epoch_us({column.source}) % {_DAY_US} = 0"


def _repair_kind(column: _Column) -> str:
    if column.variable.kind in TEXT_KINDS:
        return "number_for_code"
    return "midnight_for_date" if column.family == "local" else "fraction_of_zero"


def _type_word(column: _Column) -> str:
    if column.family == "float":
        return "floating-point numbers without exact digits"
    if column.dated:
        return f"moments outside {' to '.join(column.days)}"
    return column.type.split("(", maxsplit=1)[0].lower() if column.type.endswith(("[]", ")")) else column.type.lower()


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, path: Path, columns: Sequence[_Column], offset: timedelta
) -> None:
    values = ", ".join(f"{given(_text(column, offset))} AS {column.variable.name}" for column in columns)
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT row_number() OVER () AS row_no, {values} "
        "FROM read_parquet(?, hive_partitioning = false)",
        [str(path)],
    )


def _text(column: _Column, offset: timedelta) -> str:
    """SQL: the text that a CSV would have carried."""
    values, kind = column.source, column.variable.kind
    match column.family:
        case "float":
            return _float_text(values, _shortest(values) if column.type == "FLOAT" else values, kind)
        case "decimal":
            # The engine writes a number below one without its zero where no digit can stand before the point.
            text = f"regexp_replace({values}::VARCHAR, '^(-?)\\.', '\\10.')"
            return text if kind == "decimal" else f"regexp_replace({text}, '\\.0+$', '')"
        case "local":
            below = ".%n" if column.type == "TIMESTAMP_NS" else ".%f"
            moment = _moment_text(values, "", below)
            return f"CASE WHEN {_midnight(column)} THEN {values}::DATE::VARCHAR ELSE {moment} END"
        case "instant":
            return _instant_text(column, offset)
        case "other":
            return "NULL::VARCHAR"  # empty throughout, or it would have been refused
    return f"{values}::VARCHAR"


def _shortest(values: str) -> str:
    """SQL: single precision as the double of the fewest digits that identify it; the engine writes a digit more where
    two texts of as few digits are equally near."""
    tries = [f"TRY_CAST(format('{{:.{digits}g}}', {values}::DOUBLE) AS DOUBLE)" for digits in _SINGLE_DIGITS]
    cases = " ".join(f"WHEN {each}::FLOAT = {values} THEN {each}" for each in tries[:-1])
    return f"CASE {cases} ELSE {tries[-1]} END"


def _float_text(values: str, shortest: str, kind: Kind) -> str:
    # A number near zero would be written with an exponent: it gets its fifteen places instead.
    small = f"rtrim(rtrim(format('{{:.15f}}', {values}::DOUBLE), '0'), '.')"
    text = f"CASE WHEN abs({values}) < 0.001 AND {values} <> 0 THEN {small} ELSE ({shortest})::VARCHAR END"
    if kind != "decimal":
        # Tried only: the engine may cast a NaN that the CASE around it leaves out.
        text = f"CASE WHEN {values} = trunc({values}) THEN TRY_CAST({values} AS BIGINT)::VARCHAR ELSE {text} END"
    # Not by isnan: the engine takes it for false where the file's own bounds of the column name none.
    return f"CASE WHEN isfinite({values}) THEN {text} END"


def _instant_text(column: _Column, offset: timedelta) -> str:
    shift = offset // timedelta(microseconds=1)
    if column.type == "TIMESTAMPTZ_NS":
        clock = f"make_timestamp_ns(epoch_ns({column.source}::TIMESTAMP_NS) + {1000 * shift})"
        return _moment_text(clock, _offset_text(offset), ".%n")
    return _moment_text(f"make_timestamp(epoch_us({column.source}) + {shift})", _offset_text(offset))


def _moment_text(moment: str, offset: str, decimals: str = ".%f") -> str:
    """ISO 8601 with as many decimals of a second as there are."""
    fraction = f"rtrim(rtrim(strftime({moment}, '{decimals}'), '0'), '.')"
    return f"strftime({moment}, '%Y-%m-%dT%H:%M:%S') || {fraction} || '{offset}'"


def _offset_text(offset: timedelta) -> str:
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
