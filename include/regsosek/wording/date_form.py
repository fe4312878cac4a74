"""How days and moments are written for readers of a language: its names of months and days."""

from dataclasses import dataclass
from datetime import date, datetime

from regsosek.wording.number_form import NOTHING

_LETTERS = 3


@dataclass(frozen=True)
class DateForm:
    """The names of a language: twelve months, and seven days from Monday on; ``clock`` writes the time of a day."""

    months: tuple[str, ...]
    days: tuple[str, ...]
    clock: str = " %H:%M"

    def long(self, day: date) -> str:
        """``21 October 2022``."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def full(self, day: date) -> str:
        """``Friday, 21 October 2022``."""
        return f"{self.days[day.weekday()]}, {self.long(day)}"

    def short(self, day: date | None) -> str:
        """``21 Oct``; a dash for None."""
        return NOTHING if day is None else f"{day.day} {self.months[day.month - 1][:_LETTERS]}"

    def day(self, day: date) -> str:
        """``21 Oct 2022``."""
        return f"{self.short(day)} {day.year}"

    def moment(self, value: datetime) -> str:
        """``26 Oct 2022 23:59 WITA``; the value carries the zone that it is told in."""
        return f"{self.day(value)}{value:{self.clock}} {value.tzname()}"
