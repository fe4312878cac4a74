"""How far field work is by the end of each day: a curve that all follow, published ones, and who is ahead or behind."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Floats, seeded
from regsosek.simulation.field.campaign import Campaign

_SATURDAY = 5
Points = Sequence[tuple[float, float]]


def schedule(campaign: Campaign, province: str, kabkota: str | None = None) -> Floats:
    """The share of its families that a province, or one of its kab/kota, has enumerated by the end of each day.

    A kab/kota with a curve of its own follows that; the others are ahead of or behind their province by a draw.
    """
    enumeration = campaign.behaviour.enumeration
    own = enumeration.curve.get(kabkota or province)
    if own is not None:
        return _followed(own, _busy(campaign, province))
    if kabkota is None:
        return _common(campaign, province)
    pace = _pace(campaign, "kabkota", kabkota, enumeration.kabkota_spread)
    return np.asarray(schedule(campaign, province) ** pace, dtype=np.float64)


def _common(campaign: Campaign, province: str) -> Floats:
    """The curve that all follow, stretched to the window, with the province's own pace and end."""
    enumeration, busy = campaign.behaviour.enumeration, _busy(campaign, province)
    stretch = len(busy) / enumeration.common[-1][0]
    shares = _followed([(day * stretch, share) for day, share in enumeration.common], busy)
    low, high = enumeration.reached
    chance = Draws(seeded(campaign.seed, "province", np.array([int(province)]))).uniform("reached")[0]
    reached = low + float(chance) * (high - low)
    pace = _pace(campaign, "province", province, enumeration.province_spread)
    return np.asarray(shares**pace * reached, dtype=np.float64)


def _pace(campaign: Campaign, kind: str, code: str, spread: float) -> float:
    """The power of the shares, over 1 behind and under 1 ahead; ``spread``: a standard deviation of its logarithm."""
    drawn = Draws(seeded(campaign.seed, kind, np.array([int(code)]))).normal("pace")[0]
    return float(np.exp(spread * drawn))


def _busy(campaign: Campaign, province: str) -> Floats:
    """How much more is done on each day of the window than on a weekday."""
    window, weight = campaign.windows[province], campaign.behaviour.enumeration.weekend_weight
    length = (window.closes - window.opens).days + 1
    dates = [window.opens + timedelta(days=day) for day in range(length)]
    return np.array([weight if day.weekday() >= _SATURDAY else 1.0 for day in dates])


def _followed(points: Points, busy: Floats) -> Floats:
    """Cumulative shares by day that meet ``points`` (day, share): between them the work goes by how busy days are."""
    days, shares = zip((0.0, 0.0), *points, strict=True)
    ends = np.arange(len(busy) + 1)
    done = np.diff(np.interp(ends, days, shares))
    stretch = np.searchsorted(days[1:], ends[1:])
    planned, weights = np.bincount(stretch, done), np.bincount(stretch, busy)
    return np.asarray(np.cumsum(planned[stretch] * busy / weights[stretch]), dtype=np.float64)
