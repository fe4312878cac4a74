"""Numbers and dates as Indonesian readers write them: 1.234.567 and 12,3 %."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from regsosek.geography.provinces import province
from regsosek.release.number_form import NOTHING, NumberForm

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip
_FORM = NumberForm(thousands=".", mark=",", percent="\N{NO-BREAK SPACE}%")
number, signed, decimal = _FORM.number, _FORM.signed, _FORM.decimal
percentage, points, share = _FORM.percentage, _FORM.points, _FORM.share


def long_date(day: date) -> str:
    """``Jumat, 21 Oktober 2022``."""
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def full_date(day: date) -> str:
    """The same: a date in full names its day of the week."""
    return long_date(day)


def short_date(day: date | None) -> str:
    """``21 Okt``; a dash for None."""
    return NOTHING if day is None else f"{day.day} {_MONTHS[day.month - 1][:3]}"


def cut_off(day: date, province_code: str | None) -> str:
    """Until when data count: the end of ``day`` in the province's own time; the nation's is everyone's local time."""
    if province_code is None:
        return f"{day} 23.59 waktu setempat"
    zone = ZoneInfo(province(province_code).timezone)
    return f"{day} 23.59 {datetime.combine(day, time(23, 59), zone):%Z}"
