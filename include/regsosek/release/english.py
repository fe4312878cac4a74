"""Numbers and dates as English readers write them: 1,234,567."""

from datetime import date

from regsosek.release.indonesian import MINUS

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def number(value: int) -> str:
    """``1,234,567``."""
    return f"{value:,}".replace("-", MINUS)


def signed(value: int) -> str:
    """A change with its sign: ``+1,234``, or a true minus sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def long_date(day: date) -> str:
    """``21 October 2022``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
