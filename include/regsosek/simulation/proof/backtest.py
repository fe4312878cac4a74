"""The forecast held against simulated campaigns of different shapes: from many nights, at many horizons."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from regsosek.simulation.proof.counts import DAYS, Counts, province_counts, shapes
from regsosek.statistics.forecast.candidates import METHODS, Floats, Series
from regsosek.statistics.forecast.choice import (
    AHEAD,
    GONE,
    HORIZONS,
    Calibration,
    Evidence,
    believed,
    evidence,
    first_day,
    spread,
)

TUNED_ON = range(0, 8)
PROVED_ON = range(1_000, 1_008)
END = 0  # the horizon that is the end of the window, whatever the day
# Nominally 82 %: with ends between the nodes of the table, four of five are held.
_QUANTILES = (0.09, 0.91)


@dataclass(frozen=True)
class CampaignNight:
    """A night of a simulated campaign: what its regions showed, and the share that each reached by day after it."""

    shape: str
    days: int
    shown: Evidence
    truth: Floats


def series_of(counts: Counts, days: int) -> Series:
    """What was known of a campaign after its first ``days`` nights."""
    known = counts.known[:, :days, :days]
    return Series(known, counts.families.astype(np.float64), counts.first_weekday, DAYS)


def nights(seeds: Iterable[int], names: Iterable[str] | None = None) -> list[CampaignNight]:
    """Every night that is forecast from, of the campaigns of ``seeds``."""
    return [
        night for name in names or shapes() for seed in seeds for night in _nights(name, province_counts(name, seed))
    ]


def _nights(name: str, counts: Counts) -> Iterator[CampaignNight]:
    reached = counts.done.cumsum(axis=1) / counts.families[:, None]
    for days in range(first_day(DAYS), DAYS):
        if counts.known[:, :days, :days].any():
            yield CampaignNight(name, days, evidence(series_of(counts, days), DAYS - days), reached[:, days:])


def calibrate(told: Sequence[CampaignNight]) -> Calibration:
    """Errors on these nights: first of each method, then of what is chosen by them."""
    flat = np.zeros((len(GONE), len(AHEAD)))
    unspread = Calibration(_errors_by_method(told), flat, flat)
    lower, upper = _ends(told, unspread)
    return replace(unspread, lower=lower, upper=upper)


def _errors_by_method(told: Sequence[CampaignNight]) -> dict[str, Floats]:
    total, number = {method: np.zeros(DAYS) for method in METHODS}, np.zeros(DAYS)
    for night in told:
        horizon = night.truth.shape[1]
        number[:horizon] += len(night.truth)
        for method, path in night.shown.candidates.items():
            total[method][:horizon] += np.abs(path - night.truth).sum(axis=0)
    places = np.array(HORIZONS) - 1
    return {method: errors[places] / number[places] for method, errors in total.items()}


def _ends(told: Sequence[CampaignNight], unspread: Calibration) -> tuple[Floats, Floats]:
    """Quantiles of the errors around each node, in units of ``spread``; a node without any is drawn from its next."""
    found: dict[tuple[int, int], list[Floats]] = {}
    for night in told:
        path = believed(night.shown, unspread).path
        errors = (night.truth - path) / spread(path, night.shown, unspread)
        row = _nearest(GONE, night.shown.gone)
        for day, ahead in enumerate(night.shown.ahead):
            found.setdefault((row, _nearest(AHEAD, ahead)), []).append(errors[:, day])
    known = {node: np.quantile(np.concatenate(errors), _QUANTILES) for node, errors in found.items()}
    lower, upper = (np.array([_row(known, row, end) for row in range(len(GONE))]) for end in (0, 1))
    return lower, upper


def _nearest(nodes: Sequence[int], value: float) -> int:
    return int(np.abs(np.array(nodes) - value).argmin())


def _row(known: dict[tuple[int, int], Floats], row: int, end: int) -> Floats:
    own = {AHEAD[column]: ends[end] for (at, column), ends in sorted(known.items()) if at == row}
    return np.interp(AHEAD, list(own), list(own.values())) if own else np.zeros(len(AHEAD))


@dataclass(frozen=True)
class Proof:
    """One row per forecast: ``shape, days, horizon`` (END: the window's end), ``used``, errors, ``covered``, ``width``.

    ``dates``: one row per region and night that was not done yet: whether the day on which it was done, or that it was
    not done in the window, lies in the interval, and whether that has a latest day.
    """

    forecasts: pd.DataFrame
    dates: pd.DataFrame


def prove(calibrated: Calibration, told: Sequence[CampaignNight]) -> Proof:
    """The forecasts of these nights held against what came."""
    found = [_proof(calibrated, night) for night in told]
    marks = [{"shape": night.shape, "days": night.days} for night in told]
    forecasts, dates = (
        pd.concat([each.assign(**mark) for each, mark in zip(part, marks, strict=True)], ignore_index=True)
        for part in zip(*found, strict=True)
    )
    return Proof(forecasts, dates)


def prove_left_out(tuned: Sequence[CampaignNight], told: Sequence[CampaignNight]) -> Proof:
    """The nights of each shape, forecast with what was tuned on all the other shapes."""
    proofs = [
        prove(calibrate([night for night in tuned if night.shape != name]), [n for n in told if n.shape == name])
        for name in dict.fromkeys(night.shape for night in told)
    ]
    whole = (
        pd.concat([getattr(proof, part) for proof in proofs], ignore_index=True) for part in ("forecasts", "dates")
    )
    return Proof(*whole)


def _proof(calibrated: Calibration, night: CampaignNight) -> tuple[pd.DataFrame, pd.DataFrame]:
    truth, horizon, said = night.truth, night.truth.shape[1], believed(night.shown, calibrated)
    asked = [*((h, h) for h in HORIZONS if h < horizon), (horizon, END)]
    at = np.array([ahead for ahead, _ in asked]) - 1
    shown = {
        "used": np.array(METHODS)[said.method], "error": np.abs(said.path - truth), "width": said.upper - said.lower,
        "covered": (truth >= said.lower) & (truth <= said.upper),
        **{f"error_{method}": np.abs(path - truth) for method, path in night.shown.candidates.items()},
    }  # fmt: skip
    labels = np.repeat([label for _, label in asked], len(truth))
    rows = pd.DataFrame({"horizon": labels, **{name: each[:, at].ravel("F") for name, each in shown.items()}})
    return rows, _dates(truth, said.lower, said.upper)[night.shown.known < 1]


def _dates(truth: Floats, lower: Floats, upper: Floats) -> pd.DataFrame:
    first = [np.where((each >= 1).any(axis=1), (each >= 1).argmax(axis=1), DAYS) for each in (upper, truth, lower)]
    held = (first[0] <= first[1]) & (first[1] <= first[2])
    return pd.DataFrame({"covered": held, "has_latest": first[2] < DAYS})
