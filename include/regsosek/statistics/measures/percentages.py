"""The one way to a percentage: of a named denominator, never clipped, and none where there is nothing to divide by."""

import pandas as pd


def percent(numerator: float, denominator: float | None) -> float | None:
    """``numerator`` in percent of ``denominator``; None if that is zero or unknown. May exceed 100."""
    if denominator is None or pd.isna(denominator) or denominator == 0:
        return None
    return float(numerator) * 100 / float(denominator)
