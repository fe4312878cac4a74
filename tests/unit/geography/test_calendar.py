"""Field windows, the plan, and dates on both sides of midnight."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import (
    FieldWindow,
    PossibleDays,
    calendar_document,
    default_night,
    field_windows,
    latest_day,
    local_date,
)
from regsosek.geography.plan import STEADY
from regsosek.geography.provinces import provinces

PLAN = FieldWindow("35", date(2022, 10, 15), date(2022, 11, 14), plan=STEADY)


@pytest.mark.parametrize(
    ("night", "day", "share"),
    [
        (date(2022, 9, 1), 0, 0.0),
        (date(2022, 10, 14), 0, 0.0),
        (date(2022, 10, 15), 1, 0.04),
        (date(2022, 10, 21), 7, 0.28),
        (date(2022, 11, 7), 24, 0.96),
        (date(2022, 11, 8), 25, 1.0),
        (date(2022, 11, 9), 26, 1.0),
        (date(2022, 11, 14), 31, 1.0),
        (date(2022, 12, 14), 61, 1.0),
    ],
)
def test_day_and_plan(night: date, day: int, share: float) -> None:
    assert PLAN.day_of_window(night) == day
    assert PLAN.plan_share(night, night) == share


@pytest.mark.parametrize(
    ("night", "is_open"),
    [
        (date(2022, 10, 14), False),
        (date(2022, 10, 15), True),
        (date(2022, 11, 14), True),
        (date(2022, 11, 15), False),
    ],
)
def test_first_and_last_day_belong_to_the_window(night: date, is_open: bool) -> None:
    assert PLAN.is_open(night) is is_open


@given(st.dates(date(2022, 1, 1), date(2023, 12, 31)))
def test_the_plan_never_falls_and_stays_a_share(night: date) -> None:
    tomorrow = night + timedelta(days=1)
    assert 0 <= PLAN.plan_share(night, tomorrow) <= PLAN.plan_share(tomorrow, tomorrow) <= 1


def test_a_province_may_be_open_while_others_are_closed() -> None:
    night = date(2022, 11, 20)
    windows = field_windows()
    assert [code for code, window in windows.items() if window.is_open(night)] == ["64"]
    assert list(windows) == [p.code for p in provinces()]
    assert not windows["64"].is_open(date(2022, 11, 21))


def calendar_file(path: Path, changes: dict[str, str | None]) -> Path:
    """The plan, with the rows of some provinces exchanged (None: left out)."""
    rows = {p.code: f"{p.code},2022-10-15,2022-11-14,test" for p in provinces()} | changes
    file = path / "own.csv"
    file.write_text("\n".join(["province,opens,closes,source", *(row for row in rows.values() if row)]))
    return file


def test_an_own_calendar_replaces_the_plan(tmp_path: Path) -> None:
    file = calendar_file(tmp_path, {"81": "81,2022-10-20,2022-11-30,extension"})
    assert field_windows(file)["81"] == FieldWindow("81", date(2022, 10, 20), date(2022, 11, 30))


EXTENDED = FieldWindow("81", date(2022, 10, 15), date(2022, 11, 14), date(2022, 11, 30), date(2022, 11, 12))


def extended_file(path: Path, line: str) -> Path:
    """The plan with columns for extensions, province 81 extended by ``line``."""
    rows = [f"{p.code},2022-10-15,2022-11-14,test,{line if p.code == '81' else ',,'}" for p in provinces()]
    file = path / "extended.csv"
    header = "province,opens,closes,source,extended_to,decided_on,extension_source"
    file.write_text("\n".join([header, *rows]))
    return file


def test_an_extension_holds_from_the_day_it_was_decided(tmp_path: Path) -> None:
    window = field_windows(extended_file(tmp_path, "2022-11-30,2022-11-12,letter 12"))["81"]
    assert window == EXTENDED
    assert [window.closing(date(2022, 11, day)).day for day in (11, 12, 20)] == [14, 30, 30]
    assert [window.is_open(date(2022, 11, day)) for day in (14, 15, 30)] == [True, True, True]


@pytest.mark.parametrize(("latest", "night", "closes"), [(11, 11, 14), (12, 12, 30), (11, 12, 30), (12, None, 30)])
def test_a_visit_in_the_extension_is_possible_in_nights_that_know_of_it(
    latest: int, night: int | None, closes: int
) -> None:
    known = PossibleDays.of(EXTENDED, latest=date(2022, 11, latest), night=date(2022, 11, night) if night else None)
    assert known.closes.day == closes


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2022-11-30,,letter", "province 81: an extension needs"),
        ("2022-11-30,2022-11-12,", "province 81: an extension needs"),
        ("30/11/2022,2022-11-12,letter", "province 81: write dates"),
        ("2022-11-14,2022-11-12,letter", "province 81: is extended to a day that was open anyway"),
    ],
)
def test_a_faulty_extension_is_told(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        field_windows(extended_file(tmp_path, line))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"81": None}, "missing: 81"),
        ({"82": "81,2022-10-15,2022-11-14,x"}, "missing: 82; named twice: 81"),
        ({"92": "92,2022-10-15,2022-11-14,x"}, "unknown: 92"),
        ({"81": "81,15/10/2022,2022-11-14,x"}, "province 81: write dates"),
        ({"81": "81,2022-11-15,2022-11-14,x"}, "province 81 closes before it opens"),
        ({"81": "81,2022-10-15,2022-11-14"}, "data rows 31 must have 4 cells"),
    ],
)
def test_a_faulty_calendar_names_the_province(tmp_path: Path, changes: dict[str, str | None], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        field_windows(calendar_file(tmp_path, changes))


def test_a_calendar_that_is_not_there_or_not_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match=r"absent\.csv: cannot be read"):
        field_windows(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(ReferenceDataError, match="header must be province,opens,closes,source"):
        field_windows(tmp_path / "empty.csv")


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2022, 10, 21, 18, 0, tzinfo=UTC), date(2022, 10, 21)),  # 01:00 WIB of the 22nd
        (datetime(2022, 10, 21, 16, 59, 59, tzinfo=UTC), date(2022, 10, 20)),  # one second before midnight WIB
        (datetime(2022, 10, 21, 17, 0, tzinfo=UTC), date(2022, 10, 21)),  # midnight WIB
    ],
)
def test_the_default_night_is_yesterday_in_jakarta(now: datetime, night: date) -> None:
    assert default_night(now) == night


@pytest.mark.parametrize(
    ("hour", "wib", "wita", "wit"), [(14, 21, 21, 21), (15, 21, 21, 22), (16, 21, 22, 22), (17, 22, 22, 22)]
)
def test_midnight_comes_first_in_the_east(hour: int, wib: int, wita: int, wit: int) -> None:
    instant = datetime(2022, 10, 21, hour, tzinfo=UTC)
    assert [local_date(instant, code).day for code in ("35", "51", "94")] == [wib, wita, wit]


def test_an_instant_without_offset_has_no_date() -> None:
    naive = datetime(2022, 10, 21)  # noqa: DTZ001 - the naive instant is what is tested
    with pytest.raises(ReferenceDataError, match="time zone"):
        local_date(naive, "35")
    with pytest.raises(ReferenceDataError, match="time zone"):
        default_night(naive)


@pytest.mark.parametrize(
    ("province", "produced", "night", "latest"),
    [
        ("35", datetime(2022, 10, 21, 14, tzinfo=UTC), 21, 21),
        ("94", datetime(2022, 10, 21, 16, tzinfo=UTC), 21, 22),  # 01:00 WIT of the 22nd, still the night of the 21st
        ("35", datetime(2022, 10, 25, 14, tzinfo=UTC), 21, 21),  # a clock that is ahead knows no more than its night
        ("94", datetime(2022, 10, 25, 14, tzinfo=UTC), 21, 22),
        ("35", datetime(2022, 10, 18, 14, tzinfo=UTC), 21, 18),  # produced days before it was received
    ],
)
def test_a_delivery_tells_of_no_day_after_it_was_produced_or_its_night_ended(
    province: str, produced: datetime, night: int, latest: int
) -> None:
    assert latest_day(province, produced_at=produced, night=date(2022, 10, night)) == date(2022, 10, latest)


def test_the_calendar_that_is_archived_is_the_one_that_is_read(tmp_path: Path) -> None:
    copy = tmp_path / "calendar.csv"
    copy.write_bytes(calendar_document())
    assert field_windows(copy) == field_windows()
    with pytest.raises(ReferenceDataError, match=r"absent\.csv"):
        calendar_document(tmp_path / "absent.csv")
