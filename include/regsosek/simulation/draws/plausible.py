"""What a plausible country looks like (``data/plausible.csv``): measures of the delivered answers, with bounds.

The simulator draws from ``margins.csv`` and from what the modules of this room know of families, schools and work;
this table says what must come of all that together, and from where we know it. A test measures a national day.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class PlausibleFigure:
    """One figure of the country.

    Attributes:
        dataset: ``keluarga`` (with ``persons``, the members present) or ``anggota`` (members present, with the columns
            of their family and ``head_age``).
        universe: SQL predicate: over which rows.
        value: SQL aggregate over them.
        expected, tolerance: the value must lie within ``expected`` +- ``tolerance``.
        source, as_of: where the expected value comes from; an own estimate says so.
    """

    measure: str
    dataset: str
    universe: str
    value: str
    expected: float
    tolerance: float
    source: str
    as_of: str


@cache
def measures() -> tuple[PlausibleFigure, ...]:
    """All measures in the order of their file."""
    text = resources.files("regsosek.simulation").joinpath("data", "plausible.csv").read_text(encoding="utf-8")
    return tuple(_measure(row) for row in csv.DictReader(text.splitlines()))


def _measure(row: dict[str, str]) -> PlausibleFigure:
    return PlausibleFigure(
        measure=row["measure"],
        dataset=row["dataset"],
        universe=row["universe"],
        value=row["value"],
        expected=float(row["expected"]),
        tolerance=float(row["tolerance"]),
        source=row["source"],
        as_of=row["as_of"],
    )
