"""Pace: where each region should stand by the plan, how far it is from there in families, points and days, and a word.

The plan is a share of the region's target; a region without one (kab/kota and kecamatan, as a rule) is measured against
the families of the frame, and ``plan_base`` says which it was.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import asdict
from datetime import date
from math import ceil
from typing import Any

import pandas as pd

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import NATION_NAME, PlanCurve, Plans
from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.measures.counted import counted_provinces, without_gap
from regsosek.statistics.measures.course import Course, course_of, is_known, pace_of

PACED_LEVELS = ("nasional", "provinsi", "kabkota", "kecamatan")
_COLUMNS: Mapping[str, str] = {
    "plan_percent": "Float64", "plan_families": "Int64", "gap_points": "Float64", "gap_families": "Int64",
    "days_behind": "Float64", "limit_points": "Float64", "status": "object",
}  # fmt: skip

_READ = ("code", "parent_code", "province", "visited", "plan_base_families")


def with_pace(
    regions: pd.DataFrame, windows: Mapping[str, FieldWindow], plans: Plans, night: date, known: Collection[str]
) -> pd.DataFrame:
    """Adds the plan's denominator and what follows from it; missing at the desa, and where there is no denominator.

    Columns: ``plan_base`` (``target`` or ``kerangka``), ``plan_base_families, plan_base_version, plan_base_coverage,
    visited_of_plan_base, plan_percent, plan_families, gap_points, gap_families`` (negative is behind),
    ``days_behind`` (negative is ahead), ``limit_points`` (of who is
    below plan within limits) and ``status`` (a key of ``statuses.csv``).

    Args:
        regions: with ``target_*`` and ``frame_*`` families, version and coverage.
        known: provinces that have figures.
    """
    based = with_shares(_with_base(regions), ["visited_of_plan_base"])
    national = national_course(based, windows, night)
    paced = based.loc[based["level"].isin(PACED_LEVELS), list(_READ)]
    heard = set(based.loc[counted_provinces(based) & (based["visited"] > 0), "code"])
    rows = [
        _pace(row, _course(row, windows, plans, night, national), set(known), heard) for row in paced.to_dict("records")
    ]
    paces = pd.DataFrame(rows, index=paced.index, columns=list(_COLUMNS))
    return _with_national_sum(based.join(paces.astype(dict(_COLUMNS))))


def _with_national_sum(regions: pd.DataFrame) -> pd.DataFrame:
    """The nation plans what its provinces plan, to the family: rounding its own share would differ from their sum."""
    nation = (regions["level"] == "nasional") & regions["plan_families"].notna()
    planned = regions.loc[counted_provinces(regions), "plan_families"].sum()
    plan = regions["plan_families"].mask(nation, planned)
    gap = (regions["visited"].astype("Int64") - plan).where(regions["gap_families"].notna())
    return regions.assign(plan_families=plan, gap_families=gap)


def national_course(regions: pd.DataFrame, windows: Mapping[str, FieldWindow], night: date) -> Course | None:
    """The plan of the nation: the provinces' plans on their calendars, weighted by their denominators.

    None where the nation has no denominator.
    """
    provinces = regions[counted_provinces(regions) & regions["plan_base_families"].notna()]
    weights = {str(c): int(n) for c, n in zip(provinces["code"], provinces["plan_base_families"], strict=True)}
    nation = regions.loc[regions["level"] == "nasional", "plan_base_families"]
    if not sum(weights.values()) or not nation.notna().all():
        return None
    followed = {windows[code]: families for code, families in weights.items()}
    first = min(window.opens for window in followed)
    own = [((w.opens - first).days, w.curve(night), families) for w, families in followed.items()]
    last = max(late + ceil(curve.days[-1]) for late, curve, _ in own)
    shares = [_weighted(own, day) for day in range(last)]
    curve = PlanCurve(tuple(map(float, range(last + 1))), (*shares, 1.0), NATION_NAME)
    elapsed = sum(course_of(w, night).window_percent * families for w, families in followed.items())
    return Course(curve, max(0, (night - first).days + 1), elapsed / sum(followed.values()))


def _weighted(own: Collection[tuple[int, PlanCurve, int]], day: int) -> float:
    """The nation's share on its day; rounded, for sums of floats fall now and then by the last digit.

    Args:
        own: of each province the days that it opens later, its curve and its families.
    """
    reached = sum(curve.share(max(0, day - late)) * families for late, curve, families in own)
    return round(reached / sum(families for *_, families in own), 12)


def _with_base(regions: pd.DataFrame) -> pd.DataFrame:
    """A sum with a gap is no denominator: a frame that does not cover the whole region is none."""
    paced = regions["level"].isin(PACED_LEVELS)
    target = paced & regions["target_families"].notna()
    covered = without_gap(regions, "frame_coverage")
    frame = paced & ~target & covered & (regions["frame_families"] > 0)
    base = pd.Series(None, index=regions.index, dtype=object).mask(target, "target").mask(frame, "kerangka")
    columns = {"plan_base": base}
    for what in ("families", "version", "coverage"):
        of_either = regions[f"target_{what}"].where(target, regions[f"frame_{what}"])
        columns[f"plan_base_{what}"] = of_either.where(target | frame)
    columns["plan_base_families"] = columns["plan_base_families"].astype("Int64")
    return regions.assign(**columns)


def _course(
    row: Mapping[Any, Any], windows: Mapping[str, FieldWindow], plans: Plans, night: date, national: Course | None
) -> Course | None:
    if row["code"] == NATION:
        return national
    window = windows[row["province"]]
    supplied = [plans.supplied[code] for code in (row["code"], row["parent_code"]) if code in plans.supplied]
    return course_of(window, night, supplied[0] if supplied else None)


def _pace(row: Mapping[Any, Any], course: Course | None, known: Set[str], heard: Set[str]) -> dict[str, Any]:
    if course is None:
        return {"status": "no_data"}
    of_nation = row["code"] == NATION
    processed, sent = (bool(codes) if of_nation else row["province"] in codes for codes in (known, heard))
    told = is_known(course, processed=processed, sent=sent)
    base = None if pd.isna(row["plan_base_families"]) else int(row["plan_base_families"])
    return asdict(pace_of(course, int(row["visited"]) if told else 0, base, known=told))
