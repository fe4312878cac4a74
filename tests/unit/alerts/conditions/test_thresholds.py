"""The thresholds are data: what is malformed is named."""

from pathlib import Path

import pytest

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.thresholds import THRESHOLDS, thresholds
from regsosek.alerts.sentences.texts import words_of
from regsosek.errors import ConfigurationError


def test_every_kind_that_asks_for_action_has_a_deadline_and_every_kind_its_words() -> None:
    told = set(Kind) - {Kind.PIPELINE_FAULT}
    assert set(thresholds().deadline) == told
    for words in map(words_of, ("id", "en")):
        assert all(words.kind(kind).who.keys() == {"provinsi", "kabkota", "below"} for kind in told)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("kabkota_families = 200", "kabkota_families = 0", "behind.kabkota_families"),
        ("kabkota_families = 200", "kabkota = 200", "behind.kabkota"),
        ("kabkota = 10", "kabkota = 11", "lengths.kabkota"),
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
