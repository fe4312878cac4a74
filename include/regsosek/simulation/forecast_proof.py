"""What the forecast is worth, as figures: the committed back-test (``data/forecast_proof.csv``) and its words."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from regsosek.errors import ConfigurationError
from regsosek.geography.reference_table import read_table
from regsosek.simulation.backtest import END, PROVED_ON, TUNED_ON, Proof, calibrate, prove
from regsosek.simulation.counts import shapes
from regsosek.statistics.forecast import LAST_WEEK, LINEAR, METHODS, MODEL
from regsosek.statistics.forecast_choice import COLUMNS, ERRORS, HORIZONS, Calibration

PROOF = Path(__file__).parent / "data" / "forecast_proof.csv"
PAGE = Path("docs/statistics.md")
ALL, DATE = "all", "date"
BEGIN, FINISH = "<!-- forecast figures: written by `regsosek forecast backtest` -->", "<!-- end of forecast figures -->"
_FIELDS = ("shape", "horizon", "forecasts", "coverage", "mae", *(f"mae_{m}" for m in METHODS), "skill", "model_used")
_SHOWN = ("1", "3", "7", "14", str(END))
_BASELINES = (f"error_{LINEAR}", f"error_{LAST_WEEK}")


def write_backtest() -> None:
    """Tunes the intervals anew, proves them on other campaigns, and writes both files; some forty seconds."""
    calibrated = calibrate(TUNED_ON)
    ERRORS.write_text(calibration_text(calibrated), encoding="utf-8")
    PROOF.write_text(_text(_FIELDS, proof_rows(prove(calibrated, PROVED_ON))), encoding="utf-8")


def calibration_text(calibrated: Calibration) -> str:
    """The errors as the committed file has them."""
    ends = (calibrated.lower, calibrated.upper, calibrated.end_lower, calibrated.end_upper)
    columns = (*(calibrated.mae[method] for method in METHODS), *ends)
    rows = ([str(h), *(f"{c[place]:.6f}" for c in columns)] for place, h in enumerate(HORIZONS))
    return _text(COLUMNS, rows)


def proof_rows(proof: Proof) -> Iterator[list[str]]:
    """One row per shape and horizon, and of all; in percentage points."""
    for name in (ALL, *shapes()):
        own, dates = (f if name == ALL else f[f["shape"] == name] for f in (proof.forecasts, proof.dates))
        for horizon in (ALL, END, *HORIZONS):
            of_horizon = own if horizon == ALL else own[own["horizon"] == horizon]
            if len(of_horizon):
                yield [name, str(horizon), *_measured(of_horizon)]
        yield [name, DATE, str(len(dates)), f"{dates['covered'].mean():.4f}", *[""] * (len(_FIELDS) - 4)]


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
    return {root / PAGE: before + "\n".join([BEGIN, *_figures(), FINISH]) + after}


def _measured(of: pd.DataFrame) -> list[str]:
    errors = [of["error"], *(of[f"error_{method}"] for method in METHODS)]
    means = [f"{100 * error.mean():.3f}" for error in errors]
    used = f"{(of['used'] == MODEL).mean():.4f}"
    return [str(len(of)), f"{of['covered'].mean():.4f}", *means, f"{skill(of):.4f}", used]


def _figures() -> Iterator[str]:
    rows = {(row["shape"], row["horizon"]): row for row in read_table(PROOF, _FIELDS)}
    whole, dates = rows[ALL, ALL], rows[ALL, DATE]
    yield ""
    yield (
        f"{int(whole['forecasts']):,} forecasts of {len(PROVED_ON)} campaigns of each of {len(shapes())} shapes, none "
        f"of which anything was tuned on: the 80 % intervals hold **{_percent(whole['coverage'])}**, the mean absolute "
        f"error is {_points(whole['mae'])} points (linear {_points(whole['mae_linear'])}, seven days "
        f"{_points(whole['mae_seven_days'])}), skill **{float(whole['skill']):.2f}**; the model was used in "
        f"{_percent(whole['model_used'])}. The interval of the day of completion held {_percent(dates['coverage'])} of "
        f"{int(dates['forecasts']):,}: a date is a rough thing, and *not in the window* is most often the right answer."
    )
    yield ""
    yield "Skill (1 - error / error of the better baseline) by days ahead, and coverage of all days ahead:"
    yield ""
    ahead = " | ".join("last day" if h == str(END) else f"{h} d" for h in _SHOWN)
    yield f"| shape | {ahead} | error, points | better baseline | coverage | coverage, last day |"
    yield f"|---|{'--:|' * (len(_SHOWN) + 4)}"
    for name in (ALL, *shapes()):
        skills = " | ".join(f"{float(rows[name, h]['skill']):.2f}" for h in _SHOWN)
        own = rows[name, ALL]
        baseline = min(own["mae_linear"], own["mae_seven_days"], key=float)
        errors = f"{_points(own['mae'])} | {_points(baseline)}"
        held = " | ".join(_percent(rows[name, horizon]["coverage"]) for horizon in (ALL, str(END)))
        yield f"| {name} | {skills} | {errors} | {held} |"
    yield ""


def _percent(share: str) -> str:
    return f"{100 * float(share):.0f} %"


def _points(number: str) -> str:
    return f"{float(number):.1f}"


def _text(header: tuple[str, ...], rows: Iterator[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
