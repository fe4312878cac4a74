"""What is wrong at an instant: a clock against made-up sights of warehouse, store, mail and scheduler."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.provinces import provinces
from regsosek.release.lifecycle.agreement import Known
from regsosek.release.lifecycle.pointer import Position
from regsosek.watchdog.checks import findings
from regsosek.watchdog.finding import FindingKind
from regsosek.watchdog.observing.observed import (
    Observed,
    SeenAirflow,
    SeenNight,
    SeenStore,
    SeenWarehouse,
    Unreachable,
)

WIB, WIT = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
CODES = frozenset(province.code for province in provinces())
OPENS, CLOSES = date(2022, 10, 15), date(2022, 11, 14)
WINDOWS = {code: FieldWindow(code, OPENS, CLOSES) for code in CODES}
DEAD = Unreachable("OperationalError (SQLSTATE 57P03)")


def at(day: date, clock: str, zone: ZoneInfo = WIB) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def good(night: date) -> Observed:
    """All is well up to ``night``; deliveries came on its day."""
    whole = SeenNight(CODES, CODES, told=True)
    nights = {night - timedelta(days=back): whole for back in range(9)}
    published = {each: at(each + timedelta(days=1), "03:10") for each in nights}
    delivered = dict.fromkeys(CODES, night)
    warehouse = SeenWarehouse(nights, published, tuple(map(known, nights)), delivered)
    return Observed(WINDOWS, warehouse, SeenStore(led_to(night), delivered))


def known(night: date, *, rolled_back: bool = False) -> Known:
    return Known(f"{night}-1", night, 1, rolled_back)


def led_to(night: date, *rolled_back: date) -> Position:
    return Position(f"{night}-1", night, 1, "0", "rilis/", tuple(f"{each}-1" for each in rolled_back))


def kinds(observed: Observed, now: datetime) -> list[str]:
    return sorted({each.kind for each in findings(observed, now).findings})


def seen_by(observed: Observed, **changes: object) -> Observed:
    assert isinstance(observed.warehouse, SeenWarehouse)
    return replace(observed, warehouse=replace(observed.warehouse, **changes))  # type: ignore[arg-type]


NIGHT = date(2022, 10, 25)
MORNING = NIGHT + timedelta(days=1)


@pytest.mark.parametrize("clock", ["00:00", "01:30", "05:59", "06:00", "12:00", "23:59"])
def test_a_good_night_has_no_findings(clock: str) -> None:
    assert kinds(good(NIGHT), at(MORNING, clock)) == []


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("01:59", []),
        ("02:00", ["NIGHT_NOT_BEGUN"]),
        ("05:59", ["NIGHT_NOT_BEGUN"]),
        ("06:00", ["NIGHT_NOT_BEGUN", "RELEASE_LATE"]),
    ],
)
def test_a_night_that_never_ran_is_told_by_each_deadline(clock: str, expected: list[str]) -> None:
    assert kinds(good(NIGHT - timedelta(days=1)), at(MORNING, clock)) == expected


def test_the_deadlines_are_those_of_jakarta_wherever_the_clock_stands() -> None:
    before = good(NIGHT - timedelta(days=1))
    assert "RELEASE_LATE" not in kinds(before, at(MORNING, "07:59", WIT))
    assert "RELEASE_LATE" in kinds(before, at(MORNING, "08:00", WIT))
    assert "RELEASE_LATE" in kinds(before, at(NIGHT, "23:00", ZoneInfo("UTC")))


def test_a_night_stands_as_late_over_midnight_until_it_is_made_good() -> None:
    missed = good(NIGHT - timedelta(days=1))
    for clock in ("00:00", "01:59", "05:00"):
        assert "RELEASE_LATE" in kinds(missed, at(MORNING + timedelta(days=1), clock))
    assert kinds(good(NIGHT), at(MORNING + timedelta(days=1), "01:59")) == []


def test_provinces_that_are_not_processed_are_counted_and_named() -> None:
    some = seen_by(good(NIGHT), nights={NIGHT: SeenNight(CODES, CODES - {"64", "94"}, told=True)})
    (found,) = findings(some, at(MORNING, "05:00")).findings
    assert found.kind is FindingKind.NIGHT_UNFINISHED
    assert found.detail.endswith("2 of 34 provinces not processed: 64 Kalimantan Timur, 94 Papua")
    assert kinds(some, at(MORNING, "04:59")) == []


def test_before_the_first_night_nothing_is_due() -> None:
    empty = Observed(WINDOWS, SeenWarehouse(), SeenStore())
    assert kinds(empty, at(OPENS, "12:00")) == []
    assert kinds(empty, at(OPENS + timedelta(days=1), "01:59")) == []
    assert kinds(empty, at(OPENS + timedelta(days=1), "06:00")) == ["NIGHT_NOT_BEGUN", "RELEASE_LATE"]
    (late,) = [f for f in findings(empty, at(OPENS + timedelta(days=1), "06:00")).findings if "RELEASE" in f.kind]
    assert late.detail.endswith("nothing is published")


def test_after_the_window_has_closed_nobody_is_late() -> None:
    finished = good(CLOSES)
    assert kinds(finished, at(CLOSES + timedelta(days=2), "12:00")) == []
    assert kinds(finished, at(CLOSES + timedelta(days=40), "12:00")) == []
    lacking = good(CLOSES - timedelta(days=1))  # the last field night itself is still waited for
    assert "RELEASE_LATE" in kinds(lacking, at(CLOSES + timedelta(days=4), "12:00"))
    assert kinds(lacking, at(CLOSES + timedelta(days=9), "12:00")) == []


def test_one_province_that_still_enumerates_keeps_the_nights_due() -> None:
    windows = WINDOWS | {"94": FieldWindow("94", OPENS, CLOSES, CLOSES + timedelta(days=14), CLOSES)}
    night = CLOSES + timedelta(days=6)
    extended = replace(good(night - timedelta(days=1)), windows=windows)
    assert "RELEASE_LATE" in kinds(extended, at(night + timedelta(days=1), "06:00"))


def test_the_release_is_judged_by_either_of_two() -> None:
    whole, now = good(NIGHT), at(MORNING, "06:00")
    assert kinds(replace(whole, warehouse=DEAD), now) == ["WAREHOUSE_DOWN"]
    assert kinds(replace(whole, store=DEAD), now) == ["STORE_DOWN"]
    late = good(NIGHT - timedelta(days=1))
    assert kinds(replace(late, warehouse=DEAD), now) == ["RELEASE_LATE", "WAREHOUSE_DOWN"]
    both = findings(replace(late, warehouse=DEAD, store=DEAD), now)
    assert {each.kind for each in both.findings} == {FindingKind.WAREHOUSE_DOWN, FindingKind.STORE_DOWN}
    assert FindingKind.RELEASE_LATE in both.blind
    assert FindingKind.NIGHT_NOT_BEGUN in both.blind


def test_a_dead_store_makes_no_province_silent() -> None:
    quiet = seen_by(good(NIGHT), delivered=dict.fromkeys(CODES, NIGHT - timedelta(days=3)))
    judged = findings(replace(quiet, store=DEAD), at(MORNING, "05:30"))
    assert [each.kind for each in judged.findings] == [FindingKind.STORE_DOWN]
    assert {FindingKind.PROVINCE_SILENT, FindingKind.NATION_SILENT} <= judged.blind


BEFORE = NIGHT - timedelta(days=1)


@pytest.mark.parametrize(
    ("release", "told"),
    [
        (led_to(NIGHT), None),
        (led_to(NIGHT + timedelta(days=1)), None),
        (None, "is missing"),
        (led_to(BEFORE), "readers saw 2022-10-25-1"),
        (led_to(BEFORE, NIGHT), None),
        # A rollback of long ago excuses no other pointer.
        (led_to(NIGHT - timedelta(days=2), NIGHT), "readers saw 2022-10-24-1"),
    ],
)
def test_a_pointer_that_leads_elsewhere_is_found_unless_an_operator_moved_it(
    release: Position | None, told: str | None
) -> None:
    seen = replace(good(NIGHT), store=SeenStore(release, dict.fromkeys(CODES, NIGHT)))
    found = [each.detail for each in findings(seen, at(MORNING, "06:00")).findings]
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_a_pointer_that_forgot_a_rollback_or_whose_rollback_was_interrupted_is_found() -> None:
    seen = seen_by(good(NIGHT), releases=(known(BEFORE), known(NIGHT, rolled_back=True)))
    for release, told in ((led_to(BEFORE), "does not know"), (led_to(NIGHT), "finish that")):
        [found] = findings(
            replace(seen, store=SeenStore(release, dict.fromkeys(CODES, NIGHT))), at(MORNING, "05:59")
        ).findings
        assert (found.kind, told in found.detail) == (FindingKind.POINTER_ASTRAY, True)


def test_a_province_is_silent_after_two_whole_days() -> None:
    day = date(2022, 10, 25)
    seen = good(day)
    quiet = dict.fromkeys(CODES, day) | {"94": day - timedelta(days=2)}
    mute = replace(seen_by(seen, delivered=quiet), store=SeenStore(led_to(day), delivered=quiet))
    assert kinds(mute, at(day, "23:59")) == []
    (found,) = findings(mute, at(day + timedelta(days=1), "00:00")).findings
    assert (found.kind, found.subject, found.at_fault) == (FindingKind.PROVINCE_SILENT, "94", False)
    assert "last delivery 2022-10-23" in found.detail
    # The store knows of a delivery that no night has taken yet.
    told = replace(mute, store=SeenStore(led_to(day), delivered=quiet | {"94": day + timedelta(days=1)}))
    assert kinds(told, at(day + timedelta(days=1), "00:00")) == []


def test_a_province_that_has_just_begun_or_ended_is_not_silent() -> None:
    nothing = dict.fromkeys(CODES - {"94"}, date(2022, 10, 25))
    for window in (FieldWindow("94", date(2022, 10, 25), CLOSES), FieldWindow("94", OPENS, date(2022, 10, 24))):
        seen = replace(good(NIGHT), windows=WINDOWS | {"94": window}, store=SeenStore(led_to(NIGHT), delivered=nothing))
        assert kinds(seen_by(seen, delivered=nothing), at(date(2022, 10, 26), "10:00")) == []


def test_where_most_are_silent_one_finding_tells_of_all() -> None:
    day, now = NIGHT - timedelta(days=3), at(MORNING, "05:30")
    quiet = dict.fromkeys(CODES, day)
    mute = replace(seen_by(good(NIGHT), delivered=quiet), store=SeenStore(led_to(NIGHT), delivered=quiet))
    judged = findings(mute, now)
    assert [each.kind for each in judged.findings] == [FindingKind.NATION_SILENT]
    assert judged.findings[0].detail.startswith("34 of 34 enumerating provinces")
    assert FindingKind.PROVINCE_SILENT in judged.blind


def test_alerts_that_wait_or_were_never_composed() -> None:
    since = at(MORNING, "03:20")
    waiting = seen_by(good(NIGHT), waiting=3, waiting_since=since, waiting_error="SMTPServerDisconnected")
    (found,) = findings(waiting, at(MORNING, "06:00")).findings
    assert found.detail == "3 messages wait, the oldest since 2022-10-26 03:20 WIB; last try: SMTPServerDisconnected"
    untold = seen_by(good(NIGHT), nights={NIGHT: SeenNight(CODES, CODES, told=False)})
    assert kinds(untold, at(MORNING, "06:59")) == []
    assert kinds(untold, at(MORNING, "07:00")) == ["NOBODY_TOLD"]


def test_heartbeats_and_watchers_grow_old() -> None:
    now = at(MORNING, "05:00")
    beats = SeenAirflow({"scheduler": now - timedelta(minutes=6), "triggerer": now - timedelta(minutes=5)})
    away = {"dag": now - timedelta(minutes=61), "command": now - timedelta(minutes=60)}
    found = findings(replace(good(NIGHT), airflow=beats, watchers=away), now).findings
    assert [(each.kind, each.subject) for each in found] == [
        (FindingKind.SCHEDULER_DEAD, "scheduler"), (FindingKind.WATCHER_SILENT, "dag"),
    ]  # fmt: skip
    forgotten = replace(good(NIGHT), watchers={"dag": now - timedelta(days=7)})
    assert kinds(forgotten, now) == []


@pytest.mark.parametrize("broken", ["windows", "warehouse", "store", "mail", "airflow", "memory", "ping"])
def test_whatever_does_not_answer_is_a_finding_and_stops_no_other(broken: str) -> None:
    late = replace(good(NIGHT - timedelta(days=1)), faults={"silences": "row 1"})
    judged = findings(replace(late, **{broken: DEAD}), at(MORNING, "06:00"))  # type: ignore[arg-type]
    assert DEAD.why in {each.detail for each in judged.findings}
    assert "silences" in {each.subject for each in judged.findings}
    assert (FindingKind.RELEASE_LATE in {each.kind for each in judged.findings}) is (broken != "windows")
    assert not judged.blind & {each.kind for each in judged.findings if each.kind is FindingKind.RELEASE_LATE}


@given(minutes=st.integers(0, 60 * 24 * 60), zone=st.sampled_from([WIB, WIT, ZoneInfo("UTC")]))
def test_a_campaign_that_keeps_its_deadlines_is_never_late(minutes: int, zone: ZoneInfo) -> None:
    now = (at(OPENS - timedelta(days=10), "00:00") + timedelta(minutes=minutes)).astimezone(zone)
    local = now.astimezone(WIB)
    # As of any instant the night of the day before is whole from 02:00 on, else that of two days before.
    night = local.date() - timedelta(days=1 if local.hour >= 2 else 2)
    assert kinds(good(night), now) == []
