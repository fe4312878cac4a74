"""Where a province's kab/kota are going: three candidates for how their families grow from tonight on.

All figures are shares of a region's denominator, arrays of shape (regions, days); never cut off at the whole, but the
baselines stop there, or they would be beaten too easily. The model counts with what is still to arrive, goes on at the
pace of the last two weeks with its trend dying away, and bends towards what the window's end asks for: campaigns were
seen to hurry. Constants were tuned on simulated campaigns (``simulation/proof/backtest.py``), and proved on others.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MODEL, LINEAR, LAST_WEEK = METHODS = ("model", "linear", "seven_days")
WEEK = 7
_SATURDAY = 5
_NOTHING = 1e-9
# So many times what is left is more work than there is: the rest of it would not be a number any more.
_ALL_DONE = 700.0
# What is assumed where a campaign has not shown it yet: how many documents wait one more day, how busy weekends are,
# and how many weekend days that assumption weighs as much as.
_USUALLY_WAIT, _USUAL_WEEKEND, _WEEKEND_DAYS = 0.3, 1.4, 2
_PACE_DAYS, _PACE_FADES = 14, 0.95
_TREND_LASTS, _TREND_AT_MOST, _TREND_OF_PROVINCE, _TREND_FLOOR = 0.9, 0.08, 0.3, 0.003
_HURRY, _EASE = 0.6, 0.1  # how far work gives in to what the end of the window asks for, if that is more, or less
_END = 1.0


@dataclass(frozen=True)
class Series:
    """What is known of a province's regions as of a night.

    Attributes:
        known: families by region, day of enumeration and night of arrival, shape (regions, days, days): the opening day
            first, tonight last.
        families: the denominator of each region, over 0, shape (regions,).
        first_weekday: of the opening day, 0 is Monday.
        length: days of the window as they are known tonight.
    """

    known: Integers
    families: Floats
    first_weekday: int
    length: int

    @property
    def days(self) -> int:
        """Days from the opening day to tonight."""
        return int(self.known.shape[1])

    @property
    def by_day(self) -> Floats:
        """Shares by region and day, as far as they have arrived."""
        return np.asarray(self.known.sum(axis=2) / self.families[:, None], dtype=np.float64)

    def as_of(self, days: int) -> Self:
        """What was known after the first ``days`` nights."""
        return replace(self, known=self.known[:, :days, :days])

    def is_weekend(self, horizon: int = 0) -> NDArray[np.bool_]:
        """Of the days up to tonight, or of the ``horizon`` days after it."""
        days = np.arange(self.days) if not horizon else self.days + np.arange(horizon)
        return np.asarray((self.first_weekday + days) % WEEK >= _SATURDAY, dtype=np.bool_)


def paths(series: Series, horizon: int, *, workforce: Floats | None = None) -> dict[str, Floats]:
    """The share reached by the end of each of the ``horizon`` days after tonight, by method: (regions, horizon).

    Args:
        series: what is known.
        horizon: days ahead, at least 1.
        workforce: by what the model's daily work is multiplied, by region; none means as it is.
    """
    shares = series.by_day
    known, ahead = shares.sum(axis=1), np.arange(1, horizon + 1)
    whole = np.maximum(1.0, known)[:, None]
    paces = {LINEAR: known / series.days, LAST_WEEK: shares[:, -WEEK:].mean(axis=1)}
    straight = {name: np.minimum(known[:, None] + pace[:, None] * ahead, whole) for name, pace in paces.items()}
    return {MODEL: _model(series, horizon, workforce), **straight}


def arrived(series: Series) -> Floats:
    """The share of each day's families that has arrived by tonight, by what the province's nights have shown: (days,).

    A chain of ratios over days that were delivered from their own night on, which a first delivery of a whole week
    is not.
    """
    pooled = series.known.sum(axis=0).astype(np.float64)
    days, delivered = len(pooled), np.flatnonzero(pooled.sum(axis=0))
    if not len(delivered):
        return np.ones(days)
    by_lag = np.zeros((days, days))
    for day in range(days):
        by_lag[day, : days - day] = pooled[day, day:]
    so_far, few = by_lag.cumsum(axis=1), pooled.sum() / days * 0.02
    grows = np.ones(days)
    for lag in range(days - 1):
        seen = slice(int(delivered[0]), days - lag - 1)
        usual = 1 - _USUALLY_WAIT ** np.array([lag + 1, lag + 2])
        before, after = (so_far[seen, lag + n].sum() + few * usual[n] for n in (0, 1))
        grows[lag] = after / before
    return np.asarray((1 / np.cumprod(grows[::-1])), dtype=np.float64)


def reached(series: Series) -> Floats:
    """The share that is enumerated by tonight, with what is still to arrive: (regions,)."""
    return np.asarray(_enumerated(series).sum(axis=1), dtype=np.float64)


def _enumerated(series: Series) -> Floats:
    """By region and day, with what is still to arrive; at most fourfold, for a silent night says nothing."""
    return np.asarray(series.by_day / np.maximum(arrived(series), 0.25), dtype=np.float64)


def _model(series: Series, horizon: int, workforce: Floats | None) -> Floats:
    enumerated = _enumerated(series)
    weekend = _weekend(series, enumerated)
    usual = enumerated / np.where(series.is_weekend(), weekend, 1.0)
    pace, trend = _pace(usual), _trend(usual)
    busy = np.where(series.is_weekend(horizon), weekend, 1.0)
    cumulative = enumerated.sum(axis=1)
    end = np.maximum(_END, cumulative + 0.01)
    factor = np.ones_like(pace) if workforce is None else workforce
    found = np.zeros((len(pace), horizon))
    for ahead in range(horizon):
        left = np.maximum(end - cumulative, _NOTHING)
        pace = pace * np.exp(trend * _TREND_LASTS**ahead)
        work = _hurried(pace * busy[ahead], left, busy, ahead, series.length - series.days) * factor
        cumulative = cumulative + left * (1 - np.exp(-np.minimum(work, _ALL_DONE * left) / left))
        found[:, ahead] = cumulative
    return found


def _pace(usual: Floats) -> Floats:
    latest = usual[:, -_PACE_DAYS:]
    weights = _PACE_FADES ** np.arange(latest.shape[1])[::-1]
    return np.asarray((latest * weights).sum(axis=1) / weights.sum(), dtype=np.float64)


def _trend(usual: Floats) -> Floats:
    """Growth of the pace per day, last week against the one before, drawn towards the province's; logarithms."""
    if usual.shape[1] < WEEK + 3:
        return np.zeros(len(usual))
    last, before = usual[:, -WEEK:].mean(axis=1), usual[:, -2 * WEEK : -WEEK].mean(axis=1)
    own = np.log((last + _TREND_FLOOR) / (before + _TREND_FLOOR)) / WEEK
    drawn = _TREND_OF_PROVINCE * own.mean() + (1 - _TREND_OF_PROVINCE) * own
    return np.asarray(np.clip(drawn, -_TREND_AT_MOST, _TREND_AT_MOST), dtype=np.float64)


def _hurried(natural: Floats, left: Floats, busy: Floats, ahead: int, window: int) -> Floats:
    """The day's work between what the pace gives and what the end of the window asks for; after it, the pace alone."""
    if ahead >= window:
        return natural
    asked = left * busy[ahead] / (busy[ahead:window].sum() + max(0, window - len(busy)))
    gives_in = np.where(asked > natural, _HURRY, _EASE)
    return np.asarray(np.maximum(natural, _NOTHING) ** (1 - gives_in) * asked**gives_in, dtype=np.float64)


def _weekend(series: Series, enumerated: Floats) -> float:
    """How much more is done on a day of a weekend, by all regions together, drawn towards what is usual."""
    weekend, pooled = series.is_weekend(), enumerated.sum(axis=0)
    if weekend.all() or not weekend.any():
        return _USUAL_WEEKEND
    seen = max(pooled[weekend].mean(), _NOTHING) / max(pooled[~weekend].mean(), _NOTHING)
    number = int(weekend.sum())
    logarithm = (np.log(seen) * number + np.log(_USUAL_WEEKEND) * _WEEKEND_DAYS) / (number + _WEEKEND_DAYS)
    return float(np.clip(np.exp(logarithm), 0.5, 5))
