"""The forecast held against simulated campaigns of different shapes: from many nights, at many horizons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from regsosek.simulation.counts import DAYS, Counts, province_counts, shapes
from regsosek.statistics.forecast import METHODS, Floats, Series, paths, reached
from regsosek.statistics.forecast_choice import (
    HORIZONS,
    LEAST_DAYS,
    Calibration,
    forecast,
    spread,
)

TUNED_ON = range(0, 24)
PROVED_ON = range(1_000, 1_024)
END = 0  # the horizon that is the end of the window, whatever the day
_AROUND, _AROUND_LAST = 1, 2
# Nominally 78 %: what is known already is a floor of every interval, and makes them hold the rest of 80.
_QUANTILES = (0.11, 0.89)


def series_of(counts: Counts, days: int) -> Series:
    """What was known of a campaign after its first ``days`` nights."""
    known = counts.known[:, :days, :days]
    return Series(known, counts.families.astype(np.float64), counts.first_weekday, DAYS)


def calibrate(seeds: Iterable[int] = TUNED_ON, names: Sequence[str] | None = None) -> Calibration:
    """Errors on the campaigns of ``seeds``: first of each method, then of what is chosen by them."""
    campaigns = [province_counts(name, seed) for name in names or shapes() for seed in seeds]
    nights = [(counts, days) for counts in campaigns for days in range(LEAST_DAYS, DAYS) if _known(counts, days)]
    mae = _errors_by_method(nights)
    flat = np.zeros(len(HORIZONS))
    return _with_intervals(nights, Calibration(mae, flat, flat, flat, flat))


def _known(counts: Counts, days: int) -> bool:
    return bool(counts.known[:, :days, :days].any())


def _truth(counts: Counts, days: int) -> Floats:
    return np.asarray(counts.done.cumsum(axis=1)[:, days:] / counts.families[:, None], dtype=np.float64)


def _errors_by_method(nights: Sequence[tuple[Counts, int]]) -> dict[str, Floats]:
    total = {method: np.zeros(DAYS) for method in METHODS}
    number = np.zeros(DAYS)
    for counts, days in nights:
        truth = _truth(counts, days)
        number[: DAYS - days] += len(truth)
        for method, path in paths(series_of(counts, days), DAYS - days).items():
            total[method][: DAYS - days] += np.abs(path - truth).sum(axis=0)
    places = np.array(HORIZONS) - 1
    return {method: errors[places] / number[places] for method, errors in total.items()}


def _with_intervals(nights: Sequence[tuple[Counts, int]], unspread: Calibration) -> Calibration:
    """Quantiles of the errors of days around each horizon, in units of ``spread``; of last days apart."""
    found: dict[int, list[Floats]] = {horizon: [] for horizon in HORIZONS}
    last: dict[int, list[Floats]] = {horizon: [] for horizon in HORIZONS}
    for counts, days in nights:
        series, truth = series_of(counts, days), _truth(counts, days)
        believed = forecast(series, DAYS - days, unspread)
        errors = (truth - believed.path) / spread(believed.path, reached(series), unspread)
        for horizon in HORIZONS:
            found[horizon].append(errors[:, max(0, horizon - 1 - _AROUND) : horizon + _AROUND].ravel())
            if abs(DAYS - days - horizon) <= _AROUND_LAST:
                last[horizon].append(errors[:, -1])
    return Calibration(unspread.mae, *_quantiles(found), *_quantiles(last))


def _quantiles(errors: Mapping[int, Sequence[Floats]]) -> Iterator[Floats]:
    for end in _QUANTILES:
        yield np.array([np.quantile(np.concatenate(errors[horizon]), end) for horizon in HORIZONS])


@dataclass(frozen=True)
class Proof:
    """One row per forecast: ``shape, days, horizon`` (END: the window's end), ``used``, errors and ``covered``.

    ``dates``: one row per region and night that was not done yet: whether the day on which it was done, or that it was
    not done in the window, lies in the interval.
    """

    forecasts: pd.DataFrame
    dates: pd.DataFrame


def prove(calibrated: Calibration, seeds: Iterable[int] = PROVED_ON, names: Sequence[str] | None = None) -> Proof:
    """Forecasts of campaigns that nothing was tuned on, from every night."""
    rows, dates = [], []
    for name in names or shapes():
        for seed in seeds:
            counts = province_counts(name, seed)
            for days in range(LEAST_DAYS, DAYS):
                if _known(counts, days):
                    of_night, of_dates = _proof(calibrated, counts, days)
                    rows.append(of_night.assign(shape=name, days=days))
                    dates.append(of_dates.assign(shape=name, days=days))
    return Proof(pd.concat(rows, ignore_index=True), pd.concat(dates, ignore_index=True))


def _proof(calibrated: Calibration, counts: Counts, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    series, truth, horizon = series_of(counts, days), _truth(counts, days), DAYS - days
    believed, candidates = forecast(series, horizon, calibrated), paths(series, horizon)
    rows = []
    for ahead, label in [*((h, h) for h in HORIZONS if h < horizon), (horizon, END)]:
        place = ahead - 1
        ends = (believed.end_lower, believed.end_upper) if label == END else (believed.lower, believed.upper)
        held = (truth[:, place] >= ends[0][:, place]) & (truth[:, place] <= ends[1][:, place])
        errors = {f"error_{m}": np.abs(candidates[m][:, place] - truth[:, place]) for m in METHODS}
        used = {"used": np.array(METHODS)[believed.method[:, place]], "covered": held}
        error = np.abs(believed.path[:, place] - truth[:, place])
        rows.append(pd.DataFrame({"horizon": label, **used, "error": error, **errors}))
    return pd.concat(rows, ignore_index=True), _dates(truth, believed.lower, believed.upper, believed.known)


def _dates(truth: Floats, lower: Floats, upper: Floats, known: Floats) -> pd.DataFrame:
    first = [np.where((each >= 1).any(axis=1), (each >= 1).argmax(axis=1), DAYS) for each in (upper, truth, lower)]
    held = (first[0] <= first[1]) & (first[1] <= first[2])
    return pd.DataFrame({"covered": held, "done": first[1] < DAYS})[known < 1]
