"""The ladder of schools: the codes of 413 and 415 run by kind of school, so their order and ages stand in a table.

Levels: 0 no diploma, 1 primary, 2 junior secondary, 3 senior secondary, 4 diploma 1 to 3, 5 diploma 4 or bachelor,
6 profession or master, 7 doctorate. Profession and master share a level: either may follow the other. Of the ages
only the sixteen years of the bachelor's pupil are of the domain reference; the others are ours, and mild: a child may
begin primary school at five and gain a year in senior secondary.
"""

import csv
from dataclasses import dataclass
from functools import cache

from regsosek.contract.instruments import codebook_text


@dataclass(frozen=True)
class SchoolLevel:
    """The level of one code of 413 and 415, and the youngest age at which it is plausible, in completed years.

    ``youngest_pupil`` is ``None`` for the code of 415 that stands for no diploma.
    """

    code: int
    level: int
    youngest_pupil: int | None
    youngest_graduate: int


@cache
def school_levels() -> tuple[SchoolLevel, ...]:
    """The level of every code of items 413 and 415, from ``codebook/levels.csv``."""
    return tuple(_level(row) for row in csv.DictReader(codebook_text("levels.csv").splitlines()))


def _level(row: dict[str, str]) -> SchoolLevel:
    pupil = row["youngest_pupil"]
    return SchoolLevel(
        code=int(row["code"]),
        level=int(row["level"]),
        youngest_pupil=int(pupil) if pupil else None,
        youngest_graduate=int(row["youngest_graduate"]),
    )
