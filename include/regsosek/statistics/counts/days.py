"""The two clocks: progress by day of enumeration, arrivals by night, and the days that a night restated."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.as_of import AS_OF, AsOf
from regsosek.statistics.definitions.shares import with_shares
from regsosek.warehouse.tables import ARRIVAL_MEASURES, PROGRESS_MEASURES, each_measure

_BY_DAY = f"""
WITH {AS_OF}
SELECT DISTINCT ON (d.province, d.enumerated_on) d.province AS code, d.enumerated_on AS day, {each_measure("d.{0}")}
FROM mart.province_day d JOIN as_of a ON a.province = d.province AND d.night <= a.last_night
ORDER BY d.province, d.enumerated_on, d.night DESC
"""

# Rows and persons of a night are no stock of families and persons: they have names of their own.
_OWN_NAMES = {"quarantined": "rows_quarantined", "persons": "persons_received"}
ARRIVAL_FIELDS = {measure: _OWN_NAMES.get(measure, measure) for measure in ARRIVAL_MEASURES}

_ARRIVALS = f"""
WITH {AS_OF}
SELECT m.province AS code, m.night, {", ".join(f"m.{name} AS {field}" for name, field in ARRIVAL_FIELDS.items())}
FROM mart.province_arrivals m JOIN as_of a ON a.province = m.province AND m.night <= a.last_night
WHERE m.received > 0
"""


def daily(connection: Connection, as_of: AsOf, windows: Mapping[str, FieldWindow]) -> pd.DataFrame:
    """Progress by day of enumeration of every province and the nation, from the opening day to the night.

    Columns: ``code, day``, all measures of that day, ``visited_so_far, complete_so_far`` (cumulative) and
    ``plan_families``: what the plan expects by the end of that day (missing where there is no target). Days outside
    the window stand too if they have figures. After the night that a province stands at its days have no figures, for
    they are not known; the nation is the sum of what is, and its plan that of the provinces with figures.
    """
    counted = _known_by_day(connection, as_of)
    days = pd.concat([counted, _calendar(windows, as_of.night)], ignore_index=True)
    by_day = _known_alone(_with_nation(days).groupby(["code", "day"], as_index=False).sum(), as_of)
    so_far = by_day.groupby("code")[["visited", "complete"]].cumsum().add_suffix("_so_far")
    plan = _plan(connection, windows, by_day["day"].unique(), as_of)
    return by_day.join(so_far).merge(plan, on=["code", "day"], how="left")


def _known_alone(by_day: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Empties the days that nobody knows of yet; what is dated after the night has arrived all the same."""
    stands = {**as_of.nights, **({NATION: as_of.night} if as_of.nights else {})}
    arrived = (by_day[list(PROGRESS_MEASURES)] != 0).any(axis=1)
    known = (by_day["day"] <= by_day["code"].map(lambda code: stands.get(code, date.min))) | arrived
    measures = {name: by_day[name].astype("Int64").where(known) for name in PROGRESS_MEASURES}
    return by_day.assign(**measures)


QUALITY_RATES = ("quarantined", "warned", "duplicate")


def arrivals(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """What arrived by night, of every province and the nation.

    Columns: ``code, night``, all ``ARRIVAL_FIELDS`` in rows of families, and of the families received, missing where
    nothing arrived: ``mean_days_late``, the mean days between enumeration and that night, and the quality rates
    ``<measure>_of_received`` of ``QUALITY_RATES`` in percent.
    """
    frame = pd.read_sql_query(text(_ARRIVALS), connection, params=as_of.parameters)
    frame = frame.astype(dict.fromkeys(ARRIVAL_FIELDS.values(), "int64"))
    summed_up = _with_nation(frame).groupby(["code", "night"], as_index=False).sum()
    return with_shares(summed_up, ["mean_days_late", *(f"{measure}_of_received" for measure in QUALITY_RATES)])


def restated(connection: Connection, as_of: AsOf, former: AsOf, moved: "pd.Index[Any]") -> pd.DataFrame:
    """Days before this night whose figures differ from ``former``, of every province and the nation.

    Columns: ``code, day`` and, for each measure, ``<measure>_before`` and ``<measure>_now``. A province without any
    figures in ``former`` restates nothing: it is new.

    Args:
        moved: ``code, day`` where families came and others went, so that perhaps no figure differs.
    """
    now, before = _known_by_day(connection, as_of), _known_by_day(connection, former)
    compared = set(before["code"]) & set(as_of.nights)
    now, before = (f[f["code"].isin(compared) & (f["day"] < as_of.night)] for f in (now, before))
    both = _totals(now).add_suffix("_now").join(_totals(before).add_suffix("_before"), how="outer")
    both = both.fillna(0).astype("int64")
    changed = pd.Series(both.index.isin(moved), index=both.index)
    for measure in PROGRESS_MEASURES:
        changed |= both[f"{measure}_now"] != both[f"{measure}_before"]
    return both[changed].reset_index()


def _known_by_day(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """By province and day; a day whose cases have all gone elsewhere stands with zeros."""
    frame = pd.read_sql_query(text(_BY_DAY), connection, params=as_of.parameters)
    return frame.astype(dict.fromkeys(PROGRESS_MEASURES, "int64"))


def _totals(by_day: pd.DataFrame) -> pd.DataFrame:
    return _with_nation(by_day).groupby(["code", "day"])[list(PROGRESS_MEASURES)].sum()


def _with_nation(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.assign(code=NATION)], ignore_index=True)


def _calendar(windows: Mapping[str, FieldWindow], night: date) -> pd.DataFrame:
    """Every day from each province's opening to ``night``, with no figures: a day without work is a zero, not a gap."""
    rows = [(code, day) for code, window in windows.items() for day in _days(window.opens, night)]
    frame = pd.DataFrame(rows, columns=["code", "day"])
    return frame.assign(**dict.fromkeys(PROGRESS_MEASURES, 0))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _plan(
    connection: Connection, windows: Mapping[str, FieldWindow], days: Iterable[date], as_of: AsOf
) -> pd.DataFrame:
    """Families that the plan expects by the end of each day: of provinces rounded, of the nation what is counted."""
    targets = {row[0]: row[1] for row in connection.execute(text("SELECT province, families FROM reference.target"))}
    rows = [
        (code, day, round(window.plan_share(day, as_of.night) * targets[code]))
        for code, window in windows.items()
        if code in targets
        for day in days
    ]
    plan = pd.DataFrame(rows, columns=["code", "day", "plan_families"])
    national = plan[plan["code"].isin(as_of.nights or windows)].assign(code=NATION)
    whole = plan if len(targets) < len(windows) else pd.concat([plan, national], ignore_index=True)
    return whole.groupby(["code", "day"], as_index=False).sum().astype({"plan_families": "Int64"})
