"""What is known of each kind of condition stands beside its name: a rank, and what offices and operators read of it."""

from pathlib import Path

import pytest

from regsosek.alerts.conditions.alert_pages import documents
from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.kinds import KINDS, kind_traits, rank
from regsosek.errors import ConfigurationError
from regsosek.settings import PROJECT_ROOT


def edited(place: Path, old: str, new: str) -> Path:
    """The file with one text replaced."""
    own, text = place / "kinds.toml", KINDS.read_text(encoding="utf-8")
    assert old in text
    own.write_text(text.replace(old, new, 1), encoding="utf-8")
    return own


def test_the_rank_is_what_the_table_says_wherever_it_stands() -> None:
    assert [rank(kind) for kind in kind_traits()] == list(range(1, len(Kind) + 1))
    assert rank(Kind.NO_DATA) < rank(Kind.QUALITY) < rank(Kind.APPOINTMENT)


def test_kinds_come_in_the_order_of_their_ranks(tmp_path: Path) -> None:
    first, *_, last = kind_traits(edited(tmp_path, "rank = 1\n", "rank = 99\n"))
    assert (first, last) == (Kind.ZERO, Kind.NO_DATA)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[BEHIND]", "[LATE]", "LATE"),
        ("rank = 7", "rank = 6", "rank 6 stands twice; give each kind a rank of its own"),
        ("hour = 18", "hour = 24", "NO_DATA.deadline.hour"),
        ("days = 1,", "days = 0,", "NO_DATA.deadline: .*either days or days_before_free_day"),
        ('runbook = "quality"\n', "", "QUALITY.runbook"),
        ('silences = ["ZERO"]', 'silences = ["NOBODY"]', "NO_DATA.silences"),
        ("[BEHIND]", "[BEHIND", "TOML"),
    ],
)
def test_a_malformed_table_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"kinds\.toml.*{said}"):
        kind_traits(edited(tmp_path, old, new))


def test_a_kind_without_a_table_is_refused_with_what_to_write(tmp_path: Path) -> None:
    text = KINDS.read_text(encoding="utf-8")
    (tmp_path / "kinds.toml").write_text(text[: text.index("[PIPELINE_FAULT]")], encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no table of PIPELINE_FAULT; write rank, runbook, portal and rows"):
        kind_traits(tmp_path / "kinds.toml")


def test_the_page_has_the_thresholds_in_force() -> None:
    page = documents(PROJECT_ROOT)[PROJECT_ROOT / "docs/alerts.md"]
    assert "silent for 3 nights and its usual delay" in page
    assert "{" not in page[page.index("| kind |") : page.index("<!-- end -->")]
