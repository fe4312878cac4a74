"""F04, F06: one family key, one card number, in several documents of a delivery."""

from typing import Any

import pandas as pd

from pandas_reading.logic import certain, one_of
from pandas_reading.part import KEY, WITHDRAWN, Part
from pandas_reading.registry import reads


def newest(part: Part) -> pd.DataFrame:
    """The family rows that count: of each document the newest revision, unless it is withdrawn."""
    families = part.delivered_families.values
    families = families[families["id_dokumen"].notna()]
    revision = families["versi"].fillna(0)
    last = revision.groupby(families["id_dokumen"]).transform("max")
    return families[(revision == last) & families["status_dokumen"].ne(WITHDRAWN).fillna(True)]


def sixteen_digits(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers of sixteen digits; others cannot be compared."""
    return values.where(values.str.len().eq(16).fillna(False))


def documents(counted: pd.DataFrame, values: "pd.Series[Any]") -> "pd.Series[int]":
    """By value: how many different documents carry it."""
    return counted["id_dokumen"].groupby(values.reindex(counted.index)).nunique()


@reads("F04")
def key_of_several(part: Part) -> "pd.Series[bool]":
    families = part.families.values
    several = documents(newest(part), _family_key(newest(part)))
    return certain(families["id_dokumen"].notna() & (_family_key(families).map(several).fillna(0) > 1))


def _family_key(families: pd.DataFrame) -> "pd.Series[Any]":
    parts = families[list(KEY)].assign(id_subsls=sixteen_digits(families["id_subsls"]))
    complete = parts.dropna()
    return pd.Series(list(complete.itertuples(index=False, name=None)), index=complete.index, dtype=object).reindex(
        families.index
    )


@reads("F06-shared")
def card_of_several(part: Part) -> "pd.Series[bool]":
    families = part.families.values
    several = documents(newest(part), sixteen_digits(newest(part)["r114_no_kk"]))
    shared = sixteen_digits(families["r114_no_kk"]).map(several).fillna(0) > 1
    split_or_parent = one_of(families["r115_kode_kk"], (1, 2))
    return certain(families["id_dokumen"].notna() & shared & ~split_or_parent)
