"""Numbers and dates as English readers write them: 1,234,567 and 12.3%."""

from babel import Locale

from regsosek.wording.date_form import DateForm
from regsosek.wording.number_form import NumberForm

_LOCALE = Locale("en")
_FORM = NumberForm(_LOCALE, percent="%")
_DATES = DateForm(_LOCALE)
thousands, mark = _FORM.thousands, _FORM.mark
number, signed, decimal, told_apart = _FORM.number, _FORM.signed, _FORM.decimal, _FORM.told_apart
percentage, points, share = _FORM.percentage, _FORM.points, _FORM.share
percent_of, plain_percentage, plain_decimal = _FORM.percent_of, _FORM.plain_percentage, _FORM.plain_decimal
short_date, day, moment = _DATES.short, _DATES.day, _DATES.moment
long_date, full_date = _DATES.long, _DATES.full
night_date = _DATES.long
