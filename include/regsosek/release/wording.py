"""The words of the release: what each column is called and means, and what each state of a night is called."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regsosek.geography.reference_table import read_table

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Definition:
    """A published column: its name in our figures, its header, its name and its meaning in Indonesian."""

    field: str
    column: str
    name: str
    definition: str


@dataclass(frozen=True)
class StateWords:
    """How a province's state of the night is told; ``complete``: the night's picture of it has no gap."""

    label: str
    explanation: str
    complete: bool


@cache
def definitions() -> dict[str, Definition]:
    """All definitions by field, in the order in which they are published."""
    rows = read_table(_HERE / "definitions.csv", ("field", "column", "name", "definition"))
    return {row["field"]: Definition(**row) for row in rows}


@cache
def night_states() -> dict[str, StateWords]:
    """The words for every state of ``statistics.nights`` and for ``held_back``."""
    rows = read_table(_HERE / "night_states.csv", ("state", "complete", "label", "explanation"))
    return {row["state"]: StateWords(row["label"], row["explanation"], row["complete"] == "yes") for row in rows}
