"""The ways by which single cases are seen or leave, as data: what each shows, and for which purpose."""

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple


class Way(NamedTuple):
    """A way by which rows of single cases are seen or leave.

    ``act``: ``read``, ``handed on`` (a file, an answer to a program) or ``looked up``; ``shown``: what of a case.
    """

    way: str
    act: str
    place: str
    shown: str
    purpose: str


@cache
def ways() -> dict[str, Way]:
    """Every way by its name."""
    source = resources.files(__package__).joinpath("ways.csv").read_text(encoding="utf-8")
    return {row["way"]: Way(**row) for row in csv.DictReader(source.splitlines())}
