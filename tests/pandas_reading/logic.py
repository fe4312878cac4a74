"""Answers that may be missing: what is then known, and what is not.

A comparison with a missing answer is neither true nor false (NA); ``&``, ``|`` and ``~`` keep it so unless the other
side decides. A rule is violated only where that is certain.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd


def known(values: "pd.Series[Any]", truth: "pd.Series[bool]") -> "pd.Series[bool]":
    """``truth`` where ``values`` is given, unknown elsewhere."""
    return truth.astype("boolean").mask(values.isna())


def one_of(values: "pd.Series[Any]", codes: Iterable[Any]) -> "pd.Series[bool]":
    """The answer is one of ``codes``."""
    return known(values, values.isin(list(codes)))


def between(values: "pd.Series[Any]", low: float, high: float) -> "pd.Series[bool]":
    """The answer lies between ``low`` and ``high``, ends included."""
    return (values >= low) & (values <= high)


def certain(truth: "pd.Series[bool]") -> "pd.Series[bool]":
    """True where ``truth`` is surely true."""
    return truth.astype("boolean").fillna(False).astype(bool)


def everywhere(values: "pd.Series[Any]") -> "pd.Series[bool]":
    """True for every row of ``values``."""
    return pd.Series(True, index=values.index, dtype="boolean")
