"""How numbers, days and moments are written in Indonesian: 1.204 keluarga, 31,2 %, 27 Okt 2022 00:59 WITA."""

import re
from datetime import date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
# Longer than any code that a digest names (kab/kota: 4 digits): a NIK, a KK number, a phone, a sub-SLS.
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){9,}")
# Beside letters and digits of any script, the signs that a digest uses; a dash and an ellipsis among them.
_UNUSUAL = re.compile(r"[^\w !\"#$%&'()*+,./:;<=>?@\[\]^`{|}~\u2013\u2026-]+")


def number(value: float) -> str:
    """A count with points between thousands; half a unit as 0,5."""
    whole = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return whole.translate(str.maketrans(",.", ".,"))


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole`` with one decimal, never clipped at 100; a dash if there is no whole."""
    return f"{part * 100 / whole:,.1f}".translate(str.maketrans(",.", ".,")) + " %" if whole else "\u2013 %"


def points(value: float) -> str:
    """A percentage that is itself the figure, such as a plan: 48 %."""
    return f"{number(round(value, 1))} %"


def day(value: date) -> str:
    """26 Okt 2022."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """26 Okt 2022 23:59 WITA; the value carries the province's own zone."""
    return f"{day(value)} {value:%H:%M} {value.tzname()}"


def harmless(value: str) -> str:
    """Text on one line, without control characters or long numbers that could point at a person."""
    return _LONG_NUMBER.sub("…", _UNUSUAL.sub(" ", value))
