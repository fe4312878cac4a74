"""Why a delivery is rejected: each reason of the contract with the words that the province and the docs use."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from regsosek.wording import Text
from regsosek.wording.texts import text_in


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of ``reasons.csv``: its id and what it says.

    ``rests_on_a_reading``: it was found in what one read of the object store said, which nothing else proves. It is
    read again before a delivery is rejected for it, and an operator may have it taken up again.
    """

    id: str
    rests_on_a_reading: bool
    text: Text


@cache
def rejection_reasons() -> dict[str, Reason]:
    """All reasons by id, in the order of the landing contract."""
    text = resources.files(__package__).joinpath("reasons.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["reason"]: Reason(row["reason"], row["rests_on_a_reading"] == "yes", text_in(row, "text")) for row in rows
    }


def rests_on_a_reading(reason: str) -> bool:
    """Whether what a delivery was rejected for may have been the object store's fault, as far as anybody can tell."""
    known = rejection_reasons().get(reason)
    return known is not None and known.rests_on_a_reading
