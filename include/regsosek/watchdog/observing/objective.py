"""The objective "published by 06:00 WIB" (``limits.toml``), computed from when releases were first published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from regsosek.geography.calendar import FieldWindow
from regsosek.watchdog.observing.limits import Limits, limits
from regsosek.watchdog.observing.nights_due import deadline, nights_due
from regsosek.wording.nouns import counted


@dataclass(frozen=True, slots=True)
class Objective:
    """How the last nights did.

    Attributes:
        due: nights of the period whose deadline has passed.
        missed: those that were published late or not at all, the newest first.
        days: length of the period.
        percent: what share is aimed at.
        at: the time of day (WIB) by which.
    """

    due: int
    missed: tuple[date, ...]
    days: int
    percent: float
    at: time

    @property
    def in_time(self) -> int:
        """Nights published in time."""
        return self.due - len(self.missed)

    @property
    def met(self) -> bool | None:
        """Whether the share is reached; None where no night was due."""
        return None if not self.due else 100 * self.in_time >= self.percent * self.due

    @property
    def words(self) -> str:
        """In a line, the share with what it is of."""
        if not self.due:
            return (
                f"Published by {self.at:%H:%M} WIB: no night was due in the last {counted(self.days, 'day', 'days')}."
            )
        due = counted(self.due, "night", "nights")
        share = f"{self.in_time} of {due} ({100 * self.in_time / self.due:.1f} %) of the last {self.days}"
        missed = f"; missed: {', '.join(map(str, self.missed[:5]))}" if self.missed else ""
        return f"Published by {self.at:%H:%M} WIB: {share}, objective {self.percent:g} %{missed}."


def objective(
    published: Mapping[date, datetime], now: datetime, windows: Mapping[str, FieldWindow], rules: Limits | None = None
) -> Objective:
    """Nights due of the last thirty days against when each was first published."""
    rules = rules or limits()
    at, days = rules.deadlines.published, rules.objective.nights
    due = list(nights_due(now, at, windows, days))
    missed = tuple(night for night in due if night not in published or published[night] > deadline(night, at))
    return Objective(len(due), missed, days, rules.objective.percent, at)
