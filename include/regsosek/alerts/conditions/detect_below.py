"""The conditions of a province's night below it: kab/kota, with sub-SLS as their details."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity
from regsosek.alerts.conditions.phase import awaited, delay
from regsosek.alerts.conditions.province_figures import HeadNotMet, KabkotaFigures, ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.statistics.measures.status import BEHIND
from regsosek.warehouse.nights.replacing import ReplacedFamilies


def kabkota_conditions(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """The conditions of the kab/kota, by code."""
    away: defaultdict[str, list[HeadNotMet]] = defaultdict(list)
    for head in figures.heads_not_met or ():
        away[head.kabkota].append(head)
    found: list[Condition | None] = []
    for each in figures.kabkota:
        found += [
            _no_data(each, figures, limits),
            _behind(each, figures, limits),
            _appointment(each, away[each.code]),
        ]
    found += [_replaced(each, figures) for each in figures.replaced]
    return [each for each in found if each is not None]


def _replaced(each: ReplacedFamilies, figures: ProvinceFigures) -> Condition | None:
    place = next((Place("kabkota", k.code, k.name) for k in figures.kabkota if k.code == each.code), None)
    if place is None or not each.withdrawn:
        return None
    numbers = {"withdrawn": each.withdrawn, "replaced_families": each.families, "kept": each.kept}
    severity = Severity.ATTENTION
    return Condition(Kind.REPLACED, place, severity, figures.night, each.withdrawn, numbers, each.deliveries)


def small_places(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """The details of kab/kota: silent sub-SLS and heads not met, the largest, as many as ``limits.rows`` says."""
    most = limits.rows
    away = sorted(figures.heads_not_met or (), key=lambda head: (-head.families, head.code))[: most.subsls]
    return [
        *_silent_subsls(figures, most.subsls),
        *(_detail(Kind.APPOINTMENT, Place("subsls", e.code, e.name, e.kabkota), e.since, e.families) for e in away),
    ]


def _silent_subsls(figures: ProvinceFigures, most: int) -> Iterable[Condition]:
    if not figures.window.is_open(figures.night) or not figures.families.judged:
        return
    for each in figures.silent_subsls[:most]:
        place, since = Place("subsls", each.code, each.name, each.kabkota), each.last_arrival + timedelta(days=1)
        yield _detail(Kind.NO_DATA, place, since, each.families, silent_nights=(figures.night - each.last_arrival).days)


def _detail(kind: Kind, place: Place, since: date, families: int, **figures: float) -> Condition:
    return Condition(kind, place, Severity.ATTENTION, since, families, figures)


def _of(kabkota: KabkotaFigures) -> Place:
    return Place("kabkota", kabkota.code, kabkota.name)


def _severity(critical: bool) -> Severity:
    return Severity.CRITICAL if critical else Severity.ATTENTION


def _no_data(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    """Silent while the province delivers: longer than usual, counted from the opening where nothing ever came."""
    night, window = figures.night, figures.window
    if not figures.families.judged or not awaited(figures, limits) or each.visited >= each.plan_base or each.received:
        return None
    nights = window.day_of_window(night)
    nights = min(nights, (night - each.last_arrival).days) if each.last_arrival else nights
    if nights < limits.no_data.kabkota_nights + delay(each.days_late, limits):
        return None
    numbers = {
        "silent_nights": nights,
        "visited": each.visited,
        "target": each.plan_base,
        "plan_percent": figures.pace_of_kabkota(each).plan_percent or 0.0,
    }
    if each.active:
        numbers |= {"silent": each.silent, "active": each.active}
    since = night - timedelta(days=nights - 1)
    return Condition(Kind.NO_DATA, _of(each), Severity.ATTENTION, since, each.plan_base - each.visited, numbers)


def small_and_behind(figures: ProvinceFigures, limits: Thresholds) -> int:
    """The kab/kota that the page calls behind and that are too small to be told of."""
    return sum(each.plan_base < limits.behind.kabkota_families for each in figures.behind_below)


def _behind(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    pace = figures.pace_of_kabkota(each)
    small = each.plan_base < limits.behind.kabkota_families
    if pace.status not in BEHIND or small or not awaited(figures, limits):
        return None
    return behind_plan(each, figures)


def behind_plan(each: KabkotaFigures, figures: ProvinceFigures) -> Condition:
    """A kab/kota that the page calls behind."""
    pace = figures.pace_of_kabkota(each)
    critical, missing = pace.status == "far_behind", -(pace.gap_families or 0)
    numbers = {"visited": each.visited, "target": each.plan_base, "plan_percent": pace.plan_percent or 0.0}
    return Condition(Kind.BEHIND, _of(each), _severity(critical), figures.night, missing, numbers)


def _appointment(each: KabkotaFigures, away: Sequence[HeadNotMet]) -> Condition | None:
    if not away:
        return None
    since, families = min(head.since for head in away), sum(head.families for head in away)
    numbers = {"sls": len(away)}
    return Condition(Kind.APPOINTMENT, _of(each), Severity.ATTENTION, since, families, numbers)
