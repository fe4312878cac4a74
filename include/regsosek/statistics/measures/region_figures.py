"""All figures of a region from what is counted and what it is counted against: derived counts, shares, pace."""

from collections.abc import Collection, Mapping
from datetime import date

import pandas as pd

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import Plans
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.measures.counted import COUNTS, DENOMINATORS, without_gap
from regsosek.statistics.measures.pace import with_pace

NONRESPONSE = ("no_respondent", "refused", "moved")
_DERIVED = ("nonresponse", "prelist_visited", "prelist_and_found")
# Every share of what a region counts and is counted against; a new one is a line of definitions.csv.
REGION_SHARES = tuple(
    share.field
    for share in definitions().values()
    if {share.numerator, share.denominator} <= {*COUNTS, *DENOMINATORS, *_DERIVED}
)
_OF_FRAME = ("frame_coverage", "sls_target_coverage")


def region_figures(
    regions: pd.DataFrame, windows: Mapping[str, FieldWindow], plans: Plans, night: date, known: Collection[str]
) -> pd.DataFrame:
    """Adds ``nonresponse, prelist_visited, prelist_and_found``, :data:`REGION_SHARES` and the columns of pace.

    Args:
        regions: counts and denominators (``statistics.denominators``).
        known: provinces that have figures.
    """
    counted = regions.assign(
        nonresponse=regions[list(NONRESPONSE)].sum(axis=1, skipna=False).astype("Int64"),
        prelist_visited=regions["visited"] - regions["found_families"],
        prelist_and_found=regions["prelist_families"] + regions["found_families"],
    )
    return with_pace(_without_gaps(with_shares(counted, REGION_SHARES)), windows, plans, night, known)


def _without_gaps(regions: pd.DataFrame) -> pd.DataFrame:
    """A frame that lacks whole kab/kota is no denominator of a region that was counted whole: no share of it."""
    defined = definitions()
    coverages = {share: defined[defined[share].denominator].coverage for share in REGION_SHARES}
    whole = {field: without_gap(regions, field) for field in _OF_FRAME}
    return regions.assign(
        **{share: regions[share].where(whole[field]) for share, field in coverages.items() if field in whole}
    )
