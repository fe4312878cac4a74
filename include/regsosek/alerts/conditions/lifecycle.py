"""The life of conditions: yesterday's, what operators did, and what tonight found, to where each stands tonight.

A pure function of these: a night that was missed, or is judged again, neither loses a step nor takes one twice.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from regsosek.alerts.conditions.condition import Condition, Key, Kind, Place, Severity, State
from regsosek.alerts.conditions.operator_actions import Act, standing

# Levels that are told of as such; places below them are details of their kab/kota.
TOLD_LEVELS = frozenset({"nasional", "provinsi", "kabkota"})


def live(
    before: Iterable[Condition],
    tonight: Iterable[Condition],
    acts: Sequence[Act],
    night: date,
    *,
    shows: Callable[[Kind, Place], bool],
    expires: bool,
    escalation: Mapping[Kind, int],
) -> tuple[Condition, ...]:
    """The conditions as they stand on ``night``: those found, those that nobody could judge, and those resolved.

    Args:
        before: as the last night judged before ``night`` left them.
        tonight: as :func:`detect.detect` found them.
        shows: whether the night could tell that a condition of a kind at a place is gone.
        expires: what nobody can judge any more is forgotten, not carried on: nothing is awaited.
        escalation: nights open by kind after which nobody's condition goes to the centre.
    """
    earlier = {each.key: each for each in before if each.state is not State.RESOLVED}
    found = {each.key: _continued(each, earlier.get(each.key)) for each in tonight}
    missing = [each for key, each in earlier.items() if key not in found and _may_stand(each, found.values())]
    carried = [replace(each, judged=False) for each in missing if not shows(each.kind, each.place) and not expires]
    resolved = [
        replace(each, state=State.RESOLVED, until=None, judged=True)
        for each in missing
        if each.place.level in TOLD_LEVELS and shows(each.kind, each.place)
    ]
    opened = (*found.values(), *carried)
    whole = {each.kind for each in opened if each.place.level == "provinsi"}
    return (*(_standing(each, acts, night, escalation, whole) for each in opened), *resolved)


def _may_stand(earlier: Condition, found: Iterable[Condition]) -> bool:
    """Whether it may still stand though it was not found: a detail only on a night that found no other of its kind."""
    details = {each.kind for each in found if each.place.level not in TOLD_LEVELS}
    return earlier.place.level in TOLD_LEVELS or earlier.kind not in details


def _continued(found: Condition, earlier: Condition | None) -> Condition:
    return found if earlier is None else replace(found, since=min(found.since, earlier.since))


def _standing(
    condition: Condition, acts: Sequence[Act], night: date, escalation: Mapping[Kind, int], whole: Collection[Kind]
) -> Condition:
    stands = standing(condition, acts, night)
    if stands.state is State.OPEN and _escalates(condition, night, escalation, whole):
        return replace(condition, state=State.ESCALATED, until=None)
    return replace(condition, state=stands.state, until=stands.until)


def _escalates(condition: Condition, night: date, escalation: Mapping[Kind, int], whole: Collection[Kind]) -> bool:
    """A province's conditions, and the critical ones of a kab/kota that its province as a whole (``whole``) is free of.

    What a known event explains stays below, and so does what only waits within its limits.
    """
    after = escalation.get(condition.kind)
    below = condition.place.level not in TOLD_LEVELS
    if after is None or condition.event or condition.within_limits or not condition.judged or below:
        return False
    critical_part = condition.severity is Severity.CRITICAL and condition.kind not in whole
    return (condition.place.level != "kabkota" or critical_part) and (night - condition.since).days >= after


def by_key(conditions: Iterable[Condition]) -> dict[Key, Condition]:
    """Conditions by what makes them the same on another night."""
    return {each.key: each for each in conditions}
