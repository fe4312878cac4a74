"""P and F rules that look at a family and its whole roster."""

import pandas as pd

from pandas_reading.logic import certain
from pandas_reading.part import Part
from pandas_reading.registry import reads
from pandas_reading.universes import complete, exists, visited

HEAD = 1


def present(part: Part) -> "pd.Series[int]":
    return part.per_family(exists(part.members))


def rows(part: Part) -> "pd.Series[int]":
    return part.per_family(part.members["keluarga_row"].notna())


def heads(part: Part) -> "pd.Series[int]":
    return part.per_family(exists(part.members) & (part.members["r409_hubungan"] == HEAD))


def of_unknown_relation(part: Part) -> "pd.Series[int]":
    """Members who may be present heads for all that is known."""
    existence = part.members["r404_keberadaan"]
    return part.per_family(existence.isna() | (certain(exists(part.members)) & part.members["r409_hubungan"].isna()))


@reads("P01")
def numbers_do_not_run(part: Part) -> "pd.Series[bool]":
    """401 does not run from 1 without gap or repetition; a missing number is a fault of its own."""
    grouped = part.members["r401_no_urut"].groupby(part.members["keluarga_row"])
    wrong = grouped.agg(lambda numbers: numbers.notna().all() and sorted(numbers) != list(range(1, len(numbers) + 1)))
    return wrong.astype("boolean").reindex(part.families.values.index, fill_value=False).astype(bool)


@reads("P05")
def not_exactly_one_head(part: Part) -> "pd.Series[bool]":
    """Exactly one head among the members present; none only if nobody's relation is unknown."""
    none = (heads(part) == 0) & (of_unknown_relation(part) == 0)
    return certain(visited(part.families) & (present(part) > 0) & ((heads(part) > 1) | none))


@reads("F05")
def count_does_not_fit(part: Part) -> "pd.Series[bool]":
    stated = part.families["r112_jumlah_anggota"]
    unfit = (stated < present(part)) | (stated > rows(part))
    return certain(complete(part.families) & (rows(part) > 0) & unfit)


@reads("S03")
def nobody_there(part: Part) -> "pd.Series[bool]":
    """Complete, but no member is present, and none may be for all that is known."""
    unknown = part.per_family(part.members["r404_keberadaan"].isna())
    return certain(complete(part.families) & (present(part) == 0) & (unknown == 0))
