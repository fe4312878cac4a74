"""Numbers and dates as English readers write them: 1,234,567 and 12.3%."""

from datetime import date

from regsosek.release.number_form import NOTHING, NumberForm

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_FORM = NumberForm(thousands=",", mark=".", percent="%")
number, signed, decimal = _FORM.number, _FORM.signed, _FORM.decimal
percentage, points, share = _FORM.percentage, _FORM.points, _FORM.share


def long_date(day: date) -> str:
    """``21 October 2022``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def full_date(day: date) -> str:
    """``Friday, 21 October 2022``."""
    return f"{_DAYS[day.weekday()]}, {long_date(day)}"


def short_date(day: date | None) -> str:
    """``21 Oct``; a dash for None."""
    return NOTHING if day is None else f"{day.day} {_MONTHS[day.month - 1][:3]}"
