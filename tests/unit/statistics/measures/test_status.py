"""The rules of the status: a table that is read strictly, so that a slip of the pen changes no word silently."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.errors import ConfigurationError
from regsosek.statistics.measures.status import BEHIND, StatusInputs, behind_limit, read_rules, status_of, status_words

HEADER = (
    "status,only_when,from_day,to_day,above_window_percent,to_window_percent,percent_from,gap_below_points,"
    "below_percent_of_plan,source"
)


def written(path: Path, *lines: str) -> Path:
    file = path / "rules.csv"
    file.write_text("\n".join([HEADER, *lines]))
    return file


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["fine,,0,,,,,,,x"], "line 1: unknown status or condition"),
        (["done,tomorrow,0,,,,,,,x"], "line 1: unknown status or condition"),
        (["behind,,four,,,,,-10,,x", "on_plan,,0,,,,,,,"], "line 1: days are whole numbers"),
        (["behind,,4,,,,,-10,,x"], "the last line must fit always"),
        (["on_plan,,1,,,,,,,"], "the last line must fit always"),
        ([], "the last line must fit always"),
    ],
)
def test_faulty_rules_are_told(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_rules(written(tmp_path, *lines))


ORDER = ("far_behind", "behind", "below_plan", "on_plan", "done")


@given(st.integers(4, 60), st.integers(1, 150), st.integers(1, 150), st.integers(0, 100))
def test_who_has_more_never_has_a_worse_word(day: int, one: int, other: int, planned: int) -> None:
    less, more = sorted((one, other))
    elapsed = day * 100 / 31
    words = [ORDER.index(status_of(StatusInputs(day, elapsed, 1, each, each - planned))) for each in (less, more)]
    assert words == sorted(words)


@given(st.integers(4, 60), st.integers(1, 100), st.integers(1, 100))
def test_the_limit_is_the_gap_beyond_which_a_region_is_called_behind(day: int, reached: int, planned: int) -> None:
    """It stands beside the word of who is below plan, so that nobody need guess how near behind is."""
    elapsed, gap = day * 100 / 31, reached - planned
    limit = behind_limit(day, elapsed, planned)
    behind = status_of(StatusInputs(day, elapsed, 1, reached, gap)) in BEHIND
    assert behind is (gap < limit - 1e-9 and reached < 100)


def test_the_limit_follows_day_and_plan() -> None:
    days = ((12, 48), (8, 20), (28, 90), (33, 100))
    told = [round(behind_limit(day, day * 100 / 31, planned), 1) for day, planned in days]
    assert told == [-15, -8, -10, -5]


def test_every_status_has_words_in_both_languages() -> None:
    assert all(w.label.id and w.label.en and w.meaning.id and w.meaning.en for w in status_words().values())
