"""Acknowledging, snoozing and waking conditions: what is asked is checked, then written into the journal."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func, select

from regsosek.alerts.conditions.condition import Condition, Kind, Place, State
from regsosek.alerts.conditions.operator_actions import Act, Verb, name_of, standing
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.persistence.condition_store import OURS, acts_of, conditions_of, write_act
from regsosek.errors import DecisionError
from regsosek.geography.provinces import provinces
from regsosek.warehouse.nights.reason import stated
from regsosek.warehouse.tables import condition


def newest_night(connection: Connection, province: str) -> date | None:
    """The newest night of which conditions of ``province`` are kept."""
    found: date | None = connection.execute(
        select(func.max(condition.c.night)).where(condition.c.province == province)
    ).scalar()
    return found


def standing_now(connection: Connection, province: str, night: date) -> list[Condition]:
    """What stood open after ``night``, in the state that acts up to now have brought it to."""
    acts, tomorrow = acts_of(connection, province), night + timedelta(days=1)
    return [
        _as_of_now(each, acts, tomorrow)
        for each in conditions_of(connection, province, night)
        if each.state is not State.RESOLVED
    ]


def take(
    connection: Connection,
    name: str,
    verb: Verb,
    *,
    by: str,
    reason: str,
    until: date | None = None,
) -> Act:
    """Writes an act about the condition ``name`` (``64/BEHIND/6403``) into the journal.

    It holds for the place and all that lies in it, from the night after the newest one on.

    Args:
        until: the last night in force; a snooze needs one, an acknowledgement may do without.

    Raises:
        DecisionError: there is no such condition, nothing to wake, or reason or end will not do.
    """
    province, kind = _province_and_kind(name)
    night = newest_night(connection, province)
    stand = {name_of(province, each): each for each in standing_now(connection, province, night)} if night else {}
    found = stand.get(name)
    if found is None or night is None:
        raise DecisionError(f"no condition {name} stands; `regsosek alerts list` names them")
    if verb is Verb.WAKE and found.state not in {State.SNOOZED, State.ACKNOWLEDGED}:
        raise DecisionError(f"condition {name} is {found.state}; there is nothing to wake")
    now = datetime.now(UTC)
    act = Act(
        kind=kind,
        place=Place(found.place.level, found.place.code, "", found.place.kabkota),
        verb=verb,
        by=by,
        reason=stated(reason),
        at=now,
        night=night,
        severity=found.severity,
        until=_checked_end(verb, until, night),
    )
    write_act(connection, province, act)
    return act


def _as_of_now(each: Condition, acts: Sequence[Act], tomorrow: date) -> Condition:
    stands = standing(each, acts, tomorrow)
    if stands.state is State.OPEN:
        return replace(each, state=State.ESCALATED if each.state is State.ESCALATED else State.OPEN, until=None)
    return replace(each, state=stands.state, until=stands.until)


def _province_and_kind(name: str) -> tuple[str, Kind]:
    province, _, rest = name.partition("/")
    known = {OURS, *(each.code for each in provinces())}
    try:
        kind = Kind(rest.partition("/")[0])
    except ValueError:
        kind = None
    if province not in known or kind is None:
        raise DecisionError(f"{name!r} is no condition; write one as `regsosek alerts list` does, e.g. 64/BEHIND/6403")
    return province, kind


def _checked_end(verb: Verb, until: date | None, night: date) -> date | None:
    longest = night + timedelta(days=thresholds().economy.snooze_nights)
    if verb is Verb.WAKE:
        return None
    if until is None and verb is Verb.SNOOZE:
        raise DecisionError(f"a snooze needs an end: the last night that it is for, {longest} at the latest")
    if until is not None and not night < until <= longest:
        raise DecisionError(f"the end must lie after night {night}, which is told already, and not after {longest}")
    return until
