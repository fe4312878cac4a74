"""What the forecast is worth, as figures: the committed back-test (``data/forecast_proof.csv``) and its words."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from regsosek.errors import ConfigurationError
from regsosek.geography.reference_table import read_table
from regsosek.simulation.proof.backtest import (
    END,
    PROVED_ON,
    TUNED_ON,
    CampaignNight,
    Proof,
    calibrate,
    nights,
    prove,
    prove_left_out,
)
from regsosek.simulation.proof.counts import shapes
from regsosek.statistics.forecast.candidates import LAST_WEEK, LINEAR, METHODS, MODEL
from regsosek.statistics.forecast.choice import (
    AHEAD,
    COLUMNS,
    ERRORS,
    GONE,
    HORIZONS,
    INTERVAL_COLUMNS,
    INTERVALS,
    Calibration,
)
from regsosek.wording import markdown

PROOF = Path(__file__).parents[1] / "data" / "forecast_proof.csv"
PAGE = Path("docs/statistics.md")
ALL, DATE = "all", "date"
# What a shape was forecast with: what was tuned on all the others, or what is committed, which knows the shape.
OTHERS, COMMITTED = "others", "committed"
BEGIN, FINISH = "<!-- forecast figures: written by `regsosek forecast backtest` -->", "<!-- end of forecast figures -->"
_FIELDS = (
    "tuned_on", "shape", "horizon", "forecasts", "coverage", "width", "mae", *(f"mae_{m}" for m in METHODS), "skill",
    "model_used", "has_latest",
)  # fmt: skip
_SHOWN = ("1", "3", "7", "14", str(END))
_BASELINES = (f"error_{LINEAR}", f"error_{LAST_WEEK}")


def write_backtest() -> None:
    """Tunes the forecast anew, proves it on other campaigns, and writes its files; some minutes."""
    tuned, told = nights(TUNED_ON), nights(PROVED_ON)
    calibrated = calibrate(tuned)
    ERRORS.write_text(errors_text(calibrated), encoding="utf-8")
    INTERVALS.write_text(intervals_text(calibrated), encoding="utf-8")
    PROOF.write_text(_text(_FIELDS, _both(tuned, told, calibrated)), encoding="utf-8")


def _both(
    tuned: Sequence[CampaignNight], told: Sequence[CampaignNight], calibrated: Calibration
) -> Iterator[list[str]]:
    proofs = {OTHERS: prove_left_out(tuned, told), COMMITTED: prove(calibrated, told)}
    return ([tuned_on, *row] for tuned_on, proof in proofs.items() for row in proof_rows(proof))


def errors_text(calibrated: Calibration) -> str:
    """The errors as the committed file has them."""
    rows = ([str(h), *(f"{calibrated.mae[m][place]:.6f}" for m in METHODS)] for place, h in enumerate(HORIZONS))
    return _text(COLUMNS, rows)


def intervals_text(calibrated: Calibration) -> str:
    """The intervals as the committed file has them."""
    rows = (
        [str(gone), str(ahead), *(f"{ends[row, column]:.6f}" for ends in (calibrated.lower, calibrated.upper))]
        for row, gone in enumerate(GONE)
        for column, ahead in enumerate(AHEAD)
    )
    return _text(INTERVAL_COLUMNS, rows)


def proof_rows(proof: Proof) -> Iterator[list[str]]:
    """One row per shape and horizon, and of all; in percentage points."""
    for name in (ALL, *shapes()):
        own, dates = (f if name == ALL else f[f["shape"] == name] for f in (proof.forecasts, proof.dates))
        for horizon in (ALL, END, *HORIZONS):
            of_horizon = own if horizon == ALL else own[own["horizon"] == horizon]
            if len(of_horizon):
                yield [name, str(horizon), *_measured(of_horizon), ""]
        if len(dates):
            held = [f"{dates['covered'].mean():.4f}", *[""] * (len(_FIELDS) - 6), f"{dates['has_latest'].mean():.4f}"]
            yield [name, DATE, str(len(dates)), *held]


def skill(forecasts: pd.DataFrame) -> float:
    """1 - mean absolute error / that of the better baseline over all these forecasts."""
    return float(1 - forecasts["error"].mean() / forecasts[list(_BASELINES)].mean().min())


def documents(root: Path) -> dict[Path, str]:
    """The page with its figures brought up to date, by its path below ``root``.

    Raises:
        ConfigurationError: the page lacks the marks between which they stand.
    """
    page = (root / PAGE).read_text(encoding="utf-8")
    if BEGIN not in page or FINISH not in page:
        raise ConfigurationError(f"{PAGE}: lacks the lines {BEGIN} and {FINISH}; put them back")
    before, after = page.partition(BEGIN)[0], page.partition(FINISH)[2]
    return {root / PAGE: f"{before}{BEGIN}\n\n{_figures()}\n{FINISH}{after}"}


def _measured(of: pd.DataFrame) -> list[str]:
    errors = [of["width"], of["error"], *(of[f"error_{method}"] for method in METHODS)]
    means = [f"{100 * error.mean():.3f}" for error in errors]
    used = f"{(of['used'] == MODEL).mean():.4f}"
    return [str(len(of)), f"{of['covered'].mean():.4f}", *means, f"{skill(of):.4f}", used]


def _figures() -> str:
    rows = {(row["tuned_on"], row["shape"], row["horizon"]): row for row in read_table(PROOF, _FIELDS)}
    values = {
        "campaigns": len(PROVED_ON),
        "shapes": len(shapes()),
        "lines": (ALL, *shapes()),
        "all": ALL,
        "others": lambda shape, horizon: rows[OTHERS, shape, horizon],
        "whole": rows[OTHERS, ALL, ALL],
        "committed": rows[COMMITTED, ALL, ALL],
        "dates": rows[OTHERS, ALL, DATE],
        "held": [float(rows[OTHERS, name, ALL]["coverage"]) for name in shapes()],
        "ends": [float(rows[OTHERS, name, str(END)]["coverage"]) for name in shapes()],
        "horizons": _SHOWN,
        "last": str(END),
        "mean": lambda shares: sum(shares) / len(shares),
        "percent": _percent,
        "points": _points,
    }
    return markdown.regions(__file__, values)["figures"]()


def _percent(share: str | float) -> str:
    return f"{100 * float(share):.0f} %"


def _points(number: str) -> str:
    return f"{float(number):.1f}"


def _text(header: tuple[str, ...], rows: Iterator[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
