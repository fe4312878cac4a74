"""Numbers and dates as Indonesian readers write them: 1.234.567 and 12,3 %."""

from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from regsosek.geography.provinces import province

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip


def number(value: int | None) -> str:
    """``1.234.567``; a dash for None."""
    return NOTHING if value is None else f"{value:,}".replace(",", ".").replace("-", MINUS)


def signed(value: int | None) -> str:
    """A change with its sign: ``+1.234``, or a true minus sign; a dash for None."""
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def decimal(value: float | None, places: int = 1) -> str:
    """``12,3``; halves are rounded away from zero; a dash for None."""
    if value is None:
        return NOTHING
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    written = f"{abs(rounded):,f}".translate(str.maketrans(",.", ".,"))
    return (MINUS if rounded < 0 else "") + written


def percentage(value: float | None) -> str:
    """``12,3 %``, the number and its sign kept on one line; a dash for None."""
    return NOTHING if value is None else f"{decimal(value)}\u00a0%"


def points(value: float | None) -> str:
    """A difference of percentages with its sign: ``+1,2``, or a true minus sign; a dash for None."""
    written = decimal(value)
    unsigned = value is None or written.startswith(MINUS) or written == decimal(0)
    return written if unsigned else f"+{written}"


def share(value: float) -> str:
    """A share of one in percent with as many places as it needs: 0.0005 is ``0,05 %``."""
    written = f"{Decimal(str(value)) * 100:f}"
    trimmed = written.rstrip("0").rstrip(".") if "." in written else written
    return f"{trimmed.replace('.', ',')}\u00a0%"


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
