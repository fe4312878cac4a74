"""The conditions of a province's night as they are told: of the whole, and of the kab/kota that they come from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from regsosek.alerts.condition import Condition, Kind, Place, Severity, State, Told, Why
from regsosek.alerts.conditions import Condition as Decided
from regsosek.alerts.conditions import Standing, recovered_kinds
from regsosek.alerts.province_figures import KabkotaFigures, ProvinceFigures


def told_tonight(figures: ProvinceFigures, decided: Sequence[Decided], before: Sequence[Standing]) -> tuple[Told, ...]:
    """What :func:`conditions.decide` found, most severe first, then the kab/kota behind it, the heaviest first."""
    since: dict[str, date] = {each.kind: each.since for each in before}
    whole = [_whole(each, figures) for each in decided if each.kind != "RECOVERED"]
    parts = [part for each in whole for part in _of_kabkota(each, figures)]
    gone = [
        _recovered(kind, figures, since.get(kind, each.since))
        for each in decided
        if each.kind == "RECOVERED"
        for kind in recovered_kinds(each)
    ]
    return (*whole, *_heaviest_first(parts), *gone)


def _heaviest_first(parts: Sequence[Told]) -> list[Told]:
    """By the families that each kab/kota must deal with in all, then by those of each kind."""
    burden: Counter[str] = Counter()
    for each in parts:
        burden[each.condition.place.code] += each.condition.families

    def urgency(told: Told) -> tuple[int, str, int]:
        code = told.condition.place.code
        return -burden[code], code, -told.condition.families

    return sorted(parts, key=urgency)


def _whole(each: Decided, figures: ProvinceFigures) -> Told:
    kind, severity = Kind(each.kind), Severity(each.severity)
    place = Place("provinsi", figures.province)
    condition = Condition(kind, place, severity, each.since, _families(kind, figures), each.figures, each.news)
    return Told(condition, _why(condition, figures.night))


def _why(condition: Condition, night: date) -> Why:
    if condition.since == night:
        return Why.NEW
    return Why.CRITICAL if condition.severity is Severity.KRITIS else Why.REMINDER


def _recovered(kind: str, figures: ProvinceFigures, since: date) -> Told:
    place = Place("provinsi", figures.province)
    condition = Condition(Kind(kind), place, Severity.PERHATIAN, since, 0, state=State.RESOLVED)
    return Told(condition, Why.RECOVERED)


def _of_kabkota(whole: Told, figures: ProvinceFigures) -> list[Told]:
    burdens = [(_burden(each, whole.condition.kind, figures.plan_percent), each) for each in figures.kabkota]
    return [
        Told(replace(whole.condition, place=Place("kabkota", each.code, each.name), families=n, figures={}), whole.why)
        for n, each in burdens
        if n > 0
    ]


def _burden(kabkota: KabkotaFigures, kind: Kind, plan_percent: float) -> int:
    """Families of one kab/kota that a condition of the province is about."""
    match kind:
        case Kind.BEHIND:
            return max(0, round(plan_percent / 100 * kabkota.load) - kabkota.visited)
        case Kind.QUALITY:
            return kabkota.quarantined
        case Kind.CODE:
            return kabkota.off_frame
    return 0


def _families(kind: Kind, figures: ProvinceFigures) -> int:
    match kind:
        case Kind.REJECTED:
            return sum(each.families for each in figures.rejected)
        case Kind.HELD:
            return sum(each.families for each in figures.held)
        case Kind.QUALITY:
            return figures.families.quarantined
        case Kind.BEHIND:
            return round(figures.plan_percent / 100 * figures.target) - figures.visited
        case Kind.CODE:
            return figures.off_frame
    return 0
