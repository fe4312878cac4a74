"""The floor beside the mean: each mean names its worst part.

A province at 94 % of which one kab/kota stands at 40 % is no good news.
"""

from typing import Any

import numpy as np
import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.measures.status import NOT_BEGUN

# Which parts each level is compared by: the next level, and of the upper two the one below it.
COMPARED = (
    ("nasional", "provinsi"), ("nasional", "kabkota"), ("provinsi", "kabkota"), ("provinsi", "kecamatan"),
    ("kabkota", "kecamatan"),
)  # fmt: skip
_SHARES = ("floor_coverage", "children_mean", "floor_percent", "children_below_share")
_QUARTILES = {"first_quartile": 0.25, "median": 0.5, "third_quartile": 0.75}
_COUNTS = ("children", "children_judged", "children_visited", "children_families", "children_below")
# What there is; the other counts are of the parts judged, and where none is, of nothing.
_NUMBERED = ("children", "children_judged")
_OF_WORST = {
    "code": "floor_code", "name": "floor_name", "status": "floor_status", "visited": "floor_visited",
    "plan_base_families": "floor_families",
}  # fmt: skip


def floors(regions: pd.DataFrame) -> pd.DataFrame:
    """One row per region and level of its parts, in order of :data:`COMPARED`, then by code.

    Columns: ``code, level, name, province, child_level``; ``children`` (known to the frame, or visited) and
    ``children_judged`` (with figures and a denominator of the plan); their families ``children_visited,
    children_families`` and ``children_mean``, the mean weighted by families; the worst part ``floor_code, floor_name,
    floor_status, floor_visited, floor_families, floor_percent``; ``children_below`` (the plan) and
    ``children_below_share``;
    ``first_quartile, median, third_quartile`` of the parts' percentages (each is the percentage of some part);
    ``floor_base_version``, ``floor_coverage``; ``last_day``, the latest day of enumeration in the parts judged.

    Args:
        regions: with the columns of ``statistics.pace``.
    """
    table = pd.concat([_compared(regions, upper, lower) for upper, lower in COMPARED], ignore_index=True)
    table[list(_NUMBERED)] = table[list(_NUMBERED)].fillna(0)
    whole = dict.fromkeys((*_COUNTS, "floor_visited", "floor_families"), "Int64")
    return with_shares(table.astype({**whole, **dict.fromkeys(_QUARTILES, "Float64")}), _SHARES)


def _compared(regions: pd.DataFrame, upper: str, lower: str) -> pd.DataFrame:
    own = regions[regions["level"] == upper].sort_values("code")[["code", "level", "name", "province"]]
    parts = regions[
        (regions["level"] == lower) & ((regions["frame_families"] > 0) | (regions["visited"].fillna(0) > 0))
    ]
    parts = parts.assign(above=_above(parts, upper))
    children = parts.groupby("above").size().rename("children")
    # Nobody knows of a part that sent nothing: it lowers the coverage, and is no floor of zero.
    told = parts["visited_of_plan_base"].notna() & ~parts["status"].isin(("no_data", NOT_BEGUN))
    judged = parts[told].sort_values(["above", "visited_of_plan_base", "code"])
    return own.assign(child_level=lower).join(children, on="code").join(_judged(judged), on="code")


def _above(parts: pd.DataFrame, upper: str) -> "pd.Series[str]":
    if upper == "nasional":
        return pd.Series(NATION, index=parts.index)
    return parts["province"] if upper == "provinsi" else parts["parent_code"]


def _judged(judged: pd.DataFrame) -> pd.DataFrame:
    """What the judged parts of each region come to, by the region's code; the worst stands first in each."""
    below, based = judged["gap_points"] < 0, judged["plan_base"] + " " + judged["plan_base_version"].astype(str)
    groups = judged.assign(below=below, based=based).groupby("above")
    worst = groups.head(1).set_index("above")[list(_OF_WORST)].rename(columns=_OF_WORST)
    told = groups.agg(
        children_judged=("code", "size"),
        children_visited=("visited", "sum"),
        children_families=("plan_base_families", "sum"),
        children_below=("below", "sum"),
        floor_base_version=("based", _named),
        last_day=("last_day", _latest),
    )
    return worst.join(told).join(_quartiles(judged))


def _named(bases: "pd.Series[str]") -> str:
    return "; ".join(sorted(bases.unique()))


def _latest(days: "pd.Series[Any]") -> object:
    return days.dropna().max()


def _quartiles(judged: pd.DataFrame) -> pd.DataFrame:
    """Quartiles by the inverted distribution: each is the percentage of some part."""
    percents = judged[["above", "visited_of_plan_base"]].set_index("above")["visited_of_plan_base"]
    groups = percents.groupby(level="above")
    place, parts = groups.cumcount(), groups.transform("size")
    found = {name: percents[place == np.ceil(share * parts) - 1] for name, share in _QUARTILES.items()}
    return pd.DataFrame(found)
