"""Which candidate is believed, per region and horizon, and how far it may be off.

A region's own nights are forecast again from what was known then. Where the model was not better than the better
baseline there, weighed with how all did on simulated campaigns (``forecast_errors.csv``), that baseline is used. The
interval is of the errors that the chosen candidates made on campaigns of many shapes (``forecast_intervals.csv``), by
how much of the window is gone and how far ahead the day lies; it is wider where the region's own nights were forecast
worse than usual.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regsosek.geography.reference_table import read_table
from regsosek.statistics.forecast.candidates import METHODS, MODEL, WEEK, Floats, Series, paths, reached

# Before a third of its window is over nothing tells a campaign that starts slowly from one that fails.
FIRST_THIRD = 1 / 3
HORIZONS = (1, 2, 3, 5, 7, 10, 14, 18)
GONE, AHEAD = (37, 45, 55, 65, 75, 85, 95), (5, 15, 30, 50, 70, 88, 100)
ERRORS, INTERVALS = (Path(__file__).parent / f"forecast_{name}.csv" for name in ("errors", "intervals"))
COLUMNS = ("horizon", *(f"mae_{method}" for method in METHODS))
INTERVAL_COLUMNS = ("window_gone_percent", "ahead_percent", "lower", "upper")
_LEAST_DAYS = 5  # of an own night that is forecast again
_ORIGINS = 10
# So many own forecasts weigh as much as all simulated campaigns: where methods are compared, and where the interval's
# width is found. There few do: a region that breaks off is seen at once.
_PRIOR_OF_METHODS, _PRIOR_OF_WIDTH = 12, 2
_WIDENS = 1.5
_SPREAD_FLOOR = 0.02


@dataclass(frozen=True)
class Calibration:
    """Errors on simulated campaigns, straight lines between.

    ``mae`` by method and :data:`HORIZONS`, in shares; ``lower`` and ``upper``: the interval's ends around the forecast,
    in units of :func:`spread`, by percent of the window gone (:data:`GONE`) and of what is left of it ahead
    (:data:`AHEAD`), shape (gone, ahead).
    """

    mae: Mapping[str, Floats]
    lower: Floats
    upper: Floats

    def mae_at(self, method: str, horizons: NDArray[np.int64] | int) -> Floats:
        """The mean absolute error of a method."""
        return np.asarray(np.interp(horizons, HORIZONS, self.mae[method]), dtype=np.float64)

    def ends_at(self, gone: float, ahead: Floats) -> tuple[Floats, Floats]:
        """The interval's ends for percents ``ahead``; beyond the window as on its last day."""
        lower, upper = (
            np.interp(ahead, AHEAD, [np.interp(gone, GONE, column) for column in table.T])
            for table in (self.lower, self.upper)
        )
        return np.minimum(lower, 0), np.maximum(upper, 0)


@dataclass(frozen=True)
class Evidence:
    """What the regions of a province show on a night, whatever was tuned.

    Attributes:
        candidates: the share reached by day ahead, by method: (regions, horizon).
        own: of own nights forecast again, how many days ahead and the absolute error by method: (regions,).
        known, reached: the share that has arrived by tonight, and with what is still to arrive: (regions,).
        gone: percent of the window.
        ahead: percent of what is left of the window, by day ahead: (horizon,).
    """

    candidates: Mapping[str, Floats]
    own: tuple[tuple[int, Mapping[str, Floats]], ...]
    known: Floats
    reached: Floats
    gone: float
    ahead: Floats


@dataclass(frozen=True)
class Forecast:
    """Shares by region and day ahead, shape (regions, horizon); ``method`` is an index into ``METHODS``.

    ``lower`` and ``upper`` end the interval that is to hold four of five of what a day reaches; none of the three ever
    falls, and ``path`` lies in it.
    """

    path: Floats
    lower: Floats
    upper: Floats
    method: NDArray[np.int64]


@cache
def calibration() -> Calibration:
    """The committed errors."""
    rows, intervals = read_table(ERRORS, COLUMNS), read_table(INTERVALS, INTERVAL_COLUMNS)
    mae = {method: np.array([float(row[f"mae_{method}"]) for row in rows]) for method in METHODS}
    lower, upper = (
        np.array([float(row[end]) for row in intervals]).reshape(len(GONE), len(AHEAD)) for end in ("lower", "upper")
    )
    return Calibration(mae, lower, upper)


def first_day(length: int) -> int:
    """The first day of a window of ``length`` days that is forecast from: a third of the window is over."""
    return ceil(length * FIRST_THIRD)


def forecast(series: Series, horizon: int, calibrated: Calibration) -> Forecast:
    """The believed path of each region for ``horizon`` days after tonight, with its interval."""
    return believed(evidence(series, horizon), calibrated)


def evidence(series: Series, horizon: int) -> Evidence:
    """Candidates and own errors; ``horizon`` is at least 1."""
    ahead = np.arange(1, horizon + 1) * 100 / max(1, series.length - series.days)
    return Evidence(
        paths(series, horizon), tuple(_own(series)), series.by_day.sum(axis=1), reached(series),
        series.days * 100 / series.length, ahead,
    )  # fmt: skip


def believed(shown: Evidence, calibrated: Calibration) -> Forecast:
    """The method with the smallest expected error of each region and day, and the interval around it."""
    chosen = _chosen(shown, calibrated)
    path = np.take_along_axis(np.stack([shown.candidates[m] for m in METHODS]), chosen[None], axis=0)[0]
    # A count does not fall, though one day may be believed to another method than the next.
    path = np.maximum.accumulate(np.maximum(path, shown.known[:, None]), axis=1)
    width = spread(path, shown, calibrated)
    ends = (path + end * width for end in calibrated.ends_at(shown.gone, shown.ahead))
    lower, upper = (np.maximum.accumulate(np.maximum(end, shown.known[:, None]), axis=1) for end in ends)
    # A lower end that was higher on a day before, where much less work was expected, gives way to the path.
    return Forecast(path, np.minimum(lower, path), upper, chosen)


def spread(path: Floats, shown: Evidence, calibrated: Calibration) -> Floats:
    """What errors are measured in: it grows with the work still expected and with the region's own errors."""
    unrest = _own_errors(shown, calibrated, MODEL, _PRIOR_OF_WIDTH) ** _WIDENS
    work = np.sqrt(np.abs(path - shown.reached[:, None]) + _SPREAD_FLOOR)
    return np.asarray(work * unrest[:, None], dtype=np.float64)


def _chosen(shown: Evidence, calibrated: Calibration) -> NDArray[np.int64]:
    """The method with the smallest expected error; the baselines win a draw."""
    days = np.arange(1, len(shown.ahead) + 1)
    expected = [
        _own_errors(shown, calibrated, method, _PRIOR_OF_METHODS)[:, None] * calibrated.mae_at(method, days)[None]
        for method in METHODS[1:] + METHODS[:1]
    ]
    return np.asarray((np.argmin(np.stack(expected), axis=0) + 1) % len(METHODS), dtype=np.int64)


def _own_errors(shown: Evidence, calibrated: Calibration, method: str, prior: int) -> Floats:
    """How much larger a region's own errors were than the simulated campaigns': (regions,), 1 where nothing is known.

    Args:
        prior: so many own forecasts weigh as much as the simulated campaigns.
    """
    ratios = [errors[method] / calibrated.mae_at(method, ahead) for ahead, errors in shown.own]
    total = sum(ratios, np.full(len(shown.known), float(prior)))
    return np.asarray(total / (prior + len(ratios)), dtype=np.float64)


def _own(series: Series) -> Iterator[tuple[int, Mapping[str, Floats]]]:
    """Only origins whose next days have mostly arrived tell anything; they are held against ``reached`` tonight."""
    tonight = reached(series)
    for days in range(max(_LEAST_DAYS, series.days - _ORIGINS), series.days):
        before, ahead = series.as_of(days), series.days - days
        if (ahead > WEEK and days % 2) or not before.known.any():
            continue
        yield ahead, {method: np.abs(path[:, -1] - tonight) for method, path in paths(before, ahead).items()}
