"""When something is sent: patience grows to a limit, and quiet hours are those of the recipient's clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.outbox.retry import QuietHours, allowed_from, pace, pause

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
HOURS = st.times().map(lambda each: each.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(min_value=datetime(2022, 10, 1), max_value=datetime(2023, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001


def morning(zone: str) -> QuietHours:
    return QuietHours(time(21), time(6), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "utc"), [("Asia/Jakarta", "23:00"), ("Asia/Makassar", "22:00"), ("Asia/Jayapura", "21:00")]
)
def test_what_is_composed_at_two_in_jakarta_waits_for_six_on_the_clock_of_the_province(zone: str, utc: str) -> None:
    composed = datetime(2022, 10, 27, 2, tzinfo=ZoneInfo("Asia/Jakarta"))
    sent = allowed_from(composed, morning(zone))
    assert f"{sent:%Y-%m-%d %H:%M}" == f"2022-10-26 {utc}"
    assert sent.astimezone(ZoneInfo(zone)).time() == time(6)


@pytest.mark.parametrize(
    ("local", "waits_until"),
    [("20:59", "20:59"), ("21:00", "06:00"), ("23:59", "06:00"), ("00:00", "06:00"), ("05:59", "06:00"),
     ("06:00", "06:00")],
)  # fmt: skip
def test_the_edges_of_quiet_hours_over_midnight(local: str, waits_until: str) -> None:
    zone = ZoneInfo("Asia/Jayapura")
    at = datetime.combine(datetime(2022, 10, 26), time.fromisoformat(local), zone)  # noqa: DTZ001
    assert f"{allowed_from(at, morning(zone.key)).astimezone(zone):%H:%M}" == waits_until


def test_quiet_hours_within_a_day_end_on_it() -> None:
    noon = QuietHours(time(12), time(13), ZoneInfo("Asia/Jakarta"))
    at = datetime(2022, 10, 26, 12, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
    assert allowed_from(at, noon) == at + timedelta(minutes=30)
    assert allowed_from(at - timedelta(hours=1), noon) == at - timedelta(hours=1)


@given(moment=MOMENTS, start=HOURS, end=HOURS, zone=st.sampled_from(ZONES))
def test_a_moment_that_is_allowed_stays_and_none_waits_a_day(
    moment: datetime, start: time, end: time, zone: str
) -> None:
    quiet = QuietHours(start, end, ZoneInfo(zone)) if start != end else None
    allowed = allowed_from(moment, quiet)
    assert timedelta() <= allowed - moment < timedelta(days=1)
    assert allowed_from(allowed, quiet) == allowed
    assert quiet is None or QuietHours.read(quiet.stored()) == quiet


@given(tries=st.integers(1, 60), key=st.integers(1, 2**40))
def test_patience_grows_to_its_limit_and_is_the_same_every_time(tries: int, key: int) -> None:
    limits = pace()
    whole = min(limits.longest_minutes, limits.first_minutes * 2 ** (tries - 1))
    waited = pause(tries, key, limits)
    assert timedelta(minutes=whole / 2) <= waited <= timedelta(minutes=whole)
    assert pause(tries, key, limits) == waited


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({pause(5, key, pace()) for key in range(34)}) == 34
