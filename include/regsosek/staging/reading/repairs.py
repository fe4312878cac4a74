"""Repairs that are certain: what reading mended, counted by kind and column; the apostrophe of spreadsheets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from regsosek.contract.codebook import Variable
from regsosek.contract.drift import is_rejected
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.typing_sql import PATTERNS, given


@dataclass(frozen=True, slots=True)
class Repair:
    """So many files, columns or values of ``dataset`` were repaired.

    Attributes:
        kind: a kind of ``contract/repairs.csv``, which says what ``amount`` counts.
        variable: the column concerned, empty where it is the whole file or a name that must not be repeated.
    """

    dataset: str
    kind: str
    variable: str
    amount: int


# Repairs that mend a drift of columns, which the policy could as well reject.
_DRIFT = {
    "number_for_code": "retyped_exactly",
    "fraction_of_zero": "retyped_exactly",
    "midnight_for_date": "retyped_exactly",
    "column_empty": "column_empty",
}


def refuse_by_policy(file: DeliveredFile, repairs: Iterable[Repair]) -> None:
    """Refuses what was mended where the policy of the dataset does not let it pass.

    Raises:
        ContractBreachError: ``column_type`` or ``columns_differ``.
    """
    for repair in repairs:
        drift = _DRIFT.get(repair.kind)
        if drift and is_rejected(drift):
            reason = "column_type" if drift == "retyped_exactly" else "columns_differ"
            raise ContractBreachError(reason, f"{file.name}: {repair.kind} {repair.variable}".rstrip())


APOSTROPHE = "chr(39)"


def _without_apostrophe(variable: Variable) -> tuple[str, str]:
    """SQL: the text behind the apostrophe, and whether taking it off leaves a value of the column's type."""
    rest = given(f"substr({variable.name}, 2)")
    typed = f"regexp_full_match({rest}, '{PATTERNS[variable.kind]}')"
    return rest, f"starts_with({variable.name}, {APOSTROPHE}) AND {typed}"


def take_off_apostrophes(
    connection: duckdb.DuckDBPyConnection, table: str, dataset: str, expected: Sequence[Variable]
) -> list[Repair]:
    """Removes the apostrophe with which spreadsheets keep a code as text, where what follows is a value of the type.

    Names and other free text keep theirs: there it may belong to the value.
    """
    coded = [variable for variable in expected if variable.kind != "text"]
    counts = ", ".join(f"count(*) FILTER (starts_with({v.name}, {APOSTROPHE}))" for v in coded)
    [found] = connection.execute(f"SELECT {counts} FROM {table}").fetchall()
    suspected = [variable for variable, rows in zip(coded, found, strict=True) if rows]
    repairs = []
    for variable in suspected:
        rest, certain = _without_apostrophe(variable)
        changed = connection.execute(f"UPDATE {table} SET {variable.name} = {rest} WHERE {certain}").fetchall()
        repairs.append(Repair(dataset, "apostrophe", variable.name, changed[0][0]))
    return [repair for repair in repairs if repair.amount]
