"""The conditions of a province's night below it: kab/kota, with desa, sub-SLS and officers as their details."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from regsosek.alerts.condition import Condition, Kind, Place, Severity
from regsosek.alerts.phase import awaited, behind_margin, delay, planned_percent
from regsosek.alerts.province_figures import HeadNotMet, KabkotaFigures, OfficerFigures, ProvinceFigures
from regsosek.alerts.thresholds import Thresholds
from regsosek.geography.plan import Plans


def kabkota_conditions(figures: ProvinceFigures, limits: Thresholds, plans: Plans) -> list[Condition]:
    """The conditions of the kab/kota, by code."""
    away: defaultdict[str, list[HeadNotMet]] = defaultdict(list)
    for head in figures.heads_not_met or ():
        away[head.kabkota].append(head)
    found: list[Condition | None] = []
    for each in figures.kabkota:
        found += [
            _no_data(each, figures, limits),
            _quality(each, figures, limits),
            _behind(each, figures, limits, plans),
            _code(each, figures, limits),
            _appointment(each, away[each.code]),
        ]
    return [each for each in found if each is not None]


def small_places(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """The details of kab/kota: silent sub-SLS, heads not met, desa with families of no sub-SLS, officers.

    An officer is one who makes most of his kab/kota's quarantine.

    Only so many of each kind as ``limits.rows`` says, the largest first.
    """
    night, most = figures.night, limits.rows
    silent = figures.silent_subsls[: most.subsls] if figures.window.is_open(night) and figures.families.judged else ()
    away = sorted(figures.heads_not_met or (), key=lambda head: (-head.families, head.code))[: most.subsls]
    coded = {each.code for each in figures.kabkota if _code(each, figures, limits)}
    officers = list(_most_of_their_kabkota(figures, limits))[: most.officers]
    return [
        *(
            Condition(
                Kind.NO_DATA,
                Place("subsls", each.code, each.name, each.kabkota),
                Severity.PERHATIAN,
                each.last_arrival + timedelta(days=1),
                each.families,
                {"silent_nights": (night - each.last_arrival).days},
            )
            for each in silent
        ),
        *(
            Condition(
                Kind.APPOINTMENT,
                Place("subsls", each.code, each.name, each.kabkota),
                Severity.PERHATIAN,
                each.since,
                each.families,
            )
            for each in away
        ),
        *(
            Condition(
                Kind.CODE,
                Place("desa", each.code, "", each.kabkota),
                Severity.PERHATIAN,
                night,
                each.families,
                {"off_frame": each.families, "in_known_desa": each.families},
            )
            for each in figures.off_frame_desa
            if each.kabkota in coded
        ),
        *(_officer(each, figures, limits) for each in officers),
    ]


def _of(kabkota: KabkotaFigures) -> Place:
    return Place("kabkota", kabkota.code, kabkota.name)


def _severity(critical: bool) -> Severity:
    return Severity.KRITIS if critical else Severity.PERHATIAN


def _no_data(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    """Silent while the province delivers: longer than usual, counted from the opening where nothing ever came."""
    night, window = figures.night, figures.window
    if not figures.families.judged or not awaited(figures, limits) or each.visited >= each.load or each.received:
        return None
    nights = window.day_of_window(night)
    nights = min(nights, (night - each.last_arrival).days) if each.last_arrival else nights
    if nights < limits.no_data.kabkota_nights + delay(each.days_late, limits):
        return None
    numbers = {
        "silent_nights": nights,
        "visited": each.visited,
        "target": each.load,
        "plan_percent": figures.plan_percent,
        "silent": each.silent,
        "active": each.active,
    }
    since = night - timedelta(days=nights - 1)
    return Condition(Kind.NO_DATA, _of(each), Severity.PERHATIAN, since, each.load - each.visited, numbers)


def _quality(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    limit = limits.quality
    if each.received < limit.least_families or each.quarantined * 100 <= limit.attention_percent * each.received:
        return None
    critical = each.quarantined * 100 > limit.critical_percent * each.received
    numbers = {
        "quarantined": each.quarantined,
        "judged": each.received,
        "limit_percent": limit.attention_percent,
    }
    return Condition(Kind.QUALITY, _of(each), _severity(critical), figures.night, each.quarantined, numbers)


def _behind(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds, plans: Plans) -> Condition | None:
    day, late = figures.window.day_of_window(figures.night), delay(each.days_late, limits)
    planned = planned_percent(plans.supplied.get(each.code, figures.window.plan), day - late)
    muted = day <= limits.behind.muted_days or each.load < limits.behind.kabkota_families
    reached = each.visited * 100
    if muted or not awaited(figures, limits) or reached >= (planned - behind_margin(figures, limits)) * each.load:
        return None
    numbers = {"visited": each.visited, "target": each.load, "plan_percent": planned, "late_days": late}
    critical = reached < (planned - limits.behind.critical_points) * each.load
    missing = round(planned / 100 * each.load) - each.visited
    return Condition(Kind.BEHIND, _of(each), _severity(critical), figures.night, missing, numbers)


def _code(each: KabkotaFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition | None:
    limit, off = limits.code, each.off_frame
    if off < limit.attention_families:  # a share of few families would name a kab/kota for one new SLS
        return None
    critical = off * 100 >= limit.critical_percent * each.received
    numbers = {"off_frame": off, "judged": each.received}
    return Condition(Kind.CODE, _of(each), _severity(critical), figures.night, off, numbers)


def _appointment(each: KabkotaFigures, away: Sequence[HeadNotMet]) -> Condition | None:
    if not away:
        return None
    since, families = min(head.since for head in away), sum(head.families for head in away)
    numbers = {"sls": len(away)}
    return Condition(Kind.APPOINTMENT, _of(each), Severity.PERHATIAN, since, families, numbers)


def _most_of_their_kabkota(figures: ProvinceFigures, limits: Thresholds) -> Iterable[OfficerFigures]:
    limit, by_code = limits.quality, {each.code: each for each in figures.kabkota}
    for each in figures.officers:
        kabkota = by_code.get(each.kabkota)
        if kabkota is None or each.quarantined < limit.officer_families:
            continue
        too_many = kabkota.quarantined * 100 > limit.attention_percent * kabkota.received
        if too_many and each.quarantined * 100 > limit.officer_percent * kabkota.quarantined:
            yield each


def _officer(each: OfficerFigures, figures: ProvinceFigures, limits: Thresholds) -> Condition:
    critical = each.quarantined * 100 > limits.quality.critical_percent * each.judged
    numbers = {
        "quarantined": each.quarantined,
        "judged": each.judged,
        "limit_percent": limits.quality.attention_percent,
    }
    place = Place("petugas", each.code, "", each.kabkota)
    return Condition(Kind.QUALITY, place, _severity(critical), figures.night, each.quarantined, numbers)
