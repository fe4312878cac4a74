"""Days: each province's field window and plan, and what date an instant is where it happened."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from regsosek.errors import ReferenceDataError
from regsosek.geography.plan import DEFAULT_NAME, DEFAULT_PLAN, Plan, PlanCurve, plans
from regsosek.geography.provinces import province as province_of_code
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import DATA, read_table, require_one_each

_COLUMNS = ("province", "opens", "closes", "source")
# Calendars that were archived before windows could be extended have none of these.
_EXTENSION = ("extended_to", "decided_on", "extension_source")
NIGHT_ZONE = ZoneInfo("Asia/Jakarta")  # nights are counted where the pipeline is scheduled


@dataclass(frozen=True, slots=True)
class FieldWindow:
    """The days on which a province enumerates, first and last included, and its plan.

    ``closes`` is the last day as planned; from ``decided_on`` on, the last day is ``extended_to`` instead. Whatever
    stands as of an earlier night knows nothing of the extension.
    """

    province: str
    opens: date
    closes: date
    extended_to: date | None = None
    decided_on: date | None = None
    plan: Plan = DEFAULT_PLAN

    def closing(self, night: date) -> date:
        """The last day of the window, as it was known on ``night``."""
        extended = self.extended_to and self.decided_on and self.decided_on <= night
        return self.extended_to if extended and self.extended_to else self.closes

    def day_of_window(self, night: date) -> int:
        """Day 1 is the opening day, 0 any day before; it keeps counting after closing: late families still arrive."""
        return max(0, (night - self.opens).days + 1)

    def days(self, night: date) -> int:
        """How many days it has, as it was known on ``night``."""
        return (self.closing(night) - self.opens).days + 1

    def curve(self, night: date) -> PlanCurve:
        """The plan on the window as it was known on ``night``: once that is extended, there is more time."""
        return self.plan.over(self.days(night))

    def plan_share(self, day: date, night: date) -> float:
        """The share of the target (0 to 1) that the plan expects by the end of ``day``, as known on ``night``."""
        return self.curve(night).share(self.day_of_window(day))

    def is_open(self, night: date) -> bool:
        """Whether the province enumerates on ``night``."""
        return self.opens <= night <= self.closing(night)


@dataclass(frozen=True, slots=True)
class PossibleDays:
    """The days on which a delivered family can have been enumerated: in the window, and not after it was delivered.

    ``latest`` is the last day, in the province's own time, on which the delivery could tell of a visit.
    """

    opens: date
    closes: date
    latest: date

    @classmethod
    def of(cls, window: FieldWindow, *, latest: date, night: date | None = None) -> Self:
        """The window as it was known on ``night`` (of arrival; none: on ``latest``), and the last day to tell of."""
        return cls(window.opens, window.closing(night or latest), latest)

    @property
    def facts(self) -> dict[str, date]:
        """By name, as rules see them."""
        return {"opens": self.opens, "closes": self.closes, "latest": self.latest}


def end_of_night(night: date, zone: ZoneInfo = NIGHT_ZONE) -> datetime:
    """The last minute of a night's day of delivery, which is counted in WIB, on the clock of ``zone``."""
    return datetime.combine(night, time(23, 59), NIGHT_ZONE).astimezone(zone)


def latest_day(province: str, *, produced_at: datetime, night: date) -> date:
    """The last day that a delivery can tell of: it knows no day after it was produced, nor after its night ended."""
    last_moment = datetime.combine(night, time.max, NIGHT_ZONE)
    return min(local_date(produced_at, province), local_date(last_moment, province))


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
        path: CSV with the columns province, opens, closes, source, and perhaps extended_to, decided_on,
            extension_source (empty where a window is not extended); none means the plan of 2022.

    Raises:
        ReferenceDataError: a province is missing, unknown or named twice, or its dates make no sense.
    """
    path = path or DATA / "calendar.csv"
    rows = read_table(path, _COLUMNS, _EXTENSION)
    require_one_each(path.name, [row["province"] for row in rows], [province.code for province in provinces()])
    windows = (_window(path.name, row) for row in rows)
    return {window.province: window for window in sorted(windows, key=lambda window: window.province)}


def planned_windows(
    calendar: Path | None = None, plan: Path | None = None, shape: str = DEFAULT_NAME
) -> dict[str, FieldWindow]:
    """The windows of all provinces (:func:`field_windows`), each with its plan (``geography.plan.plans``).

    Raises:
        ReferenceDataError: one of the two files is faulty.
    """
    curves = plans(plan, shape)
    return {code: replace(window, plan=curves.of(code)) for code, window in field_windows(calendar).items()}


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
    place = f"{file_name}: province {row['province']}"
    if any(row[column] for column in _EXTENSION) and not all(row[column] for column in _EXTENSION):
        raise ReferenceDataError(f"{place}: an extension needs {', '.join(_EXTENSION)}; fill all of them or none")
    try:
        opens, closes = date.fromisoformat(row["opens"]), date.fromisoformat(row["closes"])
        extended_to, decided_on = (date.fromisoformat(row[c]) if row[c] else None for c in _EXTENSION[:2])
    except ValueError:
        raise ReferenceDataError(f"{place}: write dates as YYYY-MM-DD") from None
    if closes < opens:
        raise ReferenceDataError(f"{place} closes before it opens; exchange the dates")
    if extended_to and extended_to <= closes:
        raise ReferenceDataError(f"{place}: is extended to a day that was open anyway; name a day after {closes}")
    return FieldWindow(row["province"], opens, closes, extended_to, decided_on)
