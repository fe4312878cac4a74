"""The forecast held against simulated campaigns: what is promised of shapes that it was not tuned on."""

import csv
import re

import numpy as np
import pytest

from regsosek.geography.reference_table import read_table
from regsosek.release.site import language
from regsosek.simulation.proof.backtest import (
    END,
    PROVED_ON,
    TUNED_ON,
    CampaignNight,
    calibrate,
    nights,
    prove,
    prove_left_out,
)
from regsosek.simulation.proof.counts import DAYS, province_counts, shapes
from regsosek.simulation.proof.forecast_proof import (
    ALL,
    COMMITTED,
    OTHERS,
    PROOF,
    errors_text,
    intervals_text,
    skill,
)
from regsosek.statistics.forecast.candidates import MODEL
from regsosek.statistics.forecast.choice import COLUMNS, ERRORS, INTERVALS, calibration, first_day

Row = dict[str, str]


def committed(tuned_on: str, horizon: str = ALL) -> dict[str, Row]:
    """The rows of the committed proof by shape."""
    with PROOF.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["shape"]: row for row in rows if (row["tuned_on"], row["horizon"]) == (tuned_on, horizon)}


@pytest.fixture(scope="module")
def few() -> list[CampaignNight]:
    """Two campaigns of three shapes."""
    return nights(range(5_000, 5_002), ["steady", "flood", "late-s-curve"])


@pytest.mark.parametrize("horizon", [ALL, str(END)])
def test_intervals_hold_four_of_five_of_shapes_that_they_were_not_tuned_on_and_no_shape_is_lost(horizon: str) -> None:
    held = {shape: float(row["coverage"]) for shape, row in committed(OTHERS, horizon).items()}
    of_shapes = [held[shape] for shape in shapes()]
    assert 0.75 <= np.mean(of_shapes) <= 0.85
    assert min(of_shapes) >= 0.65


def test_what_is_used_beats_the_better_baseline_at_every_horizon_and_is_hardly_worse_for_any_shape() -> None:
    with PROOF.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["tuned_on"] == OTHERS and row["skill"]]
    assert all(float(row["skill"]) > 0.3 for row in rows if row["shape"] == ALL)
    assert all(float(row["skill"]) > -0.05 for row in rows if row["horizon"] == ALL)


def test_the_page_says_what_the_back_test_found() -> None:
    held = [float(row["coverage"]) for shape, row in committed(OTHERS).items() if shape in shapes()]
    figures = [str(len(held)), *(f"{100 * each:.0f}" for each in (np.mean(held), min(held), max(held)))]
    for each in language.LANGUAGES:
        assert re.findall(r"\d+", each.texts["forecast_intro"]) == ["80", *figures]


def test_tuning_and_proof_share_no_campaign_and_no_night_of_the_first_third() -> None:
    assert not set(TUNED_ON) & set(PROVED_ON)
    assert {night.days for night in nights([7], ["steady"])} == set(range(first_day(DAYS), DAYS))


def test_one_shape_gives_the_very_figures_that_were_committed() -> None:
    """A change of the model shows here at once; write the figures anew with `regsosek forecast backtest`."""
    found = prove(calibration(), nights(PROVED_ON, ["steady"])).forecasts
    row = committed(COMMITTED)["steady"]
    assert (str(len(found)), f"{found['covered'].mean():.4f}", f"{skill(found):.4f}") == (
        row["forecasts"], row["coverage"], row["skill"],
    )  # fmt: skip


def test_a_shape_that_is_left_out_is_forecast_with_what_the_others_taught(few: list[CampaignNight]) -> None:
    found = prove_left_out(few, few)
    own = [night for night in few if night.shape == "flood"]
    others = [night for night in few if night.shape != "flood"]
    expected = prove(calibrate(others), own)
    of_shape = found.forecasts[found.forecasts["shape"] == "flood"]
    assert of_shape["covered"].tolist() == expected.forecasts["covered"].tolist()
    assert set(found.dates["shape"]) == {"steady", "flood", "late-s-curve"}


def test_the_committed_tables_are_written_as_they_are_read() -> None:
    assert errors_text(calibration()) == ERRORS.read_text(encoding="utf-8")
    assert intervals_text(calibration()) == INTERVALS.read_text(encoding="utf-8")
    assert len(read_table(ERRORS, COLUMNS)) == len(calibration().mae[MODEL])


def test_errors_of_fewer_campaigns_are_like_the_committed_ones(few: list[CampaignNight]) -> None:
    fewer = calibrate(few)
    assert fewer.mae[MODEL] == pytest.approx(calibration().mae[MODEL], rel=0.7)
    assert np.all(fewer.lower < 0) and np.all(fewer.upper > 0)


@pytest.mark.parametrize("name", sorted(shapes()))
def test_a_campaign_depends_on_its_seed_alone_and_loses_no_document(name: str) -> None:
    counts = province_counts(name, 7)
    assert np.array_equal(counts.known, province_counts(name, 7).known)
    assert counts.done.shape == (12, DAYS)
    assert not counts.known[:, 5, :5].any()  # nothing arrives before it is enumerated


def test_shapes_differ_as_their_names_say() -> None:
    share = {name: _mean_share(name) for name in shapes()}
    assert share["slow-start"][9] < 0.7 * share["steady"][9]
    assert share["early-finish"][24] > 0.95 * share["early-finish"][-1]
    assert share["late-s-curve"][14] < 0.7 * share["s-curve"][14] < 0.7 * share["plateau"][14]
    assert share["steady"][14] < 0.85 * share["front-loaded"][14]
    assert share["broken-off"][19] == share["broken-off"][13]
    assert share["late-surge"][-1] - share["late-surge"][19] > 1.3 * (share["steady"][-1] - share["steady"][19])


def _mean_share(name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    campaigns = [province_counts(name, seed) for seed in range(10)]
    shares = [(c.done.cumsum(axis=1) / c.families[:, None]).mean(axis=0) for c in campaigns]
    return np.asarray(np.mean(shares, axis=0))
