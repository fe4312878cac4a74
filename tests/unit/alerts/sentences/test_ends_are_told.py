"""Over random nights: what was told and is gone is told as over in the office's next mail, and in time for it."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regsosek.alerts.conditions.condition import EVENTS, Key, State, Why
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.lifecycle import TOLD_LEVELS
from regsosek.alerts.conditions.province_figures import (
    NOBODY,
    HeadNotMet,
    KabkotaFigures,
    ProvinceFigures,
    RejectedDelivery,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from support.checks.matrix import examples
from support.worlds.alert_memory import Memory

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
FIRST = date(2022, 10, 26)
PARTS = ("6401", "6402")
HEAD = [HeadNotMet(f"{code}010001000100", "RT", code, 40, FIRST) for code in PARTS]


class Part(NamedTuple):
    """One kab/kota of a night: whether it is behind, families in quarantine, and a head of SLS not met."""

    behind: bool = False
    waiting: int = 0
    away: bool = False


class Drawn(NamedTuple):
    """A night; ``looks`` whether heads of SLS are looked for; an urgent one has a delivery rejected."""

    parts: tuple[Part, Part]
    looks: bool = True
    urgent: bool = False


NIGHTS = st.lists(
    st.builds(
        Drawn,
        st.tuples(*[st.builds(Part, st.booleans(), st.sampled_from([0, 30]), st.booleans())] * 2),
        st.booleans(),
        st.booleans(),
    ),
    min_size=3,
    max_size=9,
)  # fmt: skip
WELL, AWAY, BEHIND = Part(), Part(away=True), Part(behind=True)


def figures_of(healthy: Night, n: int, drawn: Drawn) -> ProvinceFigures:
    night = FIRST + timedelta(n)
    waits = [Waiting(part.waiting, night, part.waiting) if part.waiting else NOBODY for part in drawn.parts]
    kabkota = tuple(
        KabkotaFigures(code, f"Kabupaten {code}", 10_000, 2_000 if part.behind else 9_900, 100, waiting, night)
        for code, part, waiting in zip(PARTS, drawn.parts, waits, strict=True)
    )
    heads = tuple(head for head, part in zip(HEAD, drawn.parts, strict=True) if part.away) if drawn.looks else None
    rejected = (RejectedDelivery(f"R{n}", night, "file_missing", 7),) if drawn.urgent else ()
    return healthy(
        night=night, visited=99_000, kabkota=kabkota, heads_not_met=heads, rejected=rejected,
        waiting=Waiting(sum(each.families for each in waits), night) if any(p.waiting for p in drawn.parts) else NOBODY,
    )  # fmt: skip


class Awaited(NamedTuple):
    """An end that is not told yet: the night it showed, and the night of the last message before its deadline."""

    gone: date
    in_time: date

    @property
    def latest(self) -> date:
        """The last night that it may be told on: no later than parts of a province wait for each other."""
        interval = self.gone + timedelta(LIMITS.economy.interval_nights - 1)
        return min(interval, self.in_time) if self.in_time >= self.gone else interval


def spent(memory: Memory, night: date) -> bool:
    """Whether the week's messages were spent: what is not urgent then waits."""
    return sum(0 < (night - at).days < 7 for at in memory.told) >= LIMITS.economy.messages_per_week


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights=NIGHTS)
@example(nights=[Drawn((AWAY, WELL)), Drawn((WELL, WELL)), *[Drawn((WELL, WELL), looks=False)] * 3])
@example(nights=[Drawn((BEHIND, WELL)), Drawn((WELL, WELL)), Drawn((WELL, WELL))])
@example(nights=[*[Drawn((WELL, WELL), urgent=True)] * 4, Drawn((AWAY, WELL), urgent=True),
          *[Drawn((WELL, WELL), looks=n == 0) for n in range(6)]])  # fmt: skip
def test_what_was_told_and_is_gone_is_told_as_over_in_the_next_mail_and_before_its_deadline(
    night: Night, nights: Sequence[Drawn]
) -> None:
    memory, firsts, awaited = Memory(), dict[Key, date](), dict[Key, Awaited]()
    for n, drawn in enumerate(nights):
        tonight, budget_spent = FIRST + timedelta(n), spent(memory, FIRST + timedelta(n))
        judgement = memory.judge(figures_of(night, n, drawn), Rules(LIMITS))
        telling = judgement.telling
        for each in judgement.conditions:
            if each.state is not State.RESOLVED:
                awaited.pop(each.key, None)  # it is back
            elif each.key in firsts and each.kind not in EVENTS:
                in_time = LIMITS.deadline[each.kind].day(firsts[each.key], "64") - timedelta(1)
                awaited.setdefault(each.key, Awaited(tonight, in_time))
        over = {each.condition.key for each in telling.told if each.why is Why.RECOVERED}
        assert not over & {each.key for each in judgement.conditions if each.state is not State.RESOLVED}
        if telling.send:
            assert over == set(awaited), "neither more nor less than what is gone"
            awaited.clear()
            told = [each for each in telling.told if each.condition.place.level in TOLD_LEVELS]
            firsts |= {each.condition.key: tonight for each in told if each.why is Why.NEW}
            firsts = {key: first for key, first in firsts.items() if key not in over}
        waits = [each for each in awaited.values() if tonight >= each.latest]
        assert not waits or budget_spent, "an end is put off"
