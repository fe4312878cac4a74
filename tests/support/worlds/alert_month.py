"""A month of the nation in memory: 34 provinces by night, with problems planted, judged and told as in production."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from regsosek.alerts.conditions.condition import Kind, Place, Severity, Why
from regsosek.alerts.conditions.evaluation import Rules, common_silence
from regsosek.alerts.conditions.operator_actions import Act, Verb
from regsosek.alerts.conditions.province_figures import (
    HeadNotMet,
    KabkotaFigures,
    ProvinceFigures,
    RejectedDelivery,
    RowCounts,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.platform_message import PlatformFigures
from regsosek.alerts.persistence.waiting_families import together
from regsosek.geography.calendar import FieldWindow, field_windows
from regsosek.geography.known_events import KnownEvent
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import region_master
from regsosek.warehouse.nights.holding import HeldDelivery
from support.worlds.alert_memory import Memory

NIGHTS = 31
LOAD = 10_000  # families of every kab/kota
OPENS = field_windows()["11"].opens


def day(n: int) -> date:
    """Day ``n`` of the window, from 1."""
    return OPENS + timedelta(days=n - 1)


@dataclass(frozen=True)
class Planted:
    """A problem: what, where, from which day of the window to which; ``known``: told to nobody, it is explained."""

    kind: Kind
    place: str
    first: int
    last: int
    words: str
    known: bool = False

    @property
    def province(self) -> str:
        return self.place[:2]

    def holds(self, n: int) -> bool:
        return self.first <= n <= self.last


OUTAGE = (11, 12)  # object storage is down: no province can be processed
SILENT_LANDING = 24  # nights run, but nothing reaches the landing area of anybody
PLANTED = (
    Planted(Kind.NO_DATA, "94", 5, 8, "Papua is silent for four nights"),
    Planted(Kind.REJECTED, "64", 9, 9, "a delivery of Kalimantan Timur is rejected"),
    Planted(Kind.QUALITY, "32", 14, 18, "8 % of Jawa Barat go into quarantine"),
    Planted(Kind.QUALITY, "36", 15, 15, "20 % of Banten go into quarantine in one night"),
    Planted(Kind.HELD, "35", 16, 18, "a delivery of Jawa Timur is held, and freed after three nights"),
    Planted(Kind.CODE, "14", 18, 19, "codes of Riau lead to no SLS"),
    Planted(Kind.ZERO, "17", 14, 14, "the delivery of Bengkulu is empty"),
    Planted(Kind.BEHIND, "53", 6, 22, "NTT falls behind, and catches up"),
    Planted(Kind.NO_DATA, "7371", 16, 18, "Makassar is silent while Sulawesi Selatan delivers"),
    Planted(Kind.APPOINTMENT, "3171", 6, 9, "heads of SLS in Jakarta Selatan are not met before a weekend"),
    Planted(Kind.BEHIND, "3374", 7, 14, "Semarang is flooded", known=True),
    Planted(Kind.NO_DATA, "51", 20, 21, "Bali celebrates", known=True),
)
EVENTS = (
    KnownEvent("banjir-semarang", "3374", frozenset({"BEHIND", "NO_DATA"}), day(7), day(16), "banjir", "BPS Jateng"),
    KnownEvent("galungan", "51", frozenset({"NO_DATA", "ZERO"}), day(20), day(21), "hari raya", "BPS Bali"),
)
IN_HAND = 19
LATE = {"81": 1}  # Maluku synchronises a day late, which nobody is told of
FAST = {"94": (5, 2.5)}  # Papua was ahead until it fell silent
MENDED = 2  # nights after which the families of a planted problem are corrected; the others are at once
SLOW_PER_DAY, TAIL_PER_DAY = 0.012, 0.003  # of the load: where work falls behind, and when all but the last is done


@dataclass
class Month:
    """What was told: of each province by night, and of us the nights and what they were about."""

    memory: dict[str, Memory] = field(default_factory=lambda: {each.code: Memory() for each in provinces()})
    ours: dict[date, str] = field(default_factory=dict)
    fingerprints: dict[date, str] = field(default_factory=dict)

    def news(self) -> Counter[tuple[str, Kind, str]]:
        """How often each province was told of each kind at each place as new."""
        return Counter(
            (code, told.condition.kind, told.condition.place.code)
            for code, memory in self.memory.items()
            for of_night in memory.told.values()
            for told in of_night
            if told.why is Why.NEW and told.condition.place.level in {"provinsi", "kabkota"}
        )

    def messages(self, code: str) -> int:
        """Messages to a province."""
        return len(self.memory[code].told)

    def whys(self, code: str) -> Counter[Why]:
        """Why a province was told of its conditions."""
        return Counter(told.why for of_night in self.memory[code].told.values() for told in of_night)


def run_month() -> Month:
    """Judges every night of the month for every province."""
    month, rules = Month(), Rules(thresholds(), EVENTS)
    worlds = {each.code: World(each.code) for each in provinces()}
    for n in range(1, NIGHTS + 1):
        figures = {code: world.night(n) for code, world in worlds.items()}
        if n in OUTAGE:
            _tell_ours(
                month, PlatformFigures(day(n), list(figures), frozenset(), dict.fromkeys(figures, "down"), "none")
            )
            continue
        silent = common_silence(day(n), figures, rules.limits)
        judged = {
            code: month.memory[code].judge(each, rules, suspected=code in silent) for code, each in figures.items()
        }
        come_up = {
            code: [told for told in each.telling.told if told.why is Why.ESCALATED] for code, each in judged.items()
        }
        escalated = {code: told for code, told in come_up.items() if told}
        held = tuple(delivery for each in figures.values() for delivery in each.held)
        ours = PlatformFigures(day(n), list(figures), frozenset(figures), {}, None, {}, held, tuple(silent),
                               escalated)  # fmt: skip
        _tell_ours(month, ours)
        _operators(month, n)
    return month


def _tell_ours(month: Month, ours: PlatformFigures) -> None:
    """As ``alerts.nightly`` does: faults every night, what waits or has come up to us when it is news."""
    repeated = not ours.at_fault and month.fingerprints.get(ours.night - timedelta(days=1)) == ours.fingerprint
    month.fingerprints[ours.night] = ours.fingerprint
    if ours.anything and not repeated:
        known = {"object storage": ours.failed, "landing": ours.silent, "escalated": ours.escalated, "held": ours.held}
        month.ours[ours.night] = next(what for what, holds in known.items() if holds)


def _operators(month: Month, n: int) -> None:
    """Once they have come to the centre, somebody takes the arrears of NTT in hand."""
    if n == IN_HAND:
        at = datetime.combine(day(n + 1), datetime.min.time(), UTC)
        place = Place("provinsi", "53")
        act = Act(Kind.BEHIND, place, Verb.ACK, "operator", "helpers are on their way", at, day(n), Severity.CRITICAL)
        month.memory["53"].acts.append(act)


def _delay(code: str, n: int) -> float:
    """Days from a visit to its arrival by day ``n``."""
    return min(LATE.get(code, 0), n / 2)


class World:
    """One province's campaign: every kab/kota goes by the plan but where something is planted."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.window = FieldWindow(code, OPENS, OPENS + timedelta(days=NIGHTS - 1))
        regions = region_master().regions.values()
        self.names = {each.code: each.name for each in regions if each.level == "kabkota" and each.parent_code == code}
        self.visited = dict.fromkeys(self.names, 0)
        self.arrived: dict[str, date] = {}
        self.bad: dict[str, dict[int, int]] = {each: {} for each in self.names}
        self.planted = [each for each in PLANTED if each.province == code]

    def night(self, n: int) -> ProvinceFigures:
        """The figures of day ``n``; what could not come in an outage comes with the next night."""
        if n in OUTAGE:
            return self._figures(n, {})
        before, last = dict(self.visited), max(self.arrived.values(), default=None)
        if not self._silent(n):
            self.visited |= {kabkota: self._reached(kabkota, n) for kabkota in self.visited}
        received = {kabkota: self.visited[kabkota] - before[kabkota] for kabkota in before}
        self.arrived |= {kabkota: day(n) for kabkota, families in received.items() if families}
        return replace(self._figures(n, received), last_arrival=last, visited_before=sum(before.values()))

    def _silent(self, n: int) -> bool:
        return n == SILENT_LANDING or any(
            each.holds(n) and each.place == self.code and each.kind in {Kind.NO_DATA, Kind.ZERO, Kind.HELD}
            for each in self.planted
        )

    def _reached(self, kabkota: str, n: int) -> int:
        known = self.visited[kabkota]
        for each in self.planted:
            if each.holds(n) and each.place == kabkota and each.kind is not Kind.APPOINTMENT:
                return known
            if each.holds(n) and each.place == self.code and each.kind is Kind.BEHIND:
                return known + round(SLOW_PER_DAY * LOAD)
        until, fast = FAST.get(self.code, (0, 0.97))
        planned = self.window.curve(day(n)).share(n - _delay(self.code, n))
        share = min(0.97, planned * (fast if n <= until else 0.97))
        tail = TAIL_PER_DAY * max(0, n - 22)
        return max(known, round(min(1, share + tail) * LOAD))

    def _figures(self, n: int, received: Mapping[str, int]) -> ProvinceFigures:
        total = sum(received.values())
        planted = {each.kind: each for each in self.planted if each.holds(n) and each.place == self.code}
        share = {"32": 8, "36": 20}.get(self.code, 1) if Kind.QUALITY in planted else 1
        quarantined = total * share // 100
        for kabkota, families in received.items():
            bad = families * share // 100 if Kind.QUALITY in planted else 5 if Kind.CODE in planted else 0
            self.bad[kabkota][n] = bad
        held, rejected = tuple(self._held(n, planted)), tuple(self._rejected(n, planted))
        return ProvinceFigures(
            province=self.code,
            night=day(n),
            window=self.window,
            target=LOAD * len(self.visited),
            target_source="published",
            scale=1.0,
            visited=sum(self.visited.values()),
            deliveries={
                "accepted": int(total > 0 or Kind.ZERO in planted),
                "held": len(held),
                "rejected": len(rejected),
            },
            families=RowCounts(total + 700 * len(rejected), total - quarantined, quarantined, 0, 700 * len(rejected)),
            rejected=rejected,
            held=held,
            rules=(RuleViolations("P05", quarantined),) if quarantined else (),
            kabkota=tuple(self._kabkota(each, n, received.get(each, 0)) for each in self.visited),
            waiting=together(self.waiting(n, each) for each in self.visited),
            heads_not_met=self._heads(n),
        )

    def _kabkota(self, code: str, n: int, received: int) -> KabkotaFigures:
        return KabkotaFigures(
            code, self.names[code], LOAD, self.visited[code], received, self.waiting(n, code),
            self.arrived.get(code), _delay(self.code, n),
        )  # fmt: skip

    def waiting(self, n: int, kabkota: str) -> Waiting:
        """What a planted problem brought into quarantine until it is corrected."""
        bad = {night: self.bad[kabkota].get(night, 0) for night in range(n - MENDED + 1, n + 1)}
        since = min((day(night) for night, families in bad.items() if families), default=None)
        codes = self.code in {each.province for each in self.planted if each.kind is Kind.CODE}
        code = (sum(bad.values()), 0, since, bad[n]) if codes else (0, 0, None, 0)
        return Waiting(sum(bad.values()), since, bad[n], *code)

    def _held(self, n: int, planted: Mapping[Kind, Planted]) -> Iterator[HeldDelivery]:
        if Kind.HELD in planted:
            since = day(planted[Kind.HELD].first)
            yield HeldDelivery(self.code, "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", since, since, 40_000, 120_000, ())

    def _rejected(self, n: int, planted: Mapping[Kind, Planted]) -> Iterator[RejectedDelivery]:
        if Kind.REJECTED in planted:
            yield RejectedDelivery("01GFXKQ2Z8V3M5N7P9R1T3W5Y7", day(n), "file_missing", 700)

    def _heads(self, n: int) -> tuple[HeadNotMet, ...]:
        away = [each.place for each in self.planted if each.kind is Kind.APPOINTMENT and each.holds(n)]
        return tuple(HeadNotMet(f"{place}010001000100", "RT 01", place, 90, day(3)) for place in away)
