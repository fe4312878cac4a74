"""What is told and what is not: parts together, what a cause silences, lives told apart, and budgets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, Place, Severity, Why
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.notification_policy import LastTold, Remembered, tell
from regsosek.alerts.conditions.province_figures import NOBODY, KabkotaFigures, ProvinceFigures, RowCounts, Waiting
from regsosek.alerts.conditions.thresholds import thresholds
from support.worlds.alert_memory import Memory, told_before

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
RULES = Rules(LIMITS)
NIGHT = date(2022, 10, 26)


def whys(told: tuple[Notification, ...]) -> dict[tuple[str, str], str]:
    return {(each.condition.kind.value, each.condition.place.code): each.why.value for each in told}


def part(code: str, *, quarantined: int = 0, received: int = 100) -> KabkotaFigures:
    waiting = Waiting(quarantined, NIGHT, quarantined) if quarantined else NOBODY
    return KabkotaFigures(code, code, 10_000, 4_800, received, waiting, NIGHT)


def test_parts_of_a_province_are_told_of_together_and_not_every_night(night: Night) -> None:
    memory = Memory()
    nights = [
        memory.judge(
            night(night=NIGHT + timedelta(days=n), kabkota=tuple(part(f"640{k}", quarantined=8) for k in range(n + 1))),
            RULES,
        ).telling
        for n in range(3)
    ]
    assert [each.send for each in nights] == [True, False, True]
    assert whys(nights[0].told) == {("QUALITY", "6400"): "new"}
    assert whys(nights[2].told) == {
        ("QUALITY", "6400"): "reminder",
        ("QUALITY", "6401"): "new",
        ("QUALITY", "6402"): "new",
    }


def test_parts_ride_along_when_a_message_goes_out_anyway(night: Night) -> None:
    memory = Memory()
    memory.judge(night(kabkota=(part("6400", quarantined=8),)), RULES)
    both = (part("6400", quarantined=8), part("6401", quarantined=8))
    told = memory.judge(night(night=NIGHT + timedelta(days=1), kabkota=both, visited=100), RULES).telling
    assert whys(told.told)["QUALITY", "6401"] == "new"


def at(kind: Kind, place: Place, *, since: date = NIGHT, judged: bool = True) -> Condition:
    return Condition(kind, place, Severity.ATTENTION, since, 10, judged=judged)


def test_places_below_push_no_problem_and_no_end_out_of_a_message() -> None:
    """As many silent sub-SLS as a night names: the kab/kota told of before, and the one that recovered, stay."""
    behind, silent, gone = (Place("kabkota", code) for code in ("6401", "6402", "6403"))
    told_on, since = NIGHT - timedelta(3), NIGHT - timedelta(5)
    stood = [at(Kind.BEHIND, behind, since=since), at(Kind.NO_DATA, gone, since=since)]
    before = {each.key: LastTold(each, told_on, Why.NEW) for each in stood}
    below = [at(Kind.NO_DATA, Place("subsls", str(n), "", "6402")) for n in range(LIMITS.economy.told_per_digest)]
    conditions = [stood[0], at(Kind.NO_DATA, silent), *below]
    told = tell(conditions, Remembered(told=before), LIMITS, NIGHT, recovers=[stood[1].key]).told
    assert {"6401", "6402", "6403"} <= {each.condition.place.code for each in told}
    assert len(told) == LIMITS.economy.told_per_digest


def test_a_cause_silences_what_it_explains_at_its_place_and_below() -> None:
    whole, berau = Place("provinsi", "64"), Place("kabkota", "6403")
    conditions = [
        at(Kind.NO_DATA, whole),
        at(Kind.NO_DATA, berau),
        at(Kind.ZERO, berau),
        at(Kind.BEHIND, berau),
    ]
    assert set(whys(tell(conditions, Remembered(), LIMITS, NIGHT).told)) == {("NO_DATA", "64"), ("BEHIND", "6403")}
    apart = [at(Kind.NO_DATA, berau), at(Kind.ZERO, Place("kabkota", "6471")), at(Kind.CODE, berau)]
    assert len(tell(apart, Remembered(), LIMITS, NIGHT).told) == 3


def test_a_held_delivery_leaves_the_quality_of_what_was_accepted_to_be_told() -> None:
    whole = Place("provinsi", "64")
    conditions = [at(kind, whole) for kind in (Kind.HELD, Kind.QUALITY, Kind.ZERO)]
    assert set(whys(tell(conditions, Remembered(), LIMITS, NIGHT).told)) == {("HELD", "64"), ("QUALITY", "64")}


def told_once(why: Why, *, told_on: date, since: date) -> Remembered:
    condition = at(Kind.HELD, Place("provinsi", "64"), since=since)
    return Remembered(told={condition.key: LastTold(condition, told_on, why)})


def test_another_life_is_news_whether_or_not_the_end_of_the_one_before_was_told() -> None:
    now = at(Kind.HELD, Place("provinsi", "64"), since=NIGHT - timedelta(days=5))
    for why, told_on in ((Why.RECOVERED, NIGHT - timedelta(days=1)), (Why.NEW, NIGHT - timedelta(days=6))):
        [told] = tell([now], told_once(why, told_on=told_on, since=now.since), LIMITS, NIGHT).told
        assert told.why is Why.NEW
    [told] = tell([now], told_once(Why.NEW, told_on=NIGHT - timedelta(days=5), since=now.since), LIMITS, NIGHT).told
    assert told.why is Why.REMINDER


def test_a_delivery_more_is_news_and_a_delivery_less_is_none() -> None:
    place, before = Place("provinsi", "64"), NIGHT - timedelta(days=1)
    for earlier, now, why in (("A", "A,B", Why.NEW), ("A,B", "A", Why.STANDING), ("A,B", "B,A", Why.STANDING)):
        stood = replace(at(Kind.HELD, place, since=before), news=earlier)
        remembered = Remembered(told={stood.key: LastTold(stood, before, Why.NEW)})
        [told] = tell([replace(stood, news=now)], remembered, LIMITS, NIGHT).told
        assert told.why is why, (earlier, now)


def test_what_nobody_can_judge_any_more_is_not_told_as_recovered(night: Night) -> None:
    long_over = night().window.closes + timedelta(days=LIMITS.window.late_nights + 1)
    silent = night(night=long_over, deliveries={}, families=RowCounts(), persons=RowCounts(), visited=90_000)
    memory = told_before("64", long_over, [("REJECTED", long_over - timedelta(days=3))])
    judgement = memory.judge(silent, RULES)
    assert (judgement.conditions, judgement.telling.told) == ((), ())


def test_once_the_messages_of_the_week_are_spent_only_the_urgent_goes_out() -> None:
    week = [NIGHT - timedelta(days=n) for n in range(1, LIMITS.economy.messages_per_week + 1)]
    calm = at(Kind.QUALITY, Place("provinsi", "64"))
    urgent = replace(calm, severity=Severity.CRITICAL)
    assert not tell([calm], Remembered(messages=week), LIMITS, NIGHT).send
    assert tell([calm], Remembered(messages=week[1:]), LIMITS, NIGHT).send
    assert tell([urgent], Remembered(messages=week), LIMITS, NIGHT).send


def test_good_news_needs_that_nothing_stands_and_a_week_without_a_message() -> None:
    def good(last: int, *conditions: Condition) -> bool:
        return tell(conditions, Remembered(messages=[NIGHT - timedelta(last)]), LIMITS, NIGHT, good=True).send

    assert (good(7), good(6)) == (True, False)
    quiet = at(Kind.QUALITY, Place("provinsi", "64"), judged=False)
    assert not good(7, quiet)
