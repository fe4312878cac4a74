"""How days and moments are written for readers of a language; its names of months and days are those of CLDR."""

from dataclasses import dataclass
from datetime import date, datetime

from babel import Locale

from regsosek.wording.number_form import NOTHING


@dataclass(frozen=True)
class DateForm:
    """Days as readers of ``locale`` name them, the day before the month; ``clock`` writes the time of a day."""

    locale: Locale
    clock: str = " %H:%M"

    def long(self, day: date) -> str:
        """``21 October 2022``."""
        return f"{day.day} {self.locale.months['format']['wide'][day.month]} {day.year}"

    def full(self, day: date) -> str:
        """``Friday, 21 October 2022``."""
        return f"{self.locale.days['format']['wide'][day.weekday()]}, {self.long(day)}"

    def short(self, day: date | None) -> str:
        """``21 Oct``; a dash for None."""
        return NOTHING if day is None else f"{day.day} {self.locale.months['format']['abbreviated'][day.month]}"

    def day(self, day: date) -> str:
        """``21 Oct 2022``."""
        return f"{self.short(day)} {day.year}"

    def moment(self, value: datetime) -> str:
        """``26 Oct 2022 23:59 WITA``; the value carries the zone that it is told in."""
        return f"{self.day(value)}{value:{self.clock}} {value.tzname()}"
