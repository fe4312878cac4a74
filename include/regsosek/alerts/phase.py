"""The phase of the campaign that a province is in, as far as thresholds ask for it, and the delay of its families."""

from regsosek.alerts.province_figures import ProvinceFigures
from regsosek.alerts.thresholds import Thresholds
from regsosek.geography.plan import WHOLE, PlanCurve


def awaited(figures: ProvinceFigures, limits: Thresholds) -> bool:
    """Whether families are expected at all: the window has opened, and is not closed and complete or long closed."""
    if figures.night < figures.window.opens or figures.window.is_open(figures.night):
        return figures.window.is_open(figures.night)
    after_close = (figures.night - figures.window.closing(figures.night)).days
    return figures.visited < figures.target and after_close <= limits.window.late_nights


def deliveries_awaited(figures: ProvinceFigures, limits: Thresholds) -> bool:
    """Whether silence of the province would be news: not once its window is closed and it is not behind.

    Its target is an estimate: nobody knows the last of it.
    """
    closed = figures.night > figures.window.closing(figures.night)
    enough = figures.visited * 100 >= (WHOLE - limits.behind.closing_margin_points) * figures.target
    return awaited(figures, limits) and not (closed and enough)


def behind_margin(figures: ProvinceFigures, limits: Thresholds) -> float:
    """Percentage points that a region may lie below its plan: fewer once there is little time left."""
    left = (figures.window.closing(figures.night) - figures.night).days
    return limits.behind.closing_margin_points if left < limits.behind.closing_days else limits.behind.margin_points


def delay(days_late: float, limits: Thresholds) -> int:
    """Days of usual delay that are forgiven."""
    return min(round(days_late), limits.late.most_days)


def planned_percent(plan: PlanCurve, day: float) -> float:
    """What a plan expects by the end of a day of the window, in percent of the target."""
    return round(plan.share(max(0, day)) * WHOLE, 6)
