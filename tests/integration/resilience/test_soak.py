"""The short form of the soak (`make soak`): three nights under faults end as their twin without faults does."""

from pathlib import Path

import pytest

from soak.soak import soak

SEED = 2173  # draws nine of the eleven kinds of faults and a restore


@pytest.mark.timeout(900)
def test_three_nights_under_faults_end_as_undisturbed_ones(tmp_path: Path) -> None:
    report = soak(tmp_path / "stage", SEED, nights=3)
    assert report.why == "", str(report)
    assert report.nights == 3
    assert len(report.faults) == 9, "a soak without faults proves nothing"
    assert report.operations["restore"] == 1
