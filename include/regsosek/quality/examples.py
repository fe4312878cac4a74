"""Examples of violated rules for the catalogue: from the scenario tables, else a value that the codebook forbids.

No value of a column with a class of personal data is shown, though all of them are made up: a reader cannot know.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from regsosek.contract.codebook import ALL_DATASETS, Kind, Variable, all_variables, bit_mask, code_list
from regsosek.quality.rules import Rule

# What cannot be read, by kind: each is a mistake that spreadsheets or other programs make.
_UNREADABLE: Final[dict[Kind, str]] = {
    "key": "`a b`",
    "digits": "`12a`",
    "integer": "`1.0`",
    "choice": "`1.0`",
    "bits": "`1.0`",
    "date": "`2022-02-29`",
    "timestamp": "`2022-10-20 09:00`",
    "decimal": "`1,5`",
    "text": "a name with a phone behind it",
}
_HIDDEN: Final = {v.name for dataset in ALL_DATASETS for v in all_variables(dataset) if v.pii and v.is_text}


@dataclass(frozen=True)
class Examples:
    """The first violating case of each rule in the scenario tables, in words, by dataset and rule id."""

    by_rule: Mapping[tuple[str, str], str]

    @classmethod
    def read(cls, scenarios: Path) -> Self:
        """Reads the tables in directory ``scenarios``."""
        found: dict[tuple[str, str], str] = {}
        for path in sorted(scenarios.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    if row["violations"] == "1":
                        found.setdefault((row["dataset"], row["rule_id"]), _in_words(row["change"], row["note"]))
        return cls(found)

    def of(self, rule: Rule) -> str:
        """The example of ``rule``; empty where no table has one."""
        return self.by_rule.get((rule.dataset, rule.id), "")


def _in_words(change: str, note: str) -> str:
    steps = ", ".join(_step(step.strip()) for step in change.split(";") if step.strip())
    return f"{steps} ({note})" if note else steps


def _step(step: str) -> str:
    place, equals, value = step.partition("=")
    if not equals:
        return place.replace("_", " ")
    if not value:
        return f"`{place}` empty"
    if place.rpartition(".")[2] in _HIDDEN:
        return f"`{place}` {_measured(value)}"
    return f"`{place}` {value}" if value in {"absent", "present", "twice"} else f"`{place}` = `{value}`"


def _measured(value: str) -> str:
    return f"of {len(value)} {'digits' if value.isdigit() else 'characters'}"


def violating_value(variable: Variable, letter: str, version: str) -> str:
    """A value that breaks the generated rule of kind ``letter`` (see ``rule_id``) of ``version``, in words."""
    match letter:
        case "T":
            return f"= {_UNREADABLE[variable.kind]}"
        case "W":
            return _wrong_width(variable)
        case "R":
            return f"= `{(variable.maximum or 0) + 1}`"
        case "C":
            return f"= `{_unlisted_code(variable, version)}`"
        case _:
            return "empty"


def _wrong_width(variable: Variable) -> str:
    width = variable.width or 0
    return f"of {width - 1} digits" if variable.kind == "digits" else f"of {width + 1} characters"


def _unlisted_code(variable: Variable, version: str) -> int:
    if variable.kind == "bits":
        return bit_mask(variable.codes, version) + 1
    return max(code.code for code in code_list(variable.codes, version)) + 1
