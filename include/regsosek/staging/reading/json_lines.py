"""A delivered file of JSON lines, once unpacked: one object per line, keys by name, values as the text of a CSV."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from regsosek.contract.codebook import TEXT_KINDS, Variable
from regsosek.contract.limits import MAX_COLUMNS, MAX_LINE_BYTES
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.columns import match_columns, refuse_types
from regsosek.staging.reading.refusing import refusing
from regsosek.staging.reading.repairs import Repair
from regsosek.staging.reading.typing_sql import given
from regsosek.staging.reading.unpacking import TextFacts

# How often a key holds a value of a class, e.g. {"r407_umur": {"number": 812}}.
Survey = Mapping[str, Counter[str]]

_LINES = (
    f"read_ndjson_objects(?, maximum_object_size = {MAX_LINE_BYTES}, ignore_errors = false, hive_partitioning = false)"
)
# Whole numbers that a writer gave a fraction of zero, in digits that a double holds exactly.
_WHOLE = "-?[0-9]{1,15}\\.0"
_NUMBER = "-?[0-9].*"
_JSON_BLANKS = " \t\r\n"

_SURVEY = f"""
SELECT key, type, count(*) FROM (
    SELECT unnest(json_keys(json)) AS key, unnest(json_type(json, '$.*')) AS type FROM {_LINES}
) GROUP BY key, type LIMIT {8 * MAX_COLUMNS + 1}
"""
# Lines have few shapes as a rule: what is asked of keys is asked once for each shape.
_SHAPES = f"""
SELECT coalesce(sum(lines) FILTER (type <> 'OBJECT'), 0)::BIGINT,
       coalesce(sum(lines) FILTER (len(keys) <> len(list_distinct(keys))), 0)::BIGINT
FROM (SELECT json_type(json) AS type, json_keys(json) AS keys, count(*) AS lines FROM {_LINES} GROUP BY type, keys)
"""
_CLASSES = {
    "DOUBLE": "double",
    "NULL": "null",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "OBJECT": "nested",
    "ARRAY": "nested",
}  # all else are numbers


def read_json_lines(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: DeliveredFile,
    plain: Path,
    facts: TextFacts,
    expected: Sequence[Variable],
) -> tuple[Repair, ...]:
    """Reads the unpacked JSON lines ``plain`` into ``table``: ``row_no`` from 1 and the text of each variable.

    Raises:
        ContractBreachError: ``file_malformed``, ``columns_differ`` or ``column_type``.
    """
    fault = f"{file.name} is not JSON lines: one whole JSON object on each line, no list around them"
    with refusing(file.name, "file_malformed", fault):
        survey = _survey(connection, file, plain)
        names = _names(survey, expected)
        layout = match_columns(file, names, expected)
        keys = {v.name: names[layout.positions[v.name]] for v in expected}
        classes = {v.name: survey.get(keys[v.name], Counter()) for v in expected}
        _tell_doubles_apart(connection, file, plain, keys, classes)
        _check_types(file, classes)
        _refuse_loose_lines(fault, plain)
        _load(connection, table, plain, keys, classes, expected)
    crlf = [Repair(file.dataset, "crlf", "", 1)] if facts.crlf else []
    return (*crlf, *layout.overlooked(file.dataset), *_counted(file, expected, classes))


def _survey(connection: duckdb.DuckDBPyConnection, file: DeliveredFile, plain: Path) -> Survey:
    [(strangers, doubled)] = connection.execute(_SHAPES, [str(plain)]).fetchall()
    if strangers:
        raise ContractBreachError("file_malformed", f"{file.name} has {strangers} lines that are no JSON object")
    if doubled:
        raise ContractBreachError("columns_differ", f"{file.name} names a key twice in {doubled} lines")
    rows = connection.execute(_SURVEY, [str(plain)]).fetchall()
    survey: dict[str, Counter[str]] = {}
    for key, found, count in rows:
        survey.setdefault(key, Counter())[_CLASSES.get(found, "number")] += count
    if len(survey) > MAX_COLUMNS:
        raise ContractBreachError("columns_differ", f"{file.name} has more than {MAX_COLUMNS} keys")
    return survey


def _names(survey: Survey, expected: Sequence[Variable]) -> list[str]:
    """The keys as the columns of a file: in the codebook's order, as keys of an object have none of their own."""
    places = {variable.name: place for place, variable in enumerate(expected)}
    # A file without rows names no columns.
    return sorted(survey, key=lambda key: (places.get(key, len(places)), key)) or list(places)


def _tell_doubles_apart(
    connection: duckdb.DuckDBPyConnection,
    file: DeliveredFile,
    plain: Path,
    keys: Mapping[str, str],
    classes: Mapping[str, Counter[str]],
) -> None:
    """Tells whole numbers with a fraction of zero from other numbers, and refuses what only the engine calls one."""
    doubles = [name for name, found in classes.items() if found["double"]]
    if not doubles:
        return
    paths = ", ".join(f"'$.\"{keys[name]}\"'" for name in doubles)
    counts = "count(*) FILTER (types[{0}] = 'DOUBLE' AND {1} regexp_full_match(given[{0}], '{2}'))"
    places = range(1, len(doubles) + 1)
    asked = [f"[{counts.format(n, '', _WHOLE)}, {counts.format(n, 'NOT', _NUMBER)}]" for n in places]
    [found] = connection.execute(
        f"SELECT {', '.join(asked)} FROM (SELECT json_extract_string(json, [{paths}]) AS given, "
        f"json_type(json, [{paths}]) AS types FROM {_LINES})",
        [str(plain)],
    ).fetchall()
    if any(strange for _, strange in found):
        raise ContractBreachError("file_malformed", f"{file.name} has NaN or Infinity, which JSON has not; write null")
    for name, (whole, _) in zip(doubles, found, strict=True):
        classes[name]["whole"] = whole
        classes[name]["number"] += classes[name].pop("double") - whole


def _check_types(file: DeliveredFile, classes: Survey) -> None:
    unfit = {name: kind for name, found in classes.items() for kind in ("boolean", "nested") if found[kind]}
    refuse_types(file, unfit)


def _refuse_loose_lines(fault: str, plain: Path) -> None:
    """Refuses what the engine forgives and other readers of JSON do not: a comma too many, nan, depth without end."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_number)
    try:
        with plain.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                if line.strip(_JSON_BLANKS):
                    decoder.decode(line)
    except (ValueError, RecursionError):
        raise ContractBreachError("file_malformed", fault) from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    plain: Path,
    keys: Mapping[str, str],
    classes: Survey,
    expected: Sequence[Variable],
) -> None:
    # A key is the variable's name, in capitals or with blanks at most: nothing in it can leave its quotes. Each line
    # is parsed once for all of its values.
    paths = ", ".join(f"'$.\"{keys[v.name]}\"'" for v in expected)
    values = ", ".join(_value(v, place, classes[v.name]) for place, v in enumerate(expected, start=1))
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT row_number() OVER () AS row_no, {values} FROM "
        f"(SELECT json_extract_string(json, [{paths}]) AS given, json_type(json, [{paths}]) AS types FROM {_LINES})",
        [str(plain)],
    )


def _value(variable: Variable, place: int, found: Counter[str]) -> str:
    value = f"given[{place}]"
    if found["whole"] and variable.kind != "decimal":
        whole = f"types[{place}] = 'DOUBLE' AND regexp_full_match({value}, '{_WHOLE}')"
        value = f"CASE WHEN {whole} THEN replace({value}, '.0', '') ELSE {value} END"
    return f"{given(value)} AS {variable.name}"


def _counted(file: DeliveredFile, expected: Sequence[Variable], classes: Survey) -> list[Repair]:
    repairs = []
    for variable in expected:
        found = classes[variable.name]
        if variable.kind in TEXT_KINDS:
            repairs.append(Repair(file.dataset, "number_for_code", variable.name, found["number"] + found["whole"]))
        elif variable.kind != "decimal":
            repairs.append(Repair(file.dataset, "fraction_of_zero", variable.name, found["whole"]))
    return [repair for repair in repairs if repair.amount]
