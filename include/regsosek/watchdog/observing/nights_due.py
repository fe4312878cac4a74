"""Which night is due: night D is run on the day after, by deadlines in WIB, while any province enumerates on D."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow


def deadline(night: date, at: time) -> datetime:
    """The instant by which something of ``night`` must have happened."""
    return datetime.combine(night + timedelta(days=1), at, NIGHT_ZONE)


def is_field_night(night: date, windows: Mapping[str, FieldWindow]) -> bool:
    """Whether any province enumerates on that day: otherwise nobody waits for the night."""
    return any(window.is_open(night) for window in windows.values())


def nights_due(now: datetime, at: time, windows: Mapping[str, FieldWindow], days: int) -> Iterator[date]:
    """Nights whose deadline has passed, the newest first, of the last ``days`` days."""
    newest = now.astimezone(NIGHT_ZONE).date() - timedelta(days=1)
    candidates = (newest - timedelta(days=back) for back in range(days + 1))
    passed = [night for night in candidates if deadline(night, at) <= now][:days]
    yield from (night for night in passed if is_field_night(night, windows))


def night_due(now: datetime, at: time, windows: Mapping[str, FieldWindow], days: int) -> date | None:
    """The newest of :func:`nights_due`; None before the first night, and once the last one is long past."""
    return next(nights_due(now, at, windows, days), None)
