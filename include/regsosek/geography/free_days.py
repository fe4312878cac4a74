"""Days on which heads of SLS are at home: Saturdays, Sundays, and the holidays of ``data/holidays.csv``."""

from datetime import date, timedelta
from functools import cache

from regsosek.errors import ReferenceDataError
from regsosek.geography.reference_table import DATA, read_table

_COLUMNS = ("date", "province", "name", "source")
_EVERYWHERE = "*"
_SATURDAY = 5
_AHEAD = timedelta(days=7)
_READ_AND_ARRANGED = timedelta(days=2)


@cache
def holidays() -> frozenset[tuple[date, str]]:
    """Day and province of every holiday, ``*`` where it is one of the nation.

    Raises:
        ReferenceDataError: a date is none.
    """
    rows = read_table(DATA / "holidays.csv", _COLUMNS)
    try:
        return frozenset((date.fromisoformat(row["date"]), row["province"]) for row in rows)
    except ValueError:
        raise ReferenceDataError("holidays.csv: write dates as YYYY-MM-DD") from None


def free_days(province: str, night: date) -> tuple[date, ...]:
    """The free days of the week after ``night``, in their order; there are always two at least."""
    days = (night + timedelta(days=n) for n in range(1, _AHEAD.days + 1))
    return tuple(
        day for day in days if day.weekday() >= _SATURDAY or {(day, _EVERYWHERE), (day, province)} & holidays()
    )


def next_to_arrange(province: str, night: date) -> date:
    """The first free day that a message of ``night``, read the morning after, leaves a day to arrange for."""
    return next(day for day in free_days(province, night) if day - night >= _READ_AND_ARRANGED)
