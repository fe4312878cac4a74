"""How a region stands on a night: what the plan expects of it, how far it is from there, and the word for that.

The one judgement: pages, tables, the API and the alerts say what :func:`pace_of` says.
"""

from dataclasses import dataclass
from datetime import date

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import PlanCurve
from regsosek.statistics.measures.percentages import percent
from regsosek.statistics.measures.status import BELOW_PLAN, NOT_BEGUN, StatusInputs, behind_limit, status_of


@dataclass(frozen=True, slots=True)
class Course:
    """A plan on its calendar: the curve, the day of the window that the night is, and how much of the window that is.

    ``window_percent`` exceeds 100 once the window is closed.
    """

    curve: PlanCurve
    day: int
    window_percent: float

    @property
    def percent(self) -> float:
        """What should be reached by the end of the night; rounded, so that 28 of 100 is not behind 28 %."""
        return round(self.curve.share(self.day) * 100, 6)


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a region stands by its plan; None where there is nothing to divide by.

    Attributes:
        status: a key of ``statuses.csv``.
        gap_points, gap_families: negative is behind.
        days_behind: negative is ahead.
        limit_points: the gap below which it would be called behind; only of who is below plan and not behind.
    """

    status: str
    plan_percent: float | None = None
    gap_points: float | None = None
    plan_families: int | None = None
    gap_families: int | None = None
    days_behind: float | None = None
    limit_points: float | None = None


def course_of(window: FieldWindow, night: date, curve: PlanCurve | None = None) -> Course:
    """The course of a region on ``night``: by its own ``curve``, or by the plan of its province."""
    day = window.day_of_window(night)
    return Course(curve or window.curve(night), day, day * 100 / window.days(night))


def is_known(course: Course, *, processed: bool, sent: bool) -> bool:
    """Whether it is known where a province, or the nation, stands.

    Once work should have begun, a province that sent nothing is not behind: nobody knows where it stands.

    Args:
        sent: whether any family of it arrived until now.
    """
    return sent if course.percent > 0 else processed


def pace_of(course: Course, visited: int, base: int | None, *, known: bool = True) -> Pace:
    """Judges a region by the rules of ``status_rules.csv``.

    A region of which no family has come once work should have begun is told without a gap: its documents may be on
    their way, and nobody knows how far it is.

    Args:
        base: families of the plan's denominator; None or 0: there is none.
        known: whether its province has figures (:func:`is_known`); else nothing but the plan is told.
    """
    reached = percent(visited, base) if known else None
    gap = None if reached is None else reached - course.percent
    status = status_of(StatusInputs(course.day, course.window_percent, visited, reached, gap, known))
    if not base:
        return Pace(status, course.percent)
    planned = round(course.curve.share(course.day) * base)
    if not known or (status == NOT_BEGUN and course.percent > 0):
        return Pace(status, course.percent, None, planned)
    behind = course.curve.days_behind(course.day, visited / base)
    limit = behind_limit(course.day, course.window_percent, course.percent) if status == BELOW_PLAN else None
    return Pace(status, course.percent, gap, planned, visited - planned, behind, limit)
