"""A delivered file of JSON lines, once unpacked: one object per line, keys by name, values as the text of a CSV."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from regsosek.contract.codebook import TEXT_KINDS, Variable
from regsosek.contract.limits import MAX_COLUMNS, MAX_LINE_BYTES
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.columns import match_columns, refuse_types
from regsosek.staging.refusing import more_parts, refusing
from regsosek.staging.repairs import Repair
from regsosek.staging.typing_sql import given
from regsosek.staging.unpacking import TextFacts

# How often a key holds a value of a class, e.g. {"r407_umur": {"number": 812}}.
Survey = Mapping[str, Counter[str]]

_LINES = (
    f"read_ndjson_objects(?, maximum_object_size = {MAX_LINE_BYTES}, ignore_errors = false, hive_partitioning = false)"
)
# Whole numbers that a writer gave a fraction of zero, in digits that a double holds exactly.
_WHOLE = "-?[0-9]{1,15}\\.0"
_NUMBER = "-?[0-9].*"

_SURVEY = f"""
SELECT key, class, count(*) FROM (
    SELECT key, CASE
        WHEN type = 'NULL' THEN 'null' WHEN type = 'VARCHAR' THEN 'text' WHEN type = 'BOOLEAN' THEN 'boolean'
        WHEN type IN ('OBJECT', 'ARRAY') THEN 'nested'
        WHEN regexp_full_match(value, '{_WHOLE}') THEN 'whole'
        WHEN regexp_full_match(value, '{_NUMBER}') THEN 'number' ELSE 'not JSON' END AS class
    FROM (SELECT unnest(json_keys(json)) AS key, unnest(json_type(json, '$.*')) AS type,
                 unnest(json_extract_string(json, '$.*')) AS value
          FROM {_LINES})
) GROUP BY key, class LIMIT {4 * MAX_COLUMNS + 1}
"""
_SHAPES = f"""
SELECT count(*) FILTER (json_type(json) <> 'OBJECT'),
       count(*) FILTER (len(json_keys(json)) <> len(list_distinct(json_keys(json))))
FROM {_LINES}
"""


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
    with refusing("file_malformed", fault, too_large=more_parts(file.name)):
        survey = _survey(connection, file, plain)
        names = list(survey) or [variable.name for variable in expected]  # a file without rows names no columns
        layout = match_columns(file, names, expected)
        keys = {v.name: names[layout.positions[v.name]] for v in expected}
        classes = {v.name: survey.get(keys[v.name], Counter()) for v in expected}
        _check_types(file, classes)
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
    for key, found, count in sorted(rows):
        survey.setdefault(key, Counter())[found] = count
    if len(survey) > MAX_COLUMNS:
        raise ContractBreachError("columns_differ", f"{file.name} has more than {MAX_COLUMNS} keys")
    if any(classes["not JSON"] for classes in survey.values()):
        raise ContractBreachError("file_malformed", f"{file.name} has NaN or Infinity, which JSON has not; write null")
    return survey


def _check_types(file: DeliveredFile, classes: Survey) -> None:
    unfit = {name: kind for name, found in classes.items() for kind in ("boolean", "nested") if found[kind]}
    refuse_types(file, unfit)


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
