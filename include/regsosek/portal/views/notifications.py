"""What offices and the platform team were told: messages as they lie in the outbox, and the conditions behind them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from regsosek.alerts.conditions.condition import Condition
from regsosek.alerts.conditions.lifecycle import TOLD_LEVELS
from regsosek.alerts.conditions.operator_actions import Act, name_of
from regsosek.alerts.messages.platform_message import PLATFORM
from regsosek.alerts.nightly import group_of
from regsosek.alerts.persistence.condition_store import OURS, acts_of
from regsosek.alerts.persistence.night_figures import read_officers
from regsosek.alerts.persistence.operating import newest_night, standing_now
from regsosek.geography.provinces import provinces
from regsosek.portal.views.state_words import measured
from regsosek.warehouse.tables import condition, outbox

SHOWN_ACTS = 30
HIDDEN = "•••"
# What a digest calls an officer whom the roster does not know, in both languages.
_OFFICER = ("petugas", "officer")
_NAMES = {each.code: each.name for each in provinces()}


@dataclass(frozen=True)
class SentMessage:
    """A message; ``province`` is None of one to BPS centre or the platform team.

    ``sent_at`` is None until somebody was reached.
    """

    id: int
    province: str | None
    night: date
    kind: str
    subject: str
    body: str
    state: str
    attempts: int
    last_error: str | None
    next_try_at: datetime | None
    composed_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class Met:
    """A condition that a province's night met; ``figures`` are the numbers that it was decided on.

    Attributes:
        id: what it is called where it is acted upon.
        place: code and name; ``state``, ``until``: as of now, with what operators did since the night.
        families: that it is about, 0 if nobody can know; event: id of the known event that explains it.
    """

    province: str
    night: date
    kind: str
    severity: str
    since: date
    figures: tuple[tuple[str, str], ...]
    id: str = ""
    place: str = ""
    level: str = "provinsi"
    state: str = "open"
    until: date | None = None
    families: int = 0
    event: str = ""


_COLUMNS = (
    outbox.c.id, outbox.c.recipient_group, outbox.c.night, outbox.c.kind, outbox.c.subject, outbox.c.body,
    outbox.c.state, outbox.c.attempts, outbox.c.last_error, outbox.c.next_try_at, outbox.c.composed_at,
    outbox.c.sent_at,
)  # fmt: skip


def messages(
    connection: Connection, seen: Collection[str], *, nights: Sequence[date] | None = None, platform: bool = False
) -> list[SentMessage]:
    """Messages to the provinces of ``seen``, and to the platform team if ``platform``; the newest night first."""
    query = select(*_COLUMNS).where(outbox.c.recipient_group.in_(_groups(seen, platform)))
    if nights is not None:
        query = query.where(outbox.c.night.in_(list(nights)))
    ordered = query.order_by(outbox.c.night.desc(), outbox.c.recipient_group, outbox.c.id)
    return [_told(dict(row._mapping)) for row in connection.execute(ordered)]


def message(connection: Connection, message_id: int, seen: Collection[str], *, platform: bool) -> SentMessage | None:
    """One message; None where there is none, or where it was to somebody whom the viewer may not see."""
    query = select(*_COLUMNS).where(outbox.c.id == message_id, outbox.c.recipient_group.in_(_groups(seen, platform)))
    row = connection.execute(query).first()
    return None if row is None else _told(dict(row._mapping))


def without_officers(connection: Connection, told: SentMessage) -> SentMessage:
    """A message to a province for an account that may not see officers' codes: whom it names stands there hidden."""
    query = select(condition.c.region_code).distinct()
    query = query.where(condition.c.province == told.province, condition.c.night == told.night)
    codes = list(connection.execute(query.where(condition.c.level == "petugas")).scalars())
    known = read_officers(connection, told.province or "", told.night, codes).values()
    roles = {*_OFFICER, *(each.role for each in known), *(each.superior_role for each in known)} - {""}
    named = {*codes, *(each.superior for each in known)} - {""}
    return replace(told, body=hidden(told.body, roles, named))


def hidden(body: str, roles: Collection[str], codes: Collection[str]) -> str:
    """``body`` without the codes that follow a role of officers, wherever its lines break."""
    if not codes:
        return body
    either, one = ("|".join(map(re.escape, sorted(each, key=len, reverse=True))) for each in (roles, codes))
    return re.sub(rf"\b({either})(\s+)({one})(?!\w)", rf"\1\2{HIDDEN}", body)


def conditions_of(connection: Connection, nights: Sequence[date], seen: Collection[str]) -> list[Met]:
    """What stood open after nights of the provinces of ``seen``, the newest night first, the most severe first.

    Places below a kab/kota are details of its own and left out.
    """
    query = (
        select(condition.c.province, condition.c.night)
        .distinct()
        .where(condition.c.night.in_(list(nights)), condition.c.province.in_(list(seen)))
        .order_by(condition.c.night.desc(), condition.c.province)
    )
    found = [(row.province, row.night) for row in connection.execute(query)]
    return [met for province, night in found for met in _of_night(connection, province, night)]


def _of_night(connection: Connection, province: str, night: date) -> list[Met]:
    stand = standing_now(connection, province, night)
    shown = [each for each in stand if each.place.level in TOLD_LEVELS]
    ranked = sorted(shown, key=lambda each: (each.severity, each.place.level != "provinsi", each.kind, each.place.code))
    return [_met(province, night, each) for each in ranked]


def faults_of_ours(connection: Connection) -> list[Met]:
    """What of ours is the matter, as of the newest night that was told of."""
    night = newest_night(connection, OURS)
    return _of_night(connection, OURS, night) if night else []


def condition_named(connection: Connection, province: str, name: str) -> Met | None:
    """The condition ``name`` as it stands after the newest night of ``province``; None if it does not stand."""
    night = newest_night(connection, province)
    stand = standing_now(connection, province, night) if night else []
    return next((_met(province, night, each) for each in stand if night and name_of(province, each) == name), None)


def acts_on(connection: Connection, province: str, name: str) -> list[Act]:
    """What was done about it by its own name, the latest first."""
    return [act for act in reversed(acts_of(connection, province)) if name_of(province, act) == name]


def last_acts(connection: Connection, seen: Collection[str], *, ours: bool, officers: bool) -> list[tuple[str, Act]]:
    """The last acts about conditions of ``seen`` with their names, the latest first; ``officers``: of them, too."""
    codes = [*seen, *([OURS] if ours else [])]
    every = [(name_of(code, act), act) for code in codes for act in acts_of(connection, code)]
    found = [one for one in every if officers or one[1].place.level != "petugas"]
    return sorted(found, key=lambda one: one[1].at, reverse=True)[:SHOWN_ACTS]


def newest(met: Sequence[Met]) -> list[Met]:
    """Of conditions, the newest night first, those of the newest night."""
    return [each for each in met if each.night == met[0].night]


def _groups(seen: Collection[str], platform: bool) -> list[str]:
    return [*map(group_of, seen), *([PLATFORM] if platform else [])]


def _told(row: dict[str, Any]) -> SentMessage:
    group = row.pop("recipient_group")
    province = next((each.code for each in provinces() if group_of(each.code) == group), None)
    return SentMessage(province=province, **row)


def _met(province: str, night: date, each: Condition) -> Met:
    # What makes it news (rules, ids) is said by the message itself; here are the numbers.
    shown = tuple(measured(name, value) for name, value in each.figures.items())
    place = f"{each.place.code} {each.place.name or _NAMES.get(each.place.code, '')}".strip()
    return Met(
        province,
        night,
        each.kind.value,
        each.severity.value,
        each.since,
        shown,
        name_of(province, each),
        place,
        each.place.level,
        each.state.value,
        each.until,
        each.families,
        each.event,
    )
