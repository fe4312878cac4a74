"""The short form of the soak (`make soak`): two nights under faults end as their twin without faults does."""

from pathlib import Path

import pytest

from soak.soak import soak

SEED = 7


@pytest.mark.timeout(900)
def test_two_nights_under_faults_end_as_undisturbed_ones(tmp_path: Path) -> None:
    report = soak(tmp_path / "stage", SEED, nights=2)
    assert report.why == "", str(report)
    assert report.nights == 2
    assert sum(report.faults.values()) > 0, "a soak without faults proves nothing"
