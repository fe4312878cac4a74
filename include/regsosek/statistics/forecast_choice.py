"""Which candidate is believed, per region and horizon, and how far it may be off.

A region's own nights are forecast again from what was known then. Where the model was not better than the better
baseline there, weighed with how all did on simulated campaigns (``forecast_errors.csv``), that baseline is used. The
interval is of the errors that the chosen candidates made on those campaigns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regsosek.geography.reference_table import read_table
from regsosek.statistics.forecast import METHODS, MODEL, WEEK, Floats, Series, paths, reached

LEAST_DAYS = 5
HORIZONS = (1, 2, 3, 5, 7, 10, 14, 18, 22, 26)
ERRORS = Path(__file__).parent / "forecast_errors.csv"
COLUMNS = ("horizon", *(f"mae_{method}" for method in METHODS), "lower", "upper", "end_lower", "end_upper")
_ORIGINS = 10
_PRIOR_WEIGHT = 12  # so many own forecasts weigh as much as all simulated campaigns
_SPREAD_FLOOR = 0.02


@dataclass(frozen=True)
class Calibration:
    """Errors on simulated campaigns by :data:`HORIZONS`, straight lines between.

    ``mae`` by method in shares; ``lower`` and ``upper``: the interval's ends around the forecast, in units of
    :func:`spread`; ``end_lower`` and ``end_upper`` the same of the window's last day, so many days ahead.
    """

    mae: Mapping[str, Floats]
    lower: Floats
    upper: Floats
    end_lower: Floats
    end_upper: Floats

    def mae_at(self, horizons: NDArray[np.floating[Any] | np.integer[Any]]) -> dict[str, Floats]:
        """The mean absolute error of each method."""
        return {method: np.interp(horizons, HORIZONS, errors) for method, errors in self.mae.items()}


@dataclass(frozen=True)
class Forecast:
    """Shares by region and day ahead, shape (regions, horizon); ``method`` is an index into ``METHODS``.

    ``lower`` and ``upper`` end the interval that holds four of five of what a day reaches, ``end_lower`` and
    ``end_upper`` of what is reached if it is the window's last; ``known`` (regions,) is the floor of both.
    """

    path: Floats
    lower: Floats
    upper: Floats
    end_lower: Floats
    end_upper: Floats
    method: NDArray[np.int64]
    known: Floats


@cache
def calibration() -> Calibration:
    """The committed errors."""
    rows = read_table(ERRORS, COLUMNS)
    column = {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS}
    mae = {method: column[f"mae_{method}"] for method in METHODS}
    return Calibration(mae, *(column[name] for name in COLUMNS[-4:]))


def forecast(series: Series, horizon: int, calibrated: Calibration, *, workforce: Floats | None = None) -> Forecast:
    """The believed path of each region for ``horizon`` days after tonight, with its interval.

    With another ``workforce`` the model alone is asked, for no baseline knows what an officer adds.
    """
    candidates = paths(series, horizon, workforce=workforce)
    if workforce is None:
        chosen = _chosen(series, horizon, calibrated)
    else:
        chosen = np.zeros((len(series.families), horizon), dtype=np.int64)
    path = np.take_along_axis(np.stack([candidates[m] for m in METHODS]), chosen[None], axis=0)[0]
    known = series.by_day.sum(axis=1)
    # A count does not fall, though one day may be believed to another method than the next.
    path = np.maximum.accumulate(np.maximum(path, known[:, None]), axis=1)
    ahead, width = np.arange(1, horizon + 1), spread(path, reached(series), calibrated)
    ends = (calibrated.lower, calibrated.upper, calibrated.end_lower, calibrated.end_upper)
    floor = known[:, None]
    lower, upper, *of_end = (np.maximum(path + np.interp(ahead, HORIZONS, each) * width, floor) for each in ends)
    lower, upper = np.maximum.accumulate(lower, axis=1), np.maximum.accumulate(upper, axis=1)
    return Forecast(path, lower, upper, of_end[0], of_end[1], chosen, known)


def spread(path: Floats, tonight: Floats, calibrated: Calibration) -> Floats:
    """What errors are measured in: they grow with the days ahead and with the work that is still expected."""
    usual = calibrated.mae_at(np.arange(1, path.shape[1] + 1))[MODEL]
    return np.asarray(usual * np.sqrt(np.abs(path - tonight[:, None]) + _SPREAD_FLOOR), dtype=np.float64)


def _chosen(series: Series, horizon: int, calibrated: Calibration) -> NDArray[np.int64]:
    """The method with the smallest expected error; the baselines win a draw."""
    usual = calibrated.mae_at(np.arange(1, horizon + 1))
    own = _own_errors(series, calibrated)
    expected = np.stack([own[method][:, None] * usual[method][None] for method in METHODS[1:] + METHODS[:1]])
    return np.asarray((np.argmin(expected, axis=0) + 1) % len(METHODS), dtype=np.int64)


def _own_errors(series: Series, calibrated: Calibration) -> dict[str, Floats]:
    """How much larger a region's own errors were than the simulated campaigns': (regions,), 1 where nothing is known.

    Only origins whose next days have mostly arrived tell anything; ``reached`` tonight is what they are held against.
    """
    total = {method: np.full(len(series.families), float(_PRIOR_WEIGHT)) for method in METHODS}
    number, tonight = float(_PRIOR_WEIGHT), reached(series)
    for days in range(max(LEAST_DAYS, series.days - _ORIGINS), series.days):
        before = series.as_of(days)
        ahead = series.days - days
        if (ahead > WEEK and days % 2) or not before.known.any():
            continue
        number += 1
        usual = calibrated.mae_at(np.array([float(ahead)]))
        for method, path in paths(before, ahead).items():
            total[method] += np.abs(path[:, -1] - tonight) / usual[method]
    return {method: errors / number for method, errors in total.items()}
