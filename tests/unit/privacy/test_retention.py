"""The classes of retention as data."""

from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import field_windows
from regsosek.privacy.retention import lifecycle, rules

PACKAGED = (resources.files("regsosek.privacy") / "retention.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("identities,", "names,", "each of these classes once"),
        (",730,", ",two years,", "number of days"),
        (",730,", ",3,", "30 days at least"),
        ('store,"lifecycle', 'retention,"lifecycle', "cannot end it"),
    ],
    ids=["unknown class", "no number", "too short", "not ours"],
)
def test_a_table_that_would_end_the_wrong_thing_is_refused(tmp_path: Path, was: str, now: str, told: str) -> None:
    assert was in PACKAGED
    (tmp_path / "own.csv").write_text(PACKAGED.replace(was, now), encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=told):
        rules(tmp_path / "own.csv")


def test_a_term_after_the_operation_begins_when_the_window_closes() -> None:
    [identities] = [each for each in rules() if each.name == "identities"]
    window = field_windows()["64"]
    assert identities.before(window, date(2024, 10, 1)) is None
    assert identities.before(window, date(2025, 1, 1)) == date.max


def test_the_store_is_told_to_end_uploads_alone() -> None:
    [rule] = lifecycle(rules())["Rules"]
    assert (rule["Filter"], rule["Expiration"]) == ({"Prefix": "landing/"}, {"Days": 120})
