"""V: when aid was last received."""

from functools import partial

import pandas as pd

from pandas_reading.logic import between, certain
from pandas_reading.part import Part
from pandas_reading.registry import READINGS
from pandas_reading.universes import PROGRAMMES, YES, visited

MONTHS = 12


def month_number(year: int, month: int) -> int:
    """Months counted from year 0, so that they can be compared."""
    return year * MONTHS + month


FIRST, LAST = month_number(2021, 10), month_number(2022, 10)


def outside_period(letter: str, part: Part) -> "pd.Series[bool]":
    """Received, but before October 2021, or after both October 2022 and the month of the visit."""
    families = part.families
    month, year = families[f"r501{letter}_bulan"], families[f"r501{letter}_tahun"]
    received = year * MONTHS + month
    visits = [None if day is None else month_number(day.year, day.month) for day in families["r201_tanggal_pencacahan"]]
    visit = pd.Series(visits, index=month.index, dtype="Int64")
    outside = (received < FIRST) | ((received > LAST) & (received > visit))
    readable = between(month, 1, 12) & between(year, 2000, 2099)
    return certain(visited(families) & (families[PROGRAMMES[letter]] == YES) & readable & outside)


for _letter in PROGRAMMES:
    READINGS[f"V01-501{_letter}-periode"] = partial(outside_period, _letter)
