"""Numbers and dates as English readers write them: 1,234,567 and 12.3%."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from regsosek.release.indonesian import MINUS, NOTHING

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def number(value: int | None) -> str:
    """``1,234,567``; a dash for None."""
    return NOTHING if value is None else f"{value:,}".replace("-", MINUS)


def signed(value: int | None) -> str:
    """A change with its sign: ``+1,234``, or a true minus sign; a dash for None."""
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def decimal(value: float | None, places: int = 1) -> str:
    """``12.3``; halves are rounded away from zero; a dash for None."""
    if value is None:
        return NOTHING
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return (MINUS if rounded < 0 else "") + f"{abs(rounded):,f}"


def percentage(value: float | None) -> str:
    """``12.3%``; a dash for None."""
    return NOTHING if value is None else f"{decimal(value)}%"


def points(value: float | None) -> str:
    """A difference of percentages with its sign: ``+1.2``, or a true minus sign; a dash for None."""
    written = decimal(value)
    unsigned = value is None or written.startswith(MINUS) or written == decimal(0)
    return written if unsigned else f"+{written}"


def share(value: float) -> str:
    """A share of one in percent with as many places as it needs: 0.0005 is ``0.05%``."""
    written = f"{Decimal(str(value)) * 100:f}"
    return f"{written.rstrip('0').rstrip('.') if '.' in written else written}%"


def long_date(day: date) -> str:
    """``21 October 2022``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def full_date(day: date) -> str:
    """``Friday, 21 October 2022``."""
    return f"{_DAYS[day.weekday()]}, {long_date(day)}"


def short_date(day: date | None) -> str:
    """``21 Oct``; a dash for None."""
    return NOTHING if day is None else f"{day.day} {_MONTHS[day.month - 1][:3]}"
