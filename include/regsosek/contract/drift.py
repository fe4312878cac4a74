"""What a file may do to its columns, whatever its dataset: the stated policy for each kind of schema drift, as data."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from regsosek.wording import Text
from regsosek.wording.texts import text_in

Verdict = Literal["accepted", "repaired", "rejected"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One line of ``drift.csv``."""

    kind: str
    verdict: Verdict
    text: Text


@cache
def drift_policy() -> tuple[Drift, ...]:
    """The policy, which is that of every dataset, in the order of the landing contract."""
    text = resources.files(__package__).joinpath("drift.csv").read_text(encoding="utf-8")
    return tuple(
        Drift(row["kind"], row["verdict"], text_in(row, "text"))  # type: ignore[arg-type]  # held to the literals by the unit test
        for row in csv.DictReader(text.splitlines())
    )


@cache
def is_rejected(kind: str) -> bool:
    """Whether the policy rejects a delivery for drift of ``kind``.

    Raises:
        KeyError: the policy says nothing of that kind.
    """
    return {drift.kind: drift.verdict for drift in drift_policy()}[kind] == "rejected"
