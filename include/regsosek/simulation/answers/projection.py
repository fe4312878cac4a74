"""The one SQL projection from candidates to a delivered file: skips by the codebook's universes, text by its types."""

from functools import cache

from regsosek.contract.codebook import DATASETS, Variable, block, variables
from regsosek.contract.instruments import first_version
from regsosek.simulation.answers.documents import ANSWERED
from regsosek.simulation.answers.keluarga import WITHDRAWN_STATUS

# The roster is written down before the interview begins: nobody breaks off there.
_ROSTER_PAGE = frozenset({"405", "406", "407", "408", "409"})
_ORDER_OF_BLOCKS = ("III", "IV-B", "V")
# A withdrawal says which document, under which key, and when.
_OF_A_WITHDRAWAL = frozenset({"0", "P"})
_KEY_ITEMS = frozenset({"101", "102", "103", "104", "105a", "105b", "109", "110"})


def projection(dataset: str, overrides: dict[str, str] | None = None) -> str:
    """The select list of ``dataset``'s file over its candidates.

    Args:
        dataset: whose columns, in the order of the codebook.
        overrides: SQL by column name that is written in place of the column's own; may use ``{}`` for it.
    """
    overrides = overrides or {}
    cells = {item.name: cell(item) for item in variables(dataset, first_version())}
    changed = {name: overrides[name].replace("{}", sql) if name in overrides else sql for name, sql in cells.items()}
    return ",\n".join(f"{sql} AS {name}" for name, sql in changed.items())


def cell(item: Variable) -> str:
    """SQL of one cell: the candidate as text where the item is asked and answered, else nothing."""
    conditions = [f"({condition})" for condition in _conditions(item) if condition != "TRUE"]
    if not conditions:
        return as_text(item)
    return f"CASE WHEN {' AND '.join(conditions)} THEN {as_text(item)} END"


def as_text(item: Variable, value: str | None = None) -> str:
    """SQL of ``value`` (default: the candidate) as the landing contract writes it."""
    value = value or item.name
    if item.kind in {"choice", "bits", "digits"}:
        return f"lpad(CAST({value} AS VARCHAR), {item.width}, '0')"
    if item.kind == "date":
        return f"strftime({value}, '%Y-%m-%d')"
    if item.kind == "timestamp":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S') || getvariable('utc_offset')"
    if item.kind == "decimal":
        # A degree next to the equator would be written as 5e-06, which the landing contract does not know.
        return f"CAST(CAST({value} AS DECIMAL(9, 6)) AS VARCHAR)"
    return f"CAST({value} AS VARCHAR)"


def inside(item: Variable) -> str:
    """SQL of who must answer the item."""
    return f"({block(item.dataset, item.block, first_version()).required_when}) AND ({item.universe or 'TRUE'})"


def outside(item: Variable) -> str:
    """SQL of who is interviewed in full and must not answer the item."""
    return f"({block(item.dataset, item.block, first_version()).required_when}) AND NOT ({item.universe or 'TRUE'})"


def _conditions(item: Variable) -> list[str]:
    conditions = [block(item.dataset, item.block, first_version()).applies_when]
    if item.required != "yes_outside_free":
        conditions.append(item.universe or "TRUE")
    position = _positions().get((item.dataset, item.name))
    if position is not None:
        conditions.append(f"{ANSWERED} >= {position:.4f}")
    if item.dataset == "keluarga" and item.block not in _OF_A_WITHDRAWAL and item.item not in _KEY_ITEMS:
        conditions.append(f"status_dokumen <> {WITHDRAWN_STATUS}")
    return conditions


@cache
def _positions() -> dict[tuple[str, str], float]:
    """Where in the interview each item is asked, 0 to 1, for those that a broken-off interview does not reach."""
    asked = [
        item for dataset in DATASETS for item in variables(dataset, first_version()) if item.block in _ORDER_OF_BLOCKS
    ]
    asked = [item for item in asked if item.item not in _ROSTER_PAGE]
    asked.sort(key=lambda item: _ORDER_OF_BLOCKS.index(item.block))
    return {(item.dataset, item.name): (place + 1) / (len(asked) + 1) for place, item in enumerate(asked)}
