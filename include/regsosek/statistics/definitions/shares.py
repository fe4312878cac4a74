"""Shares as they are defined: computed from the numerators and denominators of ``definitions.csv``, nowhere else."""

from collections.abc import Sequence

import pandas as pd

from regsosek.statistics.definitions.definitions import PERCENT, definitions


def with_shares(frame: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """Adds the shares ``fields`` (Float64) to ``frame``, which has their numerators and denominators.

    Percent are never cut off at 100; where the denominator is zero or unknown the share is missing.
    """
    return frame.assign(**{field: _share(frame, field) for field in fields})


def _share(frame: pd.DataFrame, field: str) -> "pd.Series[float]":
    share = definitions()[field]
    part, whole = (frame[name].astype("Float64") for name in (share.numerator, share.denominator))
    return part * (100 if share.unit == PERCENT else 1) / whole.where(whole > 0)
