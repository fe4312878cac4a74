"""G: the place of a family against the frame of its day."""

from collections.abc import Callable
from datetime import date

import pandas as pd

from pandas_reading.logic import certain, known
from pandas_reading.part import Part
from pandas_reading.registry import reads

DESA = ("r101_provinsi", "r102_kabkota", "r103_kecamatan", "r104_desa")
ITEMS = (*DESA, "r105a_sls", "r105b_subsls")


def _joined(part: Part, items: tuple[str, ...]) -> "pd.Series[str]":
    columns = [part.families[item] for item in items]
    joined = columns[0]
    for column in columns[1:]:
        joined = joined + column
    return joined


def _on_its_day(part: Part, fact: Callable[[str, date], bool]) -> "pd.Series[bool]":
    """``fact`` of the code on the day of enumeration, of delivery if that is missing."""
    codes, days = part.families["id_subsls"], part.families["r201_tanggal_pencacahan"]
    found = [
        not pd.isna(code) and fact(code, day or part.around.delivered) for code, day in zip(codes, days, strict=True)
    ]
    return known(codes, pd.Series(found, index=codes.index, dtype=bool))


def in_frame(part: Part) -> "pd.Series[bool]":
    return _on_its_day(part, part.around.in_frame)


def retired(part: Part) -> "pd.Series[bool]":
    return _on_its_day(part, part.around.is_retired)


def desa_known(part: Part) -> "pd.Series[bool]":
    """101 to 104 are the code of a desa."""
    desa = _joined(part, DESA)
    return known(desa, desa.isin(part.around.desa))


def code_differs(part: Part) -> "pd.Series[bool]":
    """101 to 105 joined are not the 16-digit code."""
    return part.families["id_subsls"] != _joined(part, ITEMS)


def elsewhere(part: Part) -> "pd.Series[bool]":
    """101 names another province than the delivery."""
    return part.families["r101_provinsi"] != part.around.province


@reads("G01")
def unknown_place(part: Part) -> "pd.Series[bool]":
    nowhere = ~in_frame(part) & ~retired(part) & ~desa_known(part)
    return certain(nowhere | code_differs(part) | elsewhere(part))


@reads("G02")
def retired_sls(part: Part) -> "pd.Series[bool]":
    return certain(retired(part))


@reads("G03")
def new_sls(part: Part) -> "pd.Series[bool]":
    unlisted = ~in_frame(part) & ~retired(part) & desa_known(part)
    return certain(unlisted & ~code_differs(part) & ~elsewhere(part))
