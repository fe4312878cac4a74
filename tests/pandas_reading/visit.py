"""F01 to F03: result, notes and dates of the visit."""

from datetime import date, timedelta
from typing import Any

import pandas as pd

from pandas_reading.logic import between, certain
from pandas_reading.part import Part
from pandas_reading.registry import reads
from pandas_reading.roster import rows
from pandas_reading.universes import answered
from regsosek.contract.codebook import variables
from support.deliveries.families import VERSION

NOT_INTERVIEWED = answered("r205_hasil", 3, 4, 5)
LATE_AFTER = timedelta(days=14)


def day_numbers(days: "pd.Series[Any]") -> "pd.Series[int]":
    """Days as whole numbers, so that they can be compared where they are missing too."""
    return pd.Series([None if day is None else day.toordinal() for day in days], index=days.index, dtype="Int64")


def _days(part: Part, name: str) -> "pd.Series[int]":
    return day_numbers(part.families[name])


def _enumerated(part: Part) -> "pd.Series[int]":
    return _days(part, "r201_tanggal_pencacahan")


def _checked(part: Part) -> "pd.Series[int]":
    return _days(part, "r203_tanggal_pemeriksaan")


def _number(day: date) -> int:
    return day.toordinal()


@reads("F01-600")
def no_notes(part: Part) -> "pd.Series[bool]":
    return certain(between(part.families["r205_hasil"], 2, 5) & part.families["r600_catatan"].isna())


@reads("F02")
def interviewed_after_all(part: Part) -> "pd.Series[bool]":
    answers = [v.name for v in variables("keluarga", VERSION) if v.block in {"III", "V"}]
    cells = part.families.values[answers].notna() | part.families.unreadable[answers]
    return certain(NOT_INTERVIEWED(part.families) & (cells.any(axis=1) | (rows(part) > 0)))


@reads("F03-window")
def outside_window(part: Part) -> "pd.Series[bool]":
    return certain(~between(_enumerated(part), _number(part.around.opens), _number(part.around.closes)))


@reads("F03-203")
def checked_before_visit(part: Part) -> "pd.Series[bool]":
    return certain(_checked(part) < _enumerated(part))


@reads("F03-future")
def in_the_future(part: Part) -> "pd.Series[bool]":
    latest = _number(part.around.latest)
    return certain((_enumerated(part) > latest) | (_checked(part) > latest))


@reads("F03-late")
def late(part: Part) -> "pd.Series[bool]":
    return certain(_enumerated(part) < _number(part.around.delivered - LATE_AFTER))
