"""Conditions about families in quarantine: QUALITY of those to be asked again, CODE of those with a wrong region code.

Both begin when too many of a night's families, or of all that were visited, wait; they stand until nobody waits any
more. What still waits once the figures are within their limits again stands without pressing anybody.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from regsosek.alerts.conditions.condition import Condition, Key, Kind, Place, Severity
from regsosek.alerts.conditions.province_figures import CodeDesa, OfficerFigures, ProvinceFigures, Waiting
from regsosek.alerts.conditions.thresholds import (
    Thresholds,
    many_codes,
    many_quarantined,
    too_many_codes,
    too_many_quarantined,
)


@dataclass(frozen=True, slots=True)
class _Stock:
    """What waits at a place because of one kind, beside the families of the night and all that were visited."""

    kind: Kind
    place: Place
    waiting: Waiting
    judged: int
    visited: int
    rule: str = ""

    def over(self, limits: Thresholds) -> dict[str, tuple[int, int]]:
        """The shares that are over their limit, ``tonight`` of the night's families and ``stock`` of all visited."""
        shares = {"tonight": (self.waiting.tonight, self.judged), "stock": (self.waiting.families, self.visited)}
        return {name: share for name, share in shares.items() if self._many(name, *share, limits)}

    def _many(self, name: str, families: int, of: int, limits: Thresholds) -> bool:
        if self.kind is Kind.QUALITY:
            return many_quarantined(families, of, limits)
        if self.place.level == "provinsi":
            return many_codes(families, of, limits)
        # In a large province they would drown: so many of one night are told whatever their share.
        return families >= limits.code.kabkota_families and (name == "tonight" or many_codes(families, of, limits))

    def condition(self, night: date, severity: Severity, numbers: dict[str, float]) -> Condition:
        """The condition that these families make."""
        if self.kind is Kind.CODE:
            numbers |= {"new_sls": self.waiting.new_sls, "wrong_code": self.waiting.wrong_code}
        return Condition(self.kind, self.place, severity, night, self.waiting.families, numbers, self.rule)

    def age(self, night: date) -> dict[str, float]:
        """How many wait, and for how many nights the first of them, this one included."""
        since = self.waiting.since or night
        return {"waiting": self.waiting.families, "waiting_nights": (night - since).days + 1}


def waiting_conditions(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """Where too many families wait: the province first, then its kab/kota."""
    found = (_found(stock, figures.night, limits) for stock in _stocks(figures))
    return [each for each in found if each is not None]


def remaining_conditions(figures: ProvinceFigures, standing: Collection[Key]) -> list[Condition]:
    """What still waits of the conditions ``standing``, within its limits."""
    conditions = (
        stock.condition(figures.night, Severity.ATTENTION, stock.age(figures.night) | {"within_limits": 1})
        for stock in _stocks(figures)
        if stock.waiting.families
    )
    return [each for each in conditions if each.key in standing]


def waiting_places(figures: ProvinceFigures, limits: Thresholds) -> list[Condition]:
    """The details of kab/kota over a limit: desa with families of no sub-SLS, officers who make most of what waits."""
    over = {(each.kind, each.place.code) for each in waiting_conditions(figures, limits)}
    desa = [each for each in figures.code_desa if (Kind.CODE, each.kabkota) in over]
    officers = [each for each in _of_most(figures, limits) if (Kind.QUALITY, each.kabkota) in over]
    return [
        *(_desa(each, figures.night) for each in desa),
        *(_officer(each, figures.night) for each in officers[: limits.rows.officers]),
    ]


def desa_conditions(figures: ProvinceFigures) -> list[Condition]:
    """The desa with families of no sub-SLS."""
    return [_desa(each, figures.night) for each in figures.code_desa]


def _found(stock: _Stock, night: date, limits: Thresholds) -> Condition | None:
    over = stock.over(limits)
    if not over:
        return None
    numbers: dict[str, float] = {"limit_percent": _limit(stock.kind, limits)}
    numbers |= stock.age(night) if stock.waiting.since != night else {}
    if "tonight" in over:
        numbers |= {"tonight": stock.waiting.tonight, "judged": stock.judged}
    if "stock" in over:
        numbers |= {"stock": stock.waiting.families, "visited": stock.visited}
    too_many = too_many_quarantined if stock.kind is Kind.QUALITY else too_many_codes
    critical = any(too_many(*share, limits) for share in over.values())
    return stock.condition(night, Severity.CRITICAL if critical else Severity.ATTENTION, numbers)


def _limit(kind: Kind, limits: Thresholds) -> float:
    return limits.quality.attention_percent if kind is Kind.QUALITY else limits.code.attention_percent


def _stocks(figures: ProvinceFigures) -> Iterator[_Stock]:
    rule = next((each.rule_id for each in figures.asked_rules), "")
    whole, judged = Place("provinsi", figures.province), figures.families.judged
    yield _Stock(Kind.QUALITY, whole, figures.waiting.asked_again, judged, figures.visited, rule)
    yield _Stock(Kind.CODE, whole, _by_code(figures.waiting), judged, figures.visited)
    for each in figures.kabkota:
        place = Place("kabkota", each.code, each.name)
        yield _Stock(Kind.QUALITY, place, each.waiting.asked_again, each.received, each.visited)
        yield _Stock(Kind.CODE, place, _by_code(each.waiting), each.received, each.visited)


def _by_code(waiting: Waiting) -> Waiting:
    """Those that wait because of their region code."""
    return Waiting(waiting.code, waiting.code_since, waiting.code_tonight, waiting.new_sls, waiting.wrong_code)


def _desa(each: CodeDesa, night: date) -> Condition:
    place = Place("desa", each.code, "", each.kabkota)
    return Condition(Kind.CODE, place, Severity.ATTENTION, night, each.families, {"waiting": each.families})


def _of_most(figures: ProvinceFigures, limits: Thresholds) -> Iterable[OfficerFigures]:
    waiting = {each.code: each.waiting.asked_again.families for each in figures.kabkota}
    for each in figures.officers:
        most = each.waiting * 100 > limits.quality.officer_percent * waiting.get(each.kabkota, 0)
        if most and each.waiting >= limits.quality.officer_families:
            yield each


def _officer(each: OfficerFigures, night: date) -> Condition:
    place = Place("petugas", each.code, "", each.kabkota)
    return Condition(Kind.QUALITY, place, Severity.ATTENTION, night, each.waiting, {"waiting": each.waiting})
