"""The forecast held against campaigns that nothing was tuned on: a smaller back-test than the committed one."""

import csv

import numpy as np
import pytest

from regsosek.geography.reference_table import read_table
from regsosek.simulation.backtest import END, PROVED_ON, TUNED_ON, Proof, calibrate, prove
from regsosek.simulation.counts import DAYS, province_counts, shapes
from regsosek.simulation.forecast_proof import ALL, PROOF, calibration_text, skill
from regsosek.statistics.forecast import MODEL
from regsosek.statistics.forecast_choice import COLUMNS, ERRORS, calibration

SEEDS = range(5_000, 5_006)


@pytest.fixture(scope="module")
def proof() -> Proof:
    return prove(calibration(), SEEDS)


def committed() -> list[dict[str, str]]:
    with PROOF.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_intervals_hold_four_of_five_of_days_and_of_last_days(proof: Proof) -> None:
    covered = proof.forecasts["covered"]
    assert 0.75 <= covered.mean() <= 0.85
    assert 0.72 <= covered[proof.forecasts["horizon"] == END].mean() <= 0.88


def test_what_is_used_beats_the_better_baseline_at_every_horizon_and_is_no_worse_for_any_shape(proof: Proof) -> None:
    for horizon, own in proof.forecasts.groupby("horizon"):
        assert skill(own) > 0.3, horizon
    for shape, own in proof.forecasts.groupby("shape"):
        assert skill(own) > 0, shape


def test_tuning_and_proof_share_no_campaign_and_the_committed_figures_are_of_this_forecast(proof: Proof) -> None:
    assert not set(TUNED_ON) & set(PROVED_ON)
    of_all = committed()[0]
    assert proof.forecasts["covered"].mean() == pytest.approx(float(of_all["coverage"]), abs=0.05)
    assert skill(proof.forecasts) == pytest.approx(float(of_all["skill"]), abs=0.08)


def test_one_shape_gives_the_very_figures_that_were_committed() -> None:
    """A change of the model shows here at once; write the figures anew with `regsosek forecast backtest`."""
    found = prove(calibration(), PROVED_ON, ["steady"]).forecasts
    [row] = [row for row in committed() if (row["shape"], row["horizon"]) == ("steady", ALL)]
    assert (str(len(found)), f"{found['covered'].mean():.4f}", f"{skill(found):.4f}") == (
        row["forecasts"], row["coverage"], row["skill"],
    )  # fmt: skip


def test_the_committed_errors_are_written_as_they_are_read() -> None:
    assert calibration_text(calibration()) == ERRORS.read_text(encoding="utf-8")
    assert len(read_table(ERRORS, COLUMNS)) == len(calibration().lower)


def test_errors_of_fewer_campaigns_are_like_the_committed_ones() -> None:
    fewer = calibrate(range(3))
    assert fewer.mae[MODEL] == pytest.approx(calibration().mae[MODEL], rel=0.5)
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
    assert share["late-surge"][-1] - share["late-surge"][19] > 1.3 * (share["steady"][-1] - share["steady"][19])


def _mean_share(name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    campaigns = [province_counts(name, seed) for seed in range(10)]
    shares = [(c.done.cumsum(axis=1) / c.families[:, None]).mean(axis=0) for c in campaigns]
    return np.asarray(np.mean(shares, axis=0))
