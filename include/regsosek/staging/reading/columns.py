"""Which column of a file is which variable, by the stated policy on drift: matched by name, never by position."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regsosek.contract.codebook import Variable
from regsosek.contract.drift import is_rejected
from regsosek.contract.limits import MAX_COLUMNS
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.repairs import Repair

SHOWN_COLUMNS = 10
# A new item's column is spelled like this, and told by the number of the item: the rest, and any other unknown name,
# could be a value.
_ITEM_COLUMN = re.compile(r"(?P<item>r[0-9]{3}([a-z][0-9]?)?)(_[a-z0-9_]{0,40})?")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the variables stand in a file.

    Attributes:
        width: how many columns the file has.
        positions: variable name to its position among the names of the file, from 0.
        unnamed: positions of columns without a name.
        repairs: what matching had to overlook.
    """

    width: int
    positions: Mapping[str, int]
    unnamed: tuple[int, ...]
    repairs: tuple[Repair, ...]

    def overlooked(self, dataset: str) -> tuple[Repair, ...]:
        """The repairs, where a column without a name is one more that is not known."""
        unnamed = (Repair(dataset, "column_unknown", "", len(self.unnamed)),) if self.unnamed else ()
        return (*self.repairs, *unnamed)


def refuse_types(file: DeliveredFile, unfit: Mapping[str, str]) -> None:
    """Refuses columns whose type cannot be read as certain text.

    Args:
        unfit: what each column holds instead, by the name of its variable.

    Raises:
        ContractBreachError: ``column_type``.
    """
    if unfit:
        told = [f"{name} ({held})" for name, held in unfit.items()]
        raise ContractBreachError("column_type", f"{file.name}: send as text: {_shown(told)}")


def match_columns(file: DeliveredFile, names: Sequence[str], expected: Sequence[Variable]) -> Layout:
    """Matches the names that a file gives its columns with the variables of its dataset.

    Raises:
        ContractBreachError: ``columns_differ``: missing columns by name, others by number only.
    """
    if len(names) > MAX_COLUMNS:
        raise ContractBreachError("columns_differ", f"{file.name} has more than {MAX_COLUMNS} columns")
    known = {variable.name for variable in expected}
    plain = [name if name in known else name.strip().lower() for name in names]
    positions = {name: position for position, name in enumerate(plain) if name in known}
    unknown = [name for name in plain if name and name not in known]
    misspelled = [plain[p] for p in positions.values() if plain[p] != names[p]]
    _refuse(file, _faults(plain, expected, unknown, misspelled))
    repairs = [Repair(file.dataset, "header_spelling", name, 1) for name in misspelled]
    repairs += _unknown_columns(file.dataset, unknown)
    unnamed = tuple(position for position, name in enumerate(plain) if not name)
    return Layout(len(names), positions, unnamed, tuple(repairs))


def _unknown_columns(dataset: str, unknown: Sequence[str]) -> list[Repair]:
    found = (_ITEM_COLUMN.fullmatch(name) for name in unknown)
    shown = Counter(item["item"] if item else "" for item in found)
    return [Repair(dataset, "column_unknown", name, count) for name, count in sorted(shown.items())]


def _faults(
    plain: Sequence[str], expected: Sequence[Variable], unknown: Sequence[str], misspelled: Sequence[str]
) -> list[str]:
    given = set(plain)
    missing = [variable.name for variable in expected if variable.name not in given]
    named = len([name for name in plain if name]) - len(given - {""})
    order = [name for name in plain if name in {variable.name for variable in expected}]
    reordered = order != [variable.name for variable in expected if variable.name in given]
    faults = {
        "column_missing": f"missing: {_shown(missing)}" if missing else "",
        "column_unknown": f"{len(unknown)} unknown" if unknown else "",
        "column_twice": f"{named} named twice" if named else "",
        "header_spelling": f"{len(misspelled)} in another spelling" if misspelled else "",
        "columns_reordered": "in another order" if reordered else "",
    }
    rejecting = {kind for kind, fault in faults.items() if fault and is_rejected(kind)}
    # What is unknown is told beside what is missing: a column renamed shows as one of each.
    told = rejecting | {"column_unknown"} if rejecting else set()
    return [fault for kind, fault in faults.items() if fault and kind in told]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
    return ", ".join(names[:SHOWN_COLUMNS]) + more


def _refuse(file: DeliveredFile, faults: Sequence[str]) -> None:
    if faults:
        raise ContractBreachError("columns_differ", f"{file.name}: {'; '.join(faults)}")
