"""Which conditions a province's night meets: a pure decision from figures, thresholds and known events.

Only what the office can act upon is a condition. Severity, size and the figures it rests on come with it; since when
it stands, and whether anybody has it in hand, is :mod:`life`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from regsosek.alerts.conditions.condition import EVENTS, WAITING, Condition, Key, Kind, Place, Severity, kabkota_of
from regsosek.alerts.conditions.detect_below import kabkota_conditions, small_and_behind, small_places
from regsosek.alerts.conditions.detect_waiting import remaining_conditions, waiting_conditions, waiting_places
from regsosek.alerts.conditions.phase import appointments_asked, awaited, deliveries_awaited
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.geography.known_events import KnownEvent
from regsosek.statistics.measures.status import BEHIND, NOT_WELL

EXPLAINED = (Kind.NO_DATA, Kind.ZERO, Kind.BEHIND, Kind.APPOINTMENT)


def detect(
    figures: ProvinceFigures,
    limits: Thresholds,
    events: Sequence[KnownEvent] = (),
    standing: Collection[Key] = (),
) -> tuple[Condition, ...]:
    """The conditions of one night, each once.

    Args:
        events: known events; one that covers a condition's place makes it no more than PERHATIAN and is named in it.
        standing: keys of what the night before left; that lasts until it is well below its limit, and what is about
            families that wait until nobody does.
    """
    lasting = [each for each in _found(figures, limits.ending) if each.key in standing]
    # The later one holds: what is over its limit, else what is not well below it, else what still waits.
    new = [each for each in _found(figures, limits) if _is_asked(each, figures, limits, standing)]
    conditions = [*remaining_conditions(figures, standing), *lasting, *new]
    return tuple(_explained(each, figures, events) for each in {each.key: each for each in conditions}.values())


def _is_asked(condition: Condition, figures: ProvinceFigures, limits: Thresholds, standing: Collection[Key]) -> bool:
    """Heads not met begin to be told of before free days; of a kab/kota that was told of, every night judges."""
    if condition.kind is not Kind.APPOINTMENT or appointments_asked(figures.province, figures.night, limits):
        return True
    return (condition.kind, "kabkota", kabkota_of(condition.place), "") in standing


def _found(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    of_province = [condition for find in _FINDERS if (condition := find(figures, limits)) is not None]
    of_province += _behind(figures, limits)
    below = [*kabkota_conditions(figures, limits), *small_places(figures, limits)]
    return [*of_province, *waiting_conditions(figures, limits), *below, *waiting_places(figures, limits)]


def shows(kind: Kind, place: Place, figures: ProvinceFigures) -> bool:
    """Whether this night could tell that a condition is gone: nobody's data get better by not arriving.

    Nor does anybody catch up with the plan by not being told of it any more: the page's status says so.
    """
    if kind is Kind.APPOINTMENT:
        return figures.heads_not_met is not None
    if kind is Kind.BEHIND:
        pace = figures.pace_at(place)
        return pace is None or pace.status not in NOT_WELL
    if kind in {Kind.HELD, Kind.PIPELINE_FAULT} | EVENTS | WAITING:
        return True
    if place.level == "provinsi":
        return figures.families.judged > 0
    own = next((each for each in figures.kabkota if each.code in {place.code, place.kabkota}), None)
    return own is not None and (own.received > 0 or (kind is Kind.NO_DATA and own.visited >= own.load))


def event_of(kind: Kind, province: str, place: Place, night: date, events: Iterable[KnownEvent]) -> KnownEvent | None:
    """The known event that explains a condition on ``night``; of several the one that lasts longest."""
    kabkota = place.code if place.level == "kabkota" else place.kabkota
    covering = [
        event
        for event in events
        if kind.value in event.kinds and event.covers(province, kabkota) and event.opens <= night <= event.closes
    ]
    return max(covering, key=lambda event: event.closes, default=None)


def _explained(condition: Condition, figures: ProvinceFigures, events: Sequence[KnownEvent]) -> Condition:
    event = event_of(condition.kind, figures.province, condition.place, figures.night, events)
    return condition if event is None else replace(condition, severity=Severity.ATTENTION, event=event.id)


def _of_province(
    kind: Kind,
    figures: ProvinceFigures,
    critical: bool,
    families: int,
    numbers: Mapping[str, float],
    *,
    news: str = "",
    since: date | None = None,
) -> Condition:
    severity = Severity.CRITICAL if critical else Severity.ATTENTION
    place = Place("provinsi", figures.province)
    return Condition(kind, place, severity, since or figures.night, families, numbers, news)


def _no_data(figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    # What was rejected or held did arrive: that is another condition, or ours to free.
    if not deliveries_awaited(figures, limits) or figures.families.received or sum(figures.deliveries.values()):
        return None
    nights = figures.silent_nights
    critical = figures.window.is_open(figures.night) and nights >= limits.no_data.critical_after_nights
    numbers = {"silent_nights": nights, "unfinished": figures.unfinished}
    since = figures.night - timedelta(days=max(0, nights - 1))
    return _of_province(Kind.NO_DATA, figures, critical, 0, numbers, since=since)


def _zero(figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    """Deliveries were accepted and brought no family, or many of the sub-SLS at work brought none for a while."""
    if not deliveries_awaited(figures, limits) or figures.deliveries.get("rejected") or figures.families.held:
        return None
    if figures.deliveries.get("accepted") and not figures.families.received:
        nights = figures.silent_nights
        critical = figures.window.is_open(figures.night) and nights >= limits.no_data.critical_after_nights
        return _of_province(Kind.ZERO, figures, critical, 0, {"silent_nights": nights, "expected": _expected(figures)})
    active, silent = (sum(getattr(each, name) for each in figures.kabkota) for name in ("active", "silent"))
    open_now = figures.window.is_open(figures.night)
    few = active < limits.zero.least_active or silent * 100 < limits.zero.attention_percent * active
    if not figures.families.judged or few or not open_now:
        return None
    families = sum(each.families for each in figures.silent_subsls)
    critical = silent * 100 >= limits.zero.critical_percent * active
    return _of_province(Kind.ZERO, figures, critical, families, {"zero": silent, "active": active})


def _expected(figures: ProvinceFigures) -> int:
    window, night = figures.window, figures.night
    share = window.plan_share(night, night) - window.plan_share(night - timedelta(days=1), night)
    return round(share * figures.target)


def _rejected(figures: ProvinceFigures, _limits: Thresholds) -> Condition | None:
    if not figures.rejected:
        return None
    families = sum(each.families for each in figures.rejected)
    ids = ",".join(sorted(each.delivery_id for each in figures.rejected))
    numbers = {
        "rejected_deliveries": len(figures.rejected),
        "all_deliveries": sum(figures.deliveries.values()) + sum(figures.stream_deliveries.values()),
        "rejected_families": families,
    }
    return _of_province(Kind.REJECTED, figures, True, families, numbers, news=ids)


def _held(figures: ProvinceFigures, _limits: Thresholds) -> Condition | None:
    """Critical on the night it happens; from then on it waits for us, and the office is reminded."""
    if not figures.held:
        return None
    families, persons = (sum(getattr(each, unit) for each in figures.held) for unit in ("families", "persons"))
    ids = ",".join(sorted(each.delivery_id for each in figures.held))
    tonight = any(each.night == figures.night for each in figures.held)
    numbers = {"held_deliveries": len(figures.held), "held_families": families, "held_persons": persons}
    since = min(figures.night, *(each.night for each in figures.held))
    return _of_province(Kind.HELD, figures, tonight, families, numbers, news=ids, since=since)


def _replaced(figures: ProvinceFigures, _limits: Thresholds) -> Condition | None:
    """Told on the night that it happened: the office's own delivery took families out of the figures."""
    families, withdrawn, kept = (
        sum(getattr(each, unit) for each in figures.replaced) for unit in ("families", "withdrawn", "kept")
    )
    if not withdrawn:
        return None
    ids = ",".join(sorted({each for line in figures.replaced for each in line.ids}))
    numbers = {"withdrawn": withdrawn, "replaced_families": families, "kept": kept}
    return _of_province(Kind.REPLACED, figures, False, withdrawn, numbers, news=ids)


def _behind(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """The status of the page: whoever is told here stands there as behind, with the same numbers."""
    pace = figures.pace
    if pace.status not in BEHIND or not awaited(figures, limits):
        return []
    critical, missing = pace.status == "far_behind", -(pace.gap_families or 0)
    small = small_and_behind(figures, limits)
    numbers = {"visited": figures.visited, "target": figures.target, "plan_percent": figures.plan_percent}
    numbers |= {"small_kabkota": small, "small_limit": limits.behind.kabkota_families} if small else {}
    return [_of_province(Kind.BEHIND, figures, critical, missing, numbers)]


_FINDERS: tuple[Callable[[ProvinceFigures, Thresholds], Condition | None], ...] = (
    _no_data, _zero, _rejected, _held, _replaced,
)  # fmt: skip
