"""Why a delivery is rejected: each reason of the contract with the words that the province and the docs use."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of ``reasons.csv``: its id and what it says in Indonesian and in English."""

    id: str
    text_id: str
    text_en: str


@cache
def rejection_reasons() -> dict[str, Reason]:
    """All reasons by id, in the order of the landing contract."""
    text = resources.files(__package__).joinpath("reasons.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["reason"]: Reason(row["reason"], row["text_id"], row["text_en"]) for row in rows}
