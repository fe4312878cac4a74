"""The life of one condition under whatever happens: nights missed and judged again, acknowledged, snoozed, woken."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity, State, Why
from regsosek.alerts.conditions.evaluation import Evaluation, Rules
from regsosek.alerts.conditions.operator_actions import Act, Verb
from regsosek.alerts.conditions.province_figures import NOBODY, ProvinceFigures, RowCounts, Waiting
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.geography.calendar import FieldWindow
from support.checks.matrix import examples
from support.worlds.alert_memory import Memory

LIMITS = thresholds()
OPENS = date(2022, 10, 15)
WHOLE = Place("provinsi", "64")
OPEN_STATES = {State.OPEN, State.ESCALATED}


def figures(night: date, quarantined: int, *, arrived: bool = True) -> ProvinceFigures:
    """``quarantined`` families wait: they came tonight, or nothing did."""
    families = RowCounts(1000, 1000 - quarantined, quarantined) if arrived else RowCounts()
    waiting = Waiting(quarantined, night, quarantined if arrived else 0) if quarantined else NOBODY
    return ProvinceFigures(
        province="64",
        night=night,
        window=FieldWindow("64", OPENS, OPENS + timedelta(days=200)),
        target=100_000,
        target_source="published",
        scale=1.0,
        visited=100_000,
        deliveries={"accepted": 1} if arrived else {},
        families=families,
        waiting=waiting,
        last_arrival=night - timedelta(days=1),
    )


def act(verb: Verb, night: date, *, until: date | None = None, severity: Severity = Severity.ATTENTION) -> Act:
    at = datetime.combine(night + timedelta(days=1), datetime.min.time(), UTC)
    return Act(Kind.QUALITY, WHOLE, verb, "operator", "known", at, night, severity, until)


class LifeOfACondition(RuleBasedStateMachine):
    """Quality of one province, night by night; ``lives`` are the runs of nights in which it was found."""

    @initialize()
    def begin(self) -> None:
        self.memory, self.night, self.rules = Memory(), OPENS, Rules(LIMITS)
        self.last: Evaluation | None = None
        self.figures = figures(self.night, 0)
        self.found_since: date | None = None
        self.waiting = 0

    @rule(quarantined=st.sampled_from([0, 60, 200]), arrived=st.booleans(), missed=st.integers(0, 5))
    def judge_a_night(self, quarantined: int, arrived: bool, missed: int) -> None:
        self.night += timedelta(days=1 + missed)
        self.waiting = quarantined if arrived else self.waiting
        self.figures = figures(self.night, self.waiting, arrived=arrived)
        self.found_since = (self.found_since or self.night) if self.waiting else None
        self.last = self.memory.judge(self.figures, self.rules)

    @precondition(lambda self: self.last is not None)
    @rule(times=st.integers(1, 3))
    def judge_it_again(self, times: int) -> None:
        for _ in range(times):
            assert self.memory.judge(self.figures, self.rules) == self.last

    @precondition(lambda self: self.quality is not None)
    @rule(verb=st.sampled_from([Verb.ACK, Verb.SNOOZE]), nights=st.integers(1, 6))
    def silence(self, verb: Verb, nights: int) -> None:
        until = self.night + timedelta(days=nights) if verb is Verb.SNOOZE else None
        self.memory.acts.append(act(verb, self.night, until=until, severity=self.quality.severity))
        assert self.memory.judge(self.figures, self.rules) == self.last, "in force from the next night on"

    @precondition(lambda self: self.quality is not None and self.memory.acts)
    @rule()
    def wake(self) -> None:
        at = self.memory.acts[-1].at + timedelta(seconds=1)
        self.memory.acts.append(replace(act(Verb.WAKE, self.night), at=at))

    @property
    def quality(self) -> Condition | None:
        stand = [] if self.last is None else self.last.conditions
        return next((each for each in stand if each.kind is Kind.QUALITY and each.state is not State.RESOLVED), None)

    @property
    def told(self) -> list[tuple[date, Why, date]]:
        return [
            (night, each.why, each.condition.since)
            for night in sorted(self.memory.told)
            for each in self.memory.told[night]
            if each.condition.kind is Kind.QUALITY and each.why is not Why.STANDING
        ]

    @invariant()
    def it_stands_as_long_as_it_was_found_and_nobody_showed_it_gone(self) -> None:
        if self.last is not None:
            assert (self.quality.since if self.quality else None) == self.found_since

    @invariant()
    def a_life_is_told_as_new_once_and_as_gone_once(self) -> None:
        for why in (Why.NEW, Why.RECOVERED, Why.ESCALATED):
            lives = [since for _, each, since in self.told if each is why]
            assert len(lives) == len(set(lives)), why

    @invariant()
    def told_as_gone_is_only_what_was_told(self) -> None:
        earlier = [(OPENS, Why.RECOVERED), *((night, why) for night, why, _ in self.told)]
        for (before, last), (night, why, _) in zip(earlier, self.told, strict=False):
            if last is Why.RECOVERED:
                assert why is Why.NEW, "new first, and again once it was told as gone"
            elif why is Why.NEW:
                assert self.had_no_message_left(before, night), "its end was told if there was a message for it"

    def had_no_message_left(self, before: date, night: date) -> bool:
        """Whether the week's messages were used up on a night between the two: an end that waits for the next message
        is told by nobody where the same was found again meanwhile.
        """
        sent = [each for each, told in self.memory.told.items() if any(one.why is not Why.STANDING for one in told)]
        between = (before + timedelta(days=n) for n in range(1, (night - before).days))
        return any(
            sum(each - timedelta(days=7) <= one < each for one in sent) >= LIMITS.economy.messages_per_week
            for each in between
        )

    @invariant()
    def nothing_silenced_is_told(self) -> None:
        if self.quality is not None and self.quality.state not in OPEN_STATES:
            assert self.night not in [night for night, why, _ in self.told if why is not Why.RECOVERED]

    @invariant()
    def nothing_that_was_found_is_lost(self) -> None:
        """Open for an interval, arrived tonight, and in nobody's hand: the office was told of it in that time."""
        open_for_long = (
            self.quality is not None
            and self.quality.judged
            and self.quality.state in OPEN_STATES
            and self.quality.severity is Severity.CRITICAL
        )
        if open_for_long:
            told = [night for night, _, _ in self.told]
            assert told and (self.night - told[-1]).days < LIMITS.economy.interval_nights


LifeOfACondition.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
TestLifeOfACondition = LifeOfACondition.TestCase


def nights(memory: Memory, count: int, quarantined: int = 60, first: int = 0) -> list[tuple[int, State, list[Why]]]:
    """Judges nights and says of each: the state, and why it was told."""
    said = []
    for n in range(first, first + count):
        judgement = memory.judge(figures(OPENS + timedelta(days=n), quarantined), Rules(LIMITS))
        [stands] = [each for each in judgement.conditions if each.kind is Kind.QUALITY]
        whys = [each.why for each in judgement.telling.told if judgement.telling.send]
        said.append((n, stands.state, whys))
    return said


def test_a_snooze_is_silent_to_its_last_night_and_then_wakes() -> None:
    memory = Memory()
    nights(memory, 1)
    memory.acts.append(act(Verb.SNOOZE, OPENS, until=OPENS + timedelta(days=3)))
    assert nights(memory, 4, first=1) == [
        (1, State.SNOOZED, []),
        (2, State.SNOOZED, []),
        (3, State.SNOOZED, []),
        (4, State.OPEN, [Why.WOKEN]),
    ]


def test_a_wake_ends_a_silence_at_once() -> None:
    memory = Memory()
    nights(memory, 1)
    memory.acts.append(act(Verb.ACK, OPENS))
    assert nights(memory, 2, first=1) == [(1, State.ACKNOWLEDGED, []), (2, State.ACKNOWLEDGED, [])]
    memory.acts.append(act(Verb.WAKE, OPENS + timedelta(days=2)))
    assert nights(memory, 1, first=3) == [(3, State.OPEN, [Why.WOKEN])]


def test_what_gets_critical_breaks_a_silence() -> None:
    memory = Memory()
    nights(memory, 1)
    memory.acts.append(act(Verb.SNOOZE, OPENS, until=OPENS + timedelta(days=9)))
    assert nights(memory, 1, quarantined=200, first=1) == [(1, State.OPEN, [Why.WORSE])]


def test_an_acknowledgement_ends_with_the_condition_and_a_snooze_does_not() -> None:
    for verb, state in ((Verb.ACK, State.OPEN), (Verb.SNOOZE, State.SNOOZED)):
        memory = Memory()
        nights(memory, 1)
        memory.acts.append(act(verb, OPENS, until=OPENS + timedelta(days=9)))
        memory.judge(figures(OPENS + timedelta(days=1), 0), Rules(LIMITS))
        assert nights(memory, 1, first=2)[0][1] is state


def test_what_nobody_has_in_hand_goes_to_the_centre_once() -> None:
    memory, after = Memory(), LIMITS.escalation[Kind.QUALITY]
    whys = [(n, why) for n, state, told in nights(memory, after + 5) for why in told if why is Why.ESCALATED]
    assert whys == [(after, Why.ESCALATED)]
    in_hand = Memory()
    nights(in_hand, 1)
    in_hand.acts.append(act(Verb.ACK, OPENS))
    assert {state for _, state, _ in nights(in_hand, after + 5, first=1)} == {State.ACKNOWLEDGED}
