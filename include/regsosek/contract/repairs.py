"""What reading a delivery repairs or leaves out, and counts: each kind with the words that people read."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


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
    text_id: str
    text_en: str


@cache
def repair_kinds() -> dict[str, RepairKind]:
    """All kinds in the order of the landing contract."""
    text = resources.files(__package__).joinpath("repairs.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["kind"]: RepairKind(row["kind"], row["unit"], row["told"] == "yes", row["text_id"], row["text_en"])
        for row in rows
    }
