"""What is remembered of conditions in the warehouse: where they stood, what was told of them, what operators did."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.alerts.conditions.condition import Condition, Key, Kind, Notification, Place, Severity, State, Why
from regsosek.alerts.conditions.notification_policy import LastTold, Remembered
from regsosek.alerts.conditions.operator_actions import Act, Verb
from regsosek.warehouse.tables import act, condition, outbox, refreshed, told

# How far back the night judged before may lie, so that a night that failed does not make all standing news new.
REMEMBERED_NIGHTS = 7
# What was told longer ago, of a condition that still stands, is news again.
TOLD_NIGHTS = 60
# Conditions of ours, not of a province, are kept under the code of the nation.
OURS = "00"

_LAST_TOLD = """
SELECT DISTINCT ON (kind, level, region_code, kabkota) kind, level, region_code, kabkota, night, why, severity, since,
       families, news, max(night) FILTER (WHERE why = 'escalated') OVER of_condition AS escalated,
       max(night) FILTER (WHERE why = 'new') OVER of_condition AS first
FROM alert.told
WHERE province = :province AND night > :earliest AND night <= :night AND (night < :night OR dispatch <> :dispatch)
WINDOW of_condition AS (PARTITION BY kind, level, region_code, kabkota)
ORDER BY kind, level, region_code, kabkota, night DESC, (dispatch = 'digest')
"""


def remembered(connection: Connection, province: str, group: str, night: date, dispatch: str) -> Remembered:
    """What is known of ``province`` before ``night`` is judged, but for the message ``dispatch`` of that very night."""
    return Remembered(
        before=conditions_before(connection, province, night),
        told=last_told(connection, province, night, dispatch),
        ended=_ended(connection, province, night),
        messages=_messages(connection, group, night, dispatch),
        acts=acts_of(connection, province),
    )


def conditions_before(connection: Connection, province: str, night: date) -> list[Condition]:
    """The conditions as the last night before ``night`` left them that the province was judged in."""
    earliest = night - timedelta(days=REMEMBERED_NIGHTS)
    own = refreshed if province != OURS else condition
    last = select(func.max(own.c.night)).where(own.c.night < night, own.c.night >= earliest)
    last = last.where(own.c.province == province)
    query = select(condition).where(condition.c.province == province, condition.c.night == last.scalar_subquery())
    return [_condition(row) for row in connection.execute(query)]


def _ended(connection: Connection, province: str, night: date) -> dict[Key, date]:
    """The last night before ``night`` that showed a condition to be gone, by condition."""
    place = (condition.c.kind, condition.c.level, condition.c.region_code, condition.c.kabkota)
    query = select(*place, func.max(condition.c.night)).where(
        condition.c.province == province,
        condition.c.night < night,
        condition.c.night > night - timedelta(days=TOLD_NIGHTS),
        condition.c.state == State.RESOLVED.value,
    )
    found = connection.execute(query.group_by(*place))
    return {(Kind(kind), level, code, kabkota): last for kind, level, code, kabkota, last in found}


def conditions_of(connection: Connection, province: str, night: date) -> list[Condition]:
    """The conditions as ``night`` left them."""
    query = select(condition).where(condition.c.province == province, condition.c.night == night)
    return [_condition(row) for row in connection.execute(query)]


def write_conditions(connection: Connection, province: str, night: date, conditions: Sequence[Condition]) -> None:
    """Replaces the conditions of one province and night."""
    connection.execute(delete(condition).where(condition.c.province == province, condition.c.night == night))
    rows = [
        {
            **_place(each.kind, each.place),
            "province": province,
            "night": night,
            "name": each.place.name,
            "severity": each.severity.value,
            "state": each.state.value,
            "since": each.since,
            "families": each.families,
            "news": each.news,
            "until": each.until,
            "event": each.event,
            "judged": each.judged,
            "figures": dict(each.figures),
        }
        for each in conditions
    ]
    if rows:
        connection.execute(insert(condition), rows)


def last_told(connection: Connection, province: str, night: date, dispatch: str) -> dict[Key, LastTold]:
    """What was told last of each condition up to ``night``, without the message ``dispatch`` of that night."""
    asked = {"province": province, "night": night, "dispatch": dispatch, "earliest": night - timedelta(TOLD_NIGHTS)}
    found = (_last_told(row) for row in connection.execute(text(_LAST_TOLD), asked))
    return {each.condition.key: each for each in found}


def write_told(
    connection: Connection, province: str, night: date, dispatch: str, tonight: Sequence[Notification]
) -> None:
    """Replaces what the message ``dispatch`` of ``night`` tells; what merely stands is not told."""
    own = (told.c.province == province, told.c.night == night, told.c.dispatch == dispatch)
    connection.execute(delete(told).where(*own))
    rows = [
        {
            **_place(each.condition.kind, each.condition.place),
            "province": province,
            "night": night,
            "dispatch": dispatch,
            "why": each.why.value,
            "severity": each.condition.severity.value,
            "since": each.condition.since,
            "families": each.condition.families,
            "news": each.condition.news,
        }
        for each in tonight
        if each.why is not Why.STANDING
    ]
    if rows:
        connection.execute(insert(told), rows)


def acts_of(connection: Connection, province: str) -> list[Act]:
    """The journal of a province, in its order."""
    return [act_of(row) for row in connection.execute(select(act).where(act.c.province == province).order_by(act.c.id))]


def write_act(connection: Connection, province: str, taken: Act) -> None:
    """Adds a line to the journal."""
    connection.execute(
        insert(act).values(
            **_place(taken.kind, taken.place),
            province=province,
            verb=taken.verb.value,
            by=taken.by,
            reason=taken.reason,
            at=taken.at,
            night=taken.night,
            severity=taken.severity.value if taken.severity else None,
            until=taken.until,
        )
    )


def act_of(row: Row[Any]) -> Act:
    """A line of the journal."""
    return Act(
        kind=Kind(row.kind),
        place=Place(row.level, row.region_code, "", row.kabkota),
        verb=Verb(row.verb),
        by=row.by,
        reason=row.reason,
        at=row.at,
        night=row.night,
        severity=Severity(row.severity) if row.severity else None,
        until=row.until,
    )


def _messages(connection: Connection, group: str, night: date, dispatch: str) -> list[date]:
    query = select(outbox.c.night).where(
        outbox.c.recipient_group == group,
        outbox.c.night <= night,
        outbox.c.night > night - timedelta(days=TOLD_NIGHTS),
        (outbox.c.night < night) | (outbox.c.kind != dispatch),
    )
    return list(connection.execute(query).scalars())


def _place(kind: Kind, place: Place) -> dict[str, str]:
    return {"kind": kind.value, "level": place.level, "region_code": place.code, "kabkota": place.kabkota}


def _condition(row: Row[Any]) -> Condition:
    return Condition(
        Kind(row.kind),
        Place(row.level, row.region_code, row.name, row.kabkota),
        Severity(row.severity),
        row.since,
        row.families,
        row.figures,
        row.news,
        State(row.state),
        row.until,
        row.event,
        row.judged,
    )


def _last_told(row: Row[Any]) -> LastTold:
    place = Place(row.level, row.region_code, "", row.kabkota)
    condition = Condition(Kind(row.kind), place, Severity(row.severity), row.since, row.families, news=row.news)
    return LastTold(condition, row.night, Why(row.why), row.escalated, row.first)
