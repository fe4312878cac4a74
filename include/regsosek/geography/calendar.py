"""Days: each province's field window and plan, and what date an instant is where it happened."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import province as province_of_code
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import DATA, read_table, require_one_each

PLAN_PERCENT_PER_DAY = 4
NIGHT_ZONE = ZoneInfo("Asia/Jakarta")  # nights are counted where the pipeline is scheduled


@dataclass(frozen=True, slots=True)
class FieldWindow:
    """The days on which a province enumerates, first and last included."""

    province: str
    opens: date
    closes: date

    def day_of_window(self, night: date) -> int:
        """Day 1 is the opening day, 0 any day before; it keeps counting after closing: late families still arrive."""
        return max(0, (night - self.opens).days + 1)

    def plan_share(self, night: date) -> float:
        """The share of the target (0 to 1) that the plan expects by the end of ``night``: 4 % a day, never over 1."""
        return min(1.0, self.day_of_window(night) * PLAN_PERCENT_PER_DAY / 100)

    def is_open(self, night: date) -> bool:
        """Whether the province enumerates on ``night``."""
        return self.opens <= night <= self.closes


@dataclass(frozen=True, slots=True)
class PossibleDays:
    """The days on which a delivered family can have been enumerated: in the window, and not after it was delivered.

    ``latest`` is the last day, in the province's own time, on which the delivery could tell of a visit.
    """

    opens: date
    closes: date
    latest: date

    @classmethod
    def of(cls, window: FieldWindow, *, latest: date) -> Self:
        """The window, and the last day that could be told of."""
        return cls(window.opens, window.closes, latest)

    @property
    def facts(self) -> dict[str, date]:
        """By name, as rules see them."""
        return {"opens": self.opens, "closes": self.closes, "latest": self.latest}


def latest_day(province: str, *, produced_at: datetime, night: date) -> date:
    """The last day that a delivery can tell of: it knows no day after it was produced, nor after its night ended."""
    end_of_night = datetime.combine(night, time.max, NIGHT_ZONE)
    return min(local_date(produced_at, province), local_date(end_of_night, province))


def calendar_document(path: Path | None = None) -> bytes:
    """The calendar as it stands (of :func:`field_windows`' ``path``), for the archive of what a night was judged by.

    Raises:
        ReferenceDataError: it cannot be read.
    """
    path = path or DATA / "calendar.csv"
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "name a readable CSV file in UTF-8"
        raise ReferenceDataError(f"{path.name}: cannot be read ({type(error).__name__}); {fix}") from error


def field_windows(path: Path | None = None) -> dict[str, FieldWindow]:
    """The window of every province, by code and in its order.

    Args:
        path: CSV with the columns province, opens, closes, source; none means the plan of 2022.

    Raises:
        ReferenceDataError: a province is missing, unknown or named twice, or its dates make no sense.
    """
    path = path or DATA / "calendar.csv"
    rows = read_table(path, ("province", "opens", "closes", "source"))
    require_one_each(path.name, [row["province"] for row in rows], [province.code for province in provinces()])
    windows = (_window(path.name, row) for row in rows)
    return {window.province: window for window in sorted(windows, key=lambda window: window.province)}


def default_night(now: datetime) -> date:
    """The night to process when none is named: the day before ``now`` in Asia/Jakarta."""
    return _date_in(NIGHT_ZONE, now) - timedelta(days=1)


def local_date(instant: datetime, province: str) -> date:
    """The date of ``instant`` in the province's own time zone.

    Raises:
        ReferenceDataError: the province is unknown, or the instant carries no offset.
    """
    return _date_in(ZoneInfo(province_of_code(province).timezone), instant)


def _date_in(zone: ZoneInfo, instant: datetime) -> date:
    if instant.utcoffset() is None:
        raise ReferenceDataError("an instant without an offset has no date; give it a time zone")
    return instant.astimezone(zone).date()


def _window(file_name: str, row: dict[str, str]) -> FieldWindow:
    try:
        window = FieldWindow(row["province"], date.fromisoformat(row["opens"]), date.fromisoformat(row["closes"]))
    except ValueError:
        raise ReferenceDataError(f"{file_name}: province {row['province']}: write dates as YYYY-MM-DD") from None
    if window.closes < window.opens:
        raise ReferenceDataError(f"{file_name}: province {window.province} closes before it opens; exchange the dates")
    return window
