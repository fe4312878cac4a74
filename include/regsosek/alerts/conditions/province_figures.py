"""What is known of one province's night, as plain values: all that conditions and digests rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from regsosek.alerts.conditions.condition import Place
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import PlanCurve
from regsosek.statistics.measures.course import Course, Pace, course_of, is_known, pace_of
from regsosek.statistics.measures.status import BEHIND, NOT_WELL
from regsosek.warehouse.nights.holding import HeldDelivery
from regsosek.warehouse.nights.replacing import ReplacedFamilies

# A code that no frame knows (G03), or that contradicts itself (G01). What G02 places is accepted and waits for nobody.
CODE_RULES = ("G01", "G03")


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows of one dataset in the deliveries of one night; ``other``: superseded, duplicate or withdrawn."""

    received: int = 0
    loaded: int = 0
    quarantined: int = 0
    held: int = 0
    rejected: int = 0
    other: int = 0

    @property
    def judged(self) -> int:
        """Rows of accepted deliveries: those held or rejected whole were never looked at one by one."""
        return self.received - self.held - self.rejected


@dataclass(frozen=True, slots=True)
class RejectedDelivery:
    """A delivery rejected whole; ``reason`` is a key of ``contract/reasons.csv``, ``families`` is 0 if not known."""

    delivery_id: str
    delivered_on: date
    reason: str
    families: int
    instrument: str = QUESTIONNAIRE


@dataclass(frozen=True, slots=True)
class RuleViolations:
    """How many rows violate one critical rule, or how many families wait because of it."""

    rule_id: str
    rows: int


def asked_again(rules: Sequence[RuleViolations]) -> tuple[RuleViolations, ...]:
    """The rules that families are asked about again: all but those of region codes."""
    return tuple(each for each in rules if each.rule_id not in CODE_RULES)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Families of a place whose newest revision is in quarantine as of the night, whenever it arrived.

    Attributes:
        since: the night that brought the first of them; None if nobody waits.
        tonight: those that this night brought.
        new_sls, wrong_code: those whose region code breaks G03 or G01; what G02 placed above a sub-SLS does not wait.
        code_since, code_tonight: of these two together.
        code_alone, alone_tonight: those of them that break no other critical rule: their code is looked up, and nobody
            asks the family again; ``asked_since`` is the first night of all others.
    """

    families: int = 0
    since: date | None = None
    tonight: int = 0
    new_sls: int = 0
    wrong_code: int = 0
    code_since: date | None = None
    code_tonight: int = 0
    code_alone: int = 0
    alone_tonight: int = 0
    asked_since: date | None = None

    @property
    def code(self) -> int:
        """Families that wait because of their region code."""
        return self.new_sls + self.wrong_code

    @property
    def asked_again(self) -> "Waiting":
        """Those of whom the family must be asked again."""
        if not self.code_alone:
            return self
        return Waiting(self.families - self.code_alone, self.asked_since, self.tonight - self.alone_tonight)


NOBODY = Waiting()


@dataclass(frozen=True, slots=True)
class KabkotaFigures:
    """One kab/kota: ``load`` and ``visited`` in families, cumulative; ``received`` in rows of the night.

    Attributes:
        waiting: its families in quarantine; ``rules``: the critical rules that they break, the most families first.
        target: families that it is to enumerate, where that is supplied; else its load is what is planned.
        last_arrival: the newest night that brought a family; None if none did.
        days_late: mean days from enumeration to first arrival; 0 before enough nights were seen.
        active, silent: sub-SLS at work, and those of them that brought nothing for a while.
        curve: its own plan, where one is supplied; else it follows the plan of its province.
    """

    code: str
    name: str
    load: int
    visited: int
    received: int
    waiting: Waiting = NOBODY
    last_arrival: date | None = None
    days_late: float = 0.0
    active: int = 0
    silent: int = 0
    target: int | None = None
    curve: PlanCurve | None = None
    rules: tuple[RuleViolations, ...] = ()

    @property
    def plan_base(self) -> int:
        """The plan's denominator."""
        return self.load if self.target is None else self.target


@dataclass(frozen=True, slots=True)
class SilentSubsls:
    """A sub-SLS at work that brought nothing since ``last_arrival``; ``families`` of its load are not visited."""

    code: str
    name: str
    kabkota: str
    families: int
    last_arrival: date


@dataclass(frozen=True, slots=True)
class OfficerFigures:
    """An officer by code, and how many of the officer's families wait in quarantine."""

    code: str
    kabkota: str
    waiting: int


@dataclass(frozen=True, slots=True)
class CodeDesa:
    """A desa with families that wait because their code leads to no sub-SLS of it: a new SLS, or a wrong code."""

    code: str
    kabkota: str
    families: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class HeadNotMet:
    """A place that is worked in since ``since`` while the head of its SLS was not met; ``families`` of its load."""

    code: str
    name: str
    kabkota: str
    families: int
    since: date


@dataclass(frozen=True, slots=True)
class ProvinceFigures:
    """One province's night.

    Attributes:
        deliveries: number of deliveries of questionnaire K by state.
        stream_deliveries: number of deliveries of streams by state.
        unfinished: delivery folders without a manifest, which therefore belong to no night yet.
        families, persons: rows of ``keluarga`` and ``anggota`` in the night's deliveries.
        rejected: the rejected deliveries in their order.
        repairs: what reading the accepted deliveries repaired, by kind of ``contract/repairs.csv``.
        waiting: its families in quarantine.
        rules: the critical rules that they wait because of, most frequent first.
        held: the deliveries that wait for an operator's decision, of this and earlier nights, in order of arrival.
        held_rules: the critical rules that they violate, most frequent first; they are no part of ``rules``.
        replaced: what the night's accepted deliveries replaced and withdrew, by kab/kota.
        superseded: of each delivery in ``replaced`` the ids of the deliveries that it replaced.
        kabkota: every kab/kota of the province, by code.
        visited, visited_before: families visited up to this night, and up to the night before.
        target: families to visit; ``scale`` below 1 says that frame and target are a sample.
        simulated: no real families, as the release says it.
        last_arrival: day of the newest earlier delivery that was accepted with families in it.
        silent_subsls: the largest sub-SLS at work that brought nothing for a while.
        code_desa: desa with families that wait because no sub-SLS takes their code, the most families first.
        officers: those whose families wait in quarantine, the most families first.
        beside: of the province and each kab/kota without a document the families that other streams tell of, by stream.
        heads_not_met: None outside of the window, where nobody looks for them.
    """

    province: str
    night: date
    window: FieldWindow
    target: int
    target_source: str
    scale: float
    visited: int
    simulated: bool = False
    visited_before: int = 0
    deliveries: Mapping[str, int] = field(default_factory=dict)
    stream_deliveries: Mapping[str, int] = field(default_factory=dict)
    unfinished: int = 0
    families: RowCounts = field(default_factory=RowCounts)
    persons: RowCounts = field(default_factory=RowCounts)
    rejected: tuple[RejectedDelivery, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    waiting: Waiting = NOBODY
    rules: tuple[RuleViolations, ...] = ()
    held: tuple[HeldDelivery, ...] = ()
    held_rules: tuple[RuleViolations, ...] = ()
    replaced: tuple[ReplacedFamilies, ...] = ()
    superseded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kabkota: tuple[KabkotaFigures, ...] = ()
    last_arrival: date | None = None
    silent_subsls: tuple[SilentSubsls, ...] = ()
    code_desa: tuple[CodeDesa, ...] = ()
    officers: tuple[OfficerFigures, ...] = ()
    beside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    heads_not_met: tuple[HeadNotMet, ...] | None = None

    @property
    def asked_rules(self) -> tuple[RuleViolations, ...]:
        """Its rules that families are asked about again."""
        return asked_again(self.rules)

    @property
    def pace(self) -> Pace:
        """Where it stands by its plan: as pages and tables say it."""
        course = course_of(self.window, self.night)
        return pace_of(course, self.visited, self.target, known=self._known(course))

    @property
    def plan_percent(self) -> float:
        """What the plan expects by the end of the night, in percent of the target."""
        return course_of(self.window, self.night).percent

    def pace_of_kabkota(self, each: KabkotaFigures) -> Pace:
        """Where a kab/kota stands by its own curve, else by the plan of the province."""
        course = course_of(self.window, self.night, each.curve)
        return pace_of(course, each.visited, each.plan_base, known=self._known(course))

    def pace_at(self, place: Place) -> Pace | None:
        """Where the province or one of its kab/kota stands; None for any other place."""
        if place.level == "provinsi":
            return self.pace
        own = next((each for each in self.kabkota if place.level == "kabkota" and each.code == place.code), None)
        return None if own is None else self.pace_of_kabkota(own)

    @property
    def behind_below(self) -> tuple[KabkotaFigures, ...]:
        """The kab/kota that the page calls behind, however small, by code."""
        return tuple(each for each in self.kabkota if self.pace_of_kabkota(each).status in BEHIND)

    @property
    def well(self) -> bool:
        """Whether the page knows neither the province nor any of its kab/kota to be behind."""
        return self.pace.status not in NOT_WELL and not self.behind_below

    def _known(self, course: Course) -> bool:
        return is_known(course, processed=True, sent=self.visited > 0)

    @property
    def silent_nights(self) -> int:
        """Nights in a row without a family in an accepted delivery, this one included; 0 if this one brought some."""
        if self.families.judged:
            return 0
        before_opening = self.window.day_of_window(self.night)
        return min(before_opening, (self.night - self.last_arrival).days) if self.last_arrival else before_opening
