"""G: the place of a family against the frame."""

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


def in_frame(part: Part) -> "pd.Series[bool]":
    """The sub-SLS is valid on the day of enumeration, or on the night's if that is missing."""
    days = part.families["r201_tanggal_pencacahan"]
    pairs = zip(part.families["id_subsls"], days, strict=True)
    valid = [not pd.isna(code) and part.place.in_frame(code, day or part.place.night) for code, day in pairs]
    return known(part.families["id_subsls"], pd.Series(valid, index=days.index, dtype=bool))


def desa_known(part: Part) -> "pd.Series[bool]":
    """101 to 104 are the code of a desa."""
    desa = _joined(part, DESA)
    return known(desa, desa.isin(part.place.desa))


def code_differs(part: Part) -> "pd.Series[bool]":
    """101 to 105 joined are not the 16-digit code."""
    return part.families["id_subsls"] != _joined(part, ITEMS)


def elsewhere(part: Part) -> "pd.Series[bool]":
    """101 names another province than the delivery."""
    return part.families["r101_provinsi"] != part.place.province


@reads("G01")
def unknown_place(part: Part) -> "pd.Series[bool]":
    """In no frame valid on the day (nor in a known desa: G03), differs from the code, or another province."""
    return certain((~in_frame(part) & ~desa_known(part)) | code_differs(part) | elsewhere(part))


@reads("G03")
def new_sls(part: Part) -> "pd.Series[bool]":
    """The SLS is not in the frame but its desa is."""
    return certain(~in_frame(part) & desa_known(part) & ~code_differs(part) & ~elsewhere(part))
