"""What was not processed is not zero: its regions have no figures, and the nation is told of what was counted alone.

A province without figures counts nothing, which is no statement about its field. The nation's denominators are those
of the provinces that are counted, and their coverage says how much of the whole operation that is. A province that was
processed and sent nothing is counted: that nothing has arrived is known.
"""

from collections.abc import Collection, Mapping

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.warehouse.tables import PROGRESS_MEASURES

# What is counted from deliveries; the rest is known without them.
COUNTS = (
    *PROGRESS_MEASURES, "unmapped", "found_families", "sls_visited", "subsls_verified", "verified_families",
    "visited_where_verified",
)  # fmt: skip
DENOMINATORS = (
    "target_families", "frame_families", "prelist_families", "sls_prelist", "sls_target", "subsls_frame",
    "registry_families", "frame_kabkota",
)  # fmt: skip
# Of a coverage, the denominator whose counted share it is taken of.
_COVERAGES: Mapping[str, str] = {
    "target_coverage": "target_families", "sls_target_coverage": "sls_target",
    "registry_coverage": "registry_families", "frame_coverage": "frame_kabkota",
}  # fmt: skip
_WHOLE = 100.0


def of_what_is_counted(regions: pd.DataFrame, known: Collection[str]) -> pd.DataFrame:
    """Empties the counts of regions without figures and takes the nation's denominators over the counted provinces.

    Args:
        regions: with all counts and denominators, versions and coverages.
        known: the provinces that have figures.
    """
    here = regions["province"].isin(known) | ((regions["code"] == NATION) & bool(known))
    counts = {name: regions[name].astype("Int64").where(here) for name in COUNTS}
    return _over_counted(regions.assign(**counts), known)


def without_gap(regions: pd.DataFrame, coverage: str) -> "pd.Series[bool]":
    """Whether a denominator covers the whole of each region; of the nation, the whole of what is counted."""
    whole = (regions[coverage] >= _WHOLE).fillna(value=False).astype(bool)
    counted = whole[counted_provinces(regions)]
    return whole.mask(regions["code"] == NATION, bool(len(counted)) and bool(counted.all()))


def counted_provinces(regions: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows are provinces with figures."""
    return (regions["level"] == "provinsi") & regions["visited"].notna()


def _over_counted(regions: pd.DataFrame, known: Collection[str]) -> pd.DataFrame:
    """Of a nation of which nothing is counted, all denominators stand, with a coverage of nothing."""
    provinces = regions[regions["level"] == "provinsi"]
    nation = regions["code"] == NATION
    if provinces["code"].isin(known).all() or not nation.any():
        return regions
    whole = provinces[list(DENOMINATORS)].sum()
    counted = provinces.loc[provinces["code"].isin(known), list(DENOMINATORS)].sum()
    told = regions.copy()
    for coverage, of in _COVERAGES.items():
        share = float(counted[of]) / float(whole[of]) if whole[of] else 0.0
        told[coverage] = regions[coverage].mask(nation, regions[coverage] * share)
    for name in DENOMINATORS if known else ():
        told[name] = regions[name].mask(nation & regions[name].notna(), counted[name])
    return told
