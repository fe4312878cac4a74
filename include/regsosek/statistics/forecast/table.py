"""When each province and kab/kota will be done, what it will have reached, and what more time or officers would change.

The denominator is that of the plan. A region that is done says since when; one that cannot be forecast says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.reference_table import read_table
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.forecast.candidates import METHODS, MODEL, WEEK, Floats, Integers, Series, paths
from regsosek.statistics.forecast.choice import Forecast, calibration, first_day, forecast
from regsosek.statistics.forecast.series import triangle
from regsosek.wording import Text
from regsosek.wording.texts import columns, text_in

FORECAST_LEVELS = ("provinsi", "kabkota")
WIDE_INTERVAL = 50  # points of final coverage: half of all families, nothing to plan by
SEEN_AHEAD = 30  # days after the window's end up to which a day of completion is looked for
_HERE = Path(__file__).parent
_SHARES = ("final_share", "final_low_share", "final_high_share", "families_per_officer_day")
_WHOLE_NUMBERS = (
    "days_left", "final_visited", "final_low", "final_high", "families_left", "officer_days", "officer_families",
    "officer_days_needed",
)  # fmt: skip
_DATES = ("window_end", "done_on", "done_from", "done_until")
FORECAST_WORDS = ("forecast_status", "forecast_reason", "in_time", "forecast_method", "done_method", "officer_source")
IN_TIME = ("yes", "uncertain", "no")
_KEPT = (
    "code", "name", "level", "parent_code", "province", "visited", "last_day", "plan_base", "plan_base_families",
    "plan_base_version", "plan_base_coverage",
)  # fmt: skip
_CASE = (*_KEPT, "extend_days", "more_officers", "window_end", "final_gain", "final_visited", "done_on")


@dataclass(frozen=True)
class Case:
    """Something that could be changed: the window longer by ``extend_days``, ``more_officers`` at work every day."""

    extend_days: int
    more_officers: int


@cache
def standard_cases() -> tuple[Case, ...]:
    """The cases that every release tells of (``what_if.csv``)."""
    rows = read_table(_HERE / "what_if.csv", ("extend_days", "more_officers"))
    return tuple(Case(int(row["extend_days"]), int(row["more_officers"])) for row in rows)


@cache
def forecast_words() -> dict[str, Text]:
    """What readers see for each key: statuses, reasons, methods, sources."""
    return {row["key"]: text_in(row, "label") for row in _word_rows()}


def forecast_words_of(field: str) -> tuple[str, ...]:
    """What readers of the tables see of one of ``FORECAST_WORDS``, in its order."""
    return tuple(row["label_id"] for row in _word_rows() if field in row["fields"].split())


@cache
def _word_rows() -> list[dict[str, str]]:
    return read_table(_HERE / "forecast_words.csv", ("key", "fields", *columns("label")))


@dataclass(frozen=True)
class Prospects:
    """``forecasts``: one row per region; ``cases``: one per region and case, of those that can be forecast.

    ``summed``: families of the days that they go by, by code.
    """

    forecasts: pd.DataFrame
    cases: pd.DataFrame
    summed: "pd.Series[int]"


@dataclass(frozen=True)
class _Group:
    """The regions of a province that can be forecast."""

    rows: pd.DataFrame
    series: Series
    window: FieldWindow
    night: date

    @property
    def left(self) -> int:
        return self.series.length - self.series.days

    @property
    def at_work(self) -> Floats:
        """Officers on a day of the last week, by region; missing where none is known."""
        days, officer_days = (self.rows[name].to_numpy(dtype=float) for name in ("days_worked", "officer_days"))
        return np.asarray(np.where(officer_days > 0, officer_days, np.nan) / np.where(days > 0, days, np.nan))

    def date_of(self, ahead: int) -> date:
        return self.night + timedelta(days=ahead)


def prospects(
    regions: pd.DataFrame,
    days: pd.DataFrame,
    officers: pd.DataFrame,
    windows: Mapping[str, FieldWindow],
    as_of: AsOf,
    cases: Sequence[Case] | None = None,
) -> Prospects:
    """The prospects of provinces and kab/kota.

    Args:
        regions: with the columns of ``statistics.pace``.
        days, officers: as ``statistics.forecast_series`` reads them.
        cases: what could be changed; none means :func:`standard_cases`.
    """
    asked = regions.loc[regions["level"].isin(FORECAST_LEVELS), list(_KEPT)]
    nights = {code: as_of.nights.get(code) for code in windows}
    told = _with_officers(_told(asked, windows, nights), days, officers, nights)
    by_province = dict(tuple(days.groupby("province")))
    what_ifs: list[dict[str, Any]] = []
    for province, own in told[told["forecast_status"] == "forecast"].groupby("province", sort=True):
        code = str(province)
        night = nights[code]
        assert night is not None, "a region without a night has no figures to forecast from"
        group = _group(own, by_province.get(code, days.iloc[:0]), windows[code], night)
        supposed = standard_cases() if cases is None else cases
        believed = _believed(group, supposed)
        found = pd.DataFrame(_forecasts(group, believed), index=own.index, dtype=object)
        told.loc[own.index, list(found)] = found
        what_ifs.extend(_cases(group, believed, told.loc[own.index], supposed))
    done = _done(told, days).sort_values("province", kind="stable")
    summed = days.groupby("code")["visited"].sum()
    cases_told = _typed(pd.DataFrame(what_ifs, columns=_CASE), _SHARES[:1])
    return Prospects(_typed(done, _SHARES), cases_told, summed)


def forecast_faults(told: Prospects, regions: pd.DataFrame) -> Iterator[str]:
    """Where the days that a forecast goes by do not add up to the families that the region is released with."""
    visited = regions.set_index("code")["visited"]
    for code in told.forecasts["code"]:
        if visited[code] != told.summed.get(code, 0):
            yield f"region {code}: its days sum to {told.summed.get(code, 0)}, {visited[code]} visited are released"


def _told(asked: pd.DataFrame, windows: Mapping[str, FieldWindow], nights: Mapping[str, date | None]) -> pd.DataFrame:
    """What can be said without a forecast: whether there is one, and if not why."""
    ends = {
        code: window.closing(night) if (night := nights[code]) else window.closes for code, window in windows.items()
    }
    days_left = {code: max(0, (ends[code] - night).days) if night else None for code, night in nights.items()}
    rows = asked.to_dict("records")
    reasons = [_reason(row, windows[row["province"]], nights[row["province"]]) for row in rows]
    status = ["done" if r == "done" else "impossible" if r else "forecast" for r in reasons]
    told_reasons = pd.Series(reasons, index=asked.index, dtype=object)
    left = (asked["plan_base_families"] - asked["visited"]).clip(lower=0)
    told = asked.assign(
        window_end=[ends[row["province"]] for row in rows],
        days_left=pd.Series([days_left[row["province"]] for row in rows], index=asked.index, dtype=object),
        forecast_status=status,
        forecast_reason=told_reasons.mask(told_reasons.isin(["", "done"]), None),
        families_left=left.astype("Int64"),
    )
    return told.assign(**{name: None for name in _every() if name not in told})


def _every() -> tuple[str, ...]:
    return (*_WHOLE_NUMBERS, *_DATES, *FORECAST_WORDS, "officers_per_day", "days_worked")


def _reason(row: Mapping[Any, Any], window: FieldWindow, night: date | None) -> str:
    if night is None:
        return "no_figures"
    if pd.isna(row["plan_base_families"]) or row["plan_base_families"] <= 0:
        return "no_denominator"
    if row["visited"] >= row["plan_base_families"]:
        return "done"
    if row["visited"] <= 0:
        return "nothing_visited"
    if night >= window.closing(night):
        return "window_closed"
    return "first_third" if window.day_of_window(night) < first_day(_length(window, night)) else ""


def _length(window: FieldWindow, night: date) -> int:
    """Days of the window, as its end is known on ``night``."""
    return (window.closing(night) - window.opens).days + 1


def _group(rows: pd.DataFrame, days: pd.DataFrame, window: FieldWindow, night: date) -> _Group:
    known = triangle(days, list(rows["code"]), window, night)
    families = rows["plan_base_families"].to_numpy(dtype=np.float64)
    return _Group(rows, Series(known, families, window.opens.weekday(), _length(window, night)), window, night)


def _believed(group: _Group, cases: Sequence[Case]) -> Forecast:
    longest = max((case.extend_days for case in cases), default=0)
    return forecast(group.series, group.left + longest + SEEN_AHEAD, calibration())


def _forecasts(group: _Group, believed: Forecast) -> dict[str, Any]:
    """Point, interval and days of one row are read from the same three paths, in whole families."""
    end, seen = group.left - 1, group.left + SEEN_AHEAD
    point, low, high = (_families(group, path[:, :seen]) for path in (believed.path, believed.lower, believed.upper))
    shown = {"final_visited": point, "final_low": low, "final_high": high}
    dates = {"done_on": point, "done_from": high, "done_until": low}
    return {
        **{name: each[:, end] for name, each in shown.items()},
        **{name: [_first(group, row, own) for row, own in enumerate(each)] for name, each in dates.items()},
        "in_time": _in_time(low[:, end], high[:, end], group.series.families),
        "forecast_method": np.array(METHODS)[believed.method[:, end]],
        "done_method": _done_methods(group, believed, point),
    }


def _families(group: _Group, path: Floats) -> Integers:
    return np.asarray(np.rint(path * group.series.families[:, None]), dtype=np.int64)


def _in_time(low: Integers, high: Integers, families: Floats) -> list[str]:
    """Whether regions are done by the end of the window: as surely as the interval there says."""
    return [IN_TIME[place] for place in np.where(low >= families, 0, np.where(high >= families, 1, 2))]


def _first(group: _Group, row: int, families: Integers) -> date | None:
    """The first day on which all of a region's families are done; None where that lies too far ahead to see."""
    whole = families >= group.series.families[row]
    return group.date_of(int(whole.argmax()) + 1) if whole.any() else None


def _done_methods(group: _Group, believed: Forecast, families: Integers) -> list[str]:
    whole = families >= group.series.families[:, None]
    places = np.where(whole.any(axis=1), whole.argmax(axis=1), whole.shape[1] - 1)
    return [METHODS[believed.method[row, place]] for row, place in enumerate(places)]


def _done(told: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Of regions that are done the day of enumeration on which they were, which is known and so has no interval."""
    done = told["forecast_status"] == "done"
    by_day = days.groupby(["code", "enumerated_on"])["visited"].sum().groupby(level="code").cumsum()
    for place in told.index[done]:
        code, families = told.loc[place, "code"], told.loc[place, "plan_base_families"]
        own = by_day.loc[code] if code in by_day.index else by_day.iloc[:0]
        whole = own[own >= families]
        day = None if whole.empty else whole.index[0]
        told.at[place, "done_on"] = day
        told.at[place, "in_time"] = "no" if day and day > told.loc[place, "window_end"] else "yes"
    return told


def _with_officers(
    told: pd.DataFrame, days: pd.DataFrame, officers: pd.DataFrame, nights: Mapping[str, date | None]
) -> pd.DataFrame:
    """Adds officers' days as seen in the last week; else those of the reference, each at work on each day worked there.

    Where nobody was seen in the week nobody's days are told. A province has the sum of its kab/kota.
    """
    seen = told[["code"]].join(officers, on="code").fillna(0)
    visited, worked = (told["code"].map(each).fillna(0).astype("int64") for each in _week(days, nights))
    observed, engaged = seen["officer_days"] > 0, (seen["engaged"] > 0) & (worked > 0)
    source = pd.Series(None, index=told.index, dtype=object).mask(engaged, "reference").mask(observed, "observed")
    worked = seen["days_worked"].where(observed, worked).where(source.notna())
    of_kabkota = pd.DataFrame({
        "officer_days": seen["officer_days"].where(observed, seen["engaged"] * worked),
        "officer_families": seen["officer_families"].where(observed, visited),
    }).where(source.notna())  # fmt: skip
    summed = _summed_up(of_kabkota, told)
    officer_days, families = summed["officer_days"], summed["officer_families"]
    rate = families / officer_days.where(officer_days > 0)
    needed = (told["families_left"].astype("Float64") / rate.where(rate > 0)).map(ceil, na_action="ignore")
    return told.assign(
        officer_source=source, officer_days=officer_days, officer_families=families, days_worked=worked,
        officers_per_day=officer_days / worked.where(worked > 0), officer_days_needed=needed.astype("Int64"),
    )  # fmt: skip


def _week(days: pd.DataFrame, nights: Mapping[str, date | None]) -> "tuple[pd.Series[int], pd.Series[int]]":
    """Families of a province's last week by code, and on how many of its days there were any."""
    before = {code: night - timedelta(days=WEEK) for code, night in nights.items() if night}
    since = days["province"].map(before)
    week = days[since.notna() & (days["enumerated_on"] > since.fillna(date.max))]
    by_day = week.groupby(["code", "enumerated_on"])["visited"].sum()
    by_code = by_day[by_day > 0].groupby(level="code")
    return by_code.sum(), by_code.size()


def _summed_up(counts: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The same, a province's row as the sum of its kab/kota where these stand beside it."""
    kabkota = told["level"] == "kabkota"
    sums = counts[kabkota].groupby(told["province"]).sum(min_count=1)
    above = (told["level"] == "provinsi") & told["province"].isin(sums.index)
    counts.loc[above] = sums.loc[told.loc[above, "province"]].to_numpy()
    return counts


def _cases(group: _Group, believed: Forecast, told: pd.DataFrame, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """What the model gains by more officers is added to what is believed: so a case of nothing changes nothing.

    A longer window changes nothing before its former end: work goes on afterwards at the pace that it has by then.
    """
    final, gains = told["final_visited"].to_numpy(dtype=np.int64), _gains(group, cases)
    for case in cases:
        families = _families(group, _path_of(group, believed, case, gains[case.more_officers]))
        last = group.left + case.extend_days - 1
        for n, row in enumerate(told[list(_KEPT)].to_dict("records")):
            answered = not (case.more_officers and np.isnan(group.at_work[n]))
            reached = int(families[n, last])
            yield {str(name): value for name, value in row.items()} | {
                "extend_days": case.extend_days,
                "more_officers": case.more_officers,
                "window_end": group.date_of(last + 1),
                "final_gain": reached - int(final[n]) if answered else None,
                "final_visited": reached if answered else None,
                "done_on": _first(group, n, families[n]) if answered else None,
            }


def _gains(group: _Group, cases: Sequence[Case]) -> dict[int, Floats]:
    """What the model gains by so many more officers, over the longest case: no day of it rests on a later one."""
    horizon = group.left + max((case.extend_days for case in cases), default=0) + SEEN_AHEAD
    as_it_is = paths(group.series, horizon)[MODEL]
    gains = {0: np.zeros_like(as_it_is)}
    for officers in {case.more_officers for case in cases} - {0}:
        factor = np.nan_to_num(1 + officers / group.at_work, nan=1.0)
        gains[officers] = np.maximum(paths(group.series, horizon, workforce=factor)[MODEL] - as_it_is, 0)
    return gains


def _path_of(group: _Group, believed: Forecast, case: Case, gain: Floats) -> Floats:
    horizon = group.left + case.extend_days + SEEN_AHEAD
    path = believed.path[:, :horizon] + gain[:, :horizon]
    return np.asarray(np.maximum.accumulate(path, axis=1), dtype=np.float64)


def _typed(rows: pd.DataFrame, shares: Sequence[str]) -> pd.DataFrame:
    numbers = [name for name in (*_WHOLE_NUMBERS, "final_gain") if name in rows]
    return with_shares(rows.astype(dict.fromkeys(numbers, "Int64")), shares)
