"""The floor beside the mean: each mean names its worst part.

A province at 94 % of which one kab/kota stands at 40 % is no good news.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.statistics.shares import with_shares

# Which parts each level is compared by: the next level, and of the upper two the one below it.
COMPARED = (
    ("nasional", "provinsi"), ("nasional", "kabkota"), ("provinsi", "kabkota"), ("provinsi", "kecamatan"),
    ("kabkota", "kecamatan"),
)  # fmt: skip
_SHARES = ("floor_coverage", "children_mean", "floor_percent", "children_below_share")
_QUARTILES = ("first_quartile", "median", "third_quartile")
_NOTHING: dict[str, Any] = {
    "floor_code": None, "floor_name": None, "floor_status": None, "floor_base_version": None, "floor_visited": None,
    "floor_families": None, "last_day": None, **dict.fromkeys(_QUARTILES),
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
    rows = [row for upper, lower in COMPARED for row in _compared(regions, upper, lower)]
    numbers = ("children", "children_judged", "children_visited", "children_families", "children_below")
    whole = dict.fromkeys((*numbers, "floor_visited", "floor_families"), "Int64")
    return with_shares(pd.DataFrame(rows).astype({**whole, **dict.fromkeys(_QUARTILES, "Float64")}), _SHARES)


def _compared(regions: pd.DataFrame, upper: str, lower: str) -> Iterator[dict[str, Any]]:
    parts = regions[(regions["level"] == lower) & ((regions["frame_families"] > 0) | (regions["visited"] > 0))]
    above = _above(parts, upper)
    by_region = dict(tuple(parts.groupby(above.to_numpy())))
    for row in regions[regions["level"] == upper].sort_values("code").to_dict("records"):
        own = {name: row[name] for name in ("code", "level", "name", "province")}
        yield own | {"child_level": lower} | _floor(by_region.get(row["code"], parts.iloc[:0]))


def _above(parts: pd.DataFrame, upper: str) -> "pd.Series[str]":
    if upper == "nasional":
        return pd.Series(NATION, index=parts.index)
    return parts["province"] if upper == "provinsi" else parts["parent_code"]


def _floor(parts: pd.DataFrame) -> dict[str, Any]:
    # Nobody knows of a part that sent nothing: it lowers the coverage, and is no floor of zero.
    known = parts["visited_of_plan_base"].notna() & (parts["status"] != "no_data")
    judged = parts[known].sort_values(["visited_of_plan_base", "code"])
    counts = {
        "children": len(parts),
        "children_judged": len(judged),
        "children_visited": int(judged["visited"].sum()),
        "children_families": int(judged["plan_base_families"].sum()),
        "children_below": int((judged["gap_points"] < 0).sum()),
    }
    return counts | (_NOTHING if judged.empty else _worst(judged))


def _worst(judged: pd.DataFrame) -> dict[str, Any]:
    worst = judged.iloc[0]
    percents = judged["visited_of_plan_base"].to_numpy(dtype=float)
    quartiles = np.quantile(percents, (0.25, 0.5, 0.75), method="inverted_cdf")
    based = zip(judged["plan_base"], judged["plan_base_version"], strict=True)
    bases = sorted({f"{base} {version}" for base, version in based})
    return {
        "floor_code": worst["code"],
        "floor_name": worst["name"],
        "floor_status": worst["status"],
        "floor_base_version": "; ".join(bases),
        "floor_visited": int(worst["visited"]),
        "floor_families": int(worst["plan_base_families"]),
        "last_day": judged["last_day"].dropna().max(),
        **dict(zip(_QUARTILES, map(float, quartiles), strict=True)),
    }
