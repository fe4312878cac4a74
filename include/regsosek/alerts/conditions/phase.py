"""The phase of the campaign that a province is in, as far as thresholds ask for it, and the delay that is forgiven."""

from datetime import date

from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.geography.free_days import next_to_arrange
from regsosek.statistics.measures.status import NOT_WELL


def awaited(figures: ProvinceFigures, limits: Thresholds) -> bool:
    """Whether families are expected at all: the window has opened, and is not closed and complete or long closed."""
    if figures.night < figures.window.opens or figures.window.is_open(figures.night):
        return figures.window.is_open(figures.night)
    after_close = (figures.night - figures.window.closing(figures.night)).days
    return figures.visited < figures.target and after_close <= limits.window.late_nights


def deliveries_awaited(figures: ProvinceFigures, limits: Thresholds) -> bool:
    """Whether silence of the province would be news: not once its window is closed and it is known not to be behind.

    Its target is an estimate: nobody knows the last of it.
    """
    closed = figures.night > figures.window.closing(figures.night)
    return awaited(figures, limits) and not (closed and figures.pace.status not in NOT_WELL)


def appointments_asked(province: str, night: date, limits: Thresholds) -> bool:
    """Whether appointments are asked for: close before a free day that a message of the night is still in time for."""
    return (next_to_arrange(province, night) - night).days <= limits.appointment.days_ahead


def delay(days_late: float, limits: Thresholds) -> int:
    """Days of usual delay that are forgiven."""
    return min(round(days_late), limits.late.most_days)
