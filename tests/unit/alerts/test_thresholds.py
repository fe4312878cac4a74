"""The thresholds are data: what is malformed is named."""

from pathlib import Path

import pytest

from regsosek.alerts.condition import Kind
from regsosek.alerts.conditions import KINDS
from regsosek.alerts.thresholds import THRESHOLDS, thresholds
from regsosek.alerts.wording import kind_texts
from regsosek.errors import ConfigurationError


def test_every_kind_that_asks_for_action_has_a_deadline_and_every_kind_its_words() -> None:
    assert set(thresholds().deadline) == set(Kind) - {Kind.PIPELINE_FAULT}
    assert set(kind_texts()) == set(KINDS)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("muted_days = 3", "muted_days = -1", "behind.muted_days"),
        ("muted_days = 3", "muted = 3", "behind.muted"),
        ("kabkota = 10", "kabkota = 11", "lengths.kabkota"),
        ("hour = 18", "hour = 24", "deadline.NO_DATA.hour"),
        ('HELD = ["ZERO", "NO_DATA"]', 'HELD = ["ZER0"]', "inhibition.HELD"),
        ("[behind]", "[behind", "TOML"),
    ],
)
def test_a_malformed_threshold_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    own = tmp_path / "thresholds.toml"
    own.write_text(THRESHOLDS.read_text().replace(old, new))
    with pytest.raises(ConfigurationError, match=named):
        thresholds(own)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        thresholds(tmp_path / "nowhere.toml")
