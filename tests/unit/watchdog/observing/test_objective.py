"""The objective: nights due against when they were first published."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from regsosek.geography.calendar import FieldWindow
from regsosek.watchdog.observing.objective import objective

WIB = ZoneInfo("Asia/Jakarta")
OPENS, CLOSES = date(2022, 10, 15), date(2022, 11, 14)
WINDOWS = {"64": FieldWindow("64", OPENS, CLOSES)}


def published(*, late: dict[int, int] | None = None, missing: tuple[int, ...] = ()) -> dict[date, datetime]:
    """Every night at 04:00 of the next morning, some ``late`` by minutes after 06:00, some not at all."""
    found = {}
    for n in range((CLOSES - OPENS).days + 1):
        due = datetime.combine(OPENS + timedelta(days=n + 1), datetime.min.time(), WIB) + timedelta(hours=6)
        if n not in missing:
            found[OPENS + timedelta(days=n)] = due + timedelta(minutes=(late or {}).get(n, -120))
    return found


def test_all_in_time() -> None:
    met = objective(published(), datetime(2022, 11, 15, 6, tzinfo=WIB), WINDOWS)
    assert (met.due, met.in_time, met.met) == (30, 30, True)
    assert met.words == "Published by 06:00 WIB: 30 of 30 nights (100.0 %) of the last 30, objective 99 %."


@pytest.mark.parametrize(("minute", "in_time"), [(0, 30), (1, 29)])
def test_six_sharp_is_in_time(minute: int, in_time: int) -> None:
    assert objective(published(late={20: minute}), datetime(2022, 11, 15, 12, tzinfo=WIB), WINDOWS).in_time == in_time


def test_a_missing_night_counts_and_is_named() -> None:
    found = objective(published(missing=(20,)), datetime(2022, 11, 15, 12, tzinfo=WIB), WINDOWS)
    assert (found.met, found.missed) == (False, (OPENS + timedelta(days=20),))
    assert "29 of 30 nights (96.7 %)" in found.words


def test_only_nights_whose_deadline_has_passed_count() -> None:
    before, after = (datetime(2022, 10, 18, 5, 59, tzinfo=WIB), datetime(2022, 10, 18, 6, tzinfo=WIB))
    assert [objective({}, now, WINDOWS).due for now in (before, after)] == [2, 3]


def test_without_a_field_window_nothing_is_due() -> None:
    none = objective({}, datetime(2026, 11, 15, 12, tzinfo=WIB), WINDOWS)
    assert (none.due, none.met) == (0, None)
    assert "no night was due" in none.words
