"""Numbers and dates as Indonesian readers write them: 1.234.567 and 12,3 %."""

from datetime import date

from babel import Locale

from regsosek.wording.date_form import DateForm
from regsosek.wording.number_form import NumberForm

_LOCALE = Locale("id")
# CLDR writes no space before the percent sign; our texts keep it, as they do before a unit.
_FORM = NumberForm(_LOCALE, percent="\N{NO-BREAK SPACE}%")
_DATES = DateForm(_LOCALE, " pukul %H.%M")
thousands, mark = _FORM.thousands, _FORM.mark
number, signed, decimal, told_apart = _FORM.number, _FORM.signed, _FORM.decimal, _FORM.told_apart
percentage, points, share = _FORM.percentage, _FORM.points, _FORM.share
percent_of, plain_percentage, plain_decimal = _FORM.percent_of, _FORM.plain_percentage, _FORM.plain_decimal
short_date, day, moment = _DATES.short, _DATES.day, _DATES.moment
long_date = full_date = _DATES.full  # an Indonesian date in full names its day of the week anyway


def night_date(day: date) -> str:
    """``tanggal 29 Oktober 2022``, after *malam*: *malam Sabtu* is the night before a Saturday."""
    return f"tanggal {_DATES.long(day)}"
