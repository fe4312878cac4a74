"""What reading a delivery repairs or leaves out, and counts: each kind with the words that people read."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from regsosek.wording import Text
from regsosek.wording.texts import text_in


@dataclass(frozen=True, slots=True)
class RepairKind:
    """A line of ``repairs.csv``.

    Attributes:
        unit: what is counted: ``file``, ``column`` or ``value``.
        told: whether the province is told; what the contract allows is counted only.
    """

    kind: str
    unit: str
    told: bool
    text: Text


@cache
def repair_kinds() -> dict[str, RepairKind]:
    """All kinds in the order of the landing contract."""
    text = resources.files(__package__).joinpath("repairs.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["kind"]: RepairKind(row["kind"], row["unit"], row["told"] == "yes", text_in(row, "text")) for row in rows
    }
