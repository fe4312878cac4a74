"""What offices and the platform team were told: messages as they lie in the outbox, and the conditions behind them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from regsosek.alerts.nightly import group_of
from regsosek.alerts.platform import PLATFORM
from regsosek.geography.provinces import provinces
from regsosek.warehouse.tables import condition, delivery_of_message, outbox


@dataclass(frozen=True)
class Told:
    """A message; ``province`` is None of one to the platform team. ``sent_at`` is None until somebody was reached."""

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
class Reached:
    """What became of a message for one recipient; ``backup_of`` is whom this one stands in for."""

    role: str
    channel: str
    address: str
    backup_of: str
    state: str
    attempts: int
    last_error: str | None
    next_try_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True)
class Met:
    """A condition that a province's night met; ``figures`` are the numbers that it was decided on."""

    province: str
    night: date
    kind: str
    severity: str
    since: date
    figures: tuple[tuple[str, str], ...]


_COLUMNS = (
    outbox.c.id, outbox.c.recipient_group, outbox.c.night, outbox.c.kind, outbox.c.subject, outbox.c.body,
    outbox.c.state, outbox.c.attempts, outbox.c.last_error, outbox.c.next_try_at, outbox.c.composed_at,
    outbox.c.sent_at,
)  # fmt: skip


def messages(
    connection: Connection, seen: Collection[str], *, nights: Sequence[date] | None = None, platform: bool = False
) -> list[Told]:
    """Messages to the provinces of ``seen``, and to the platform team if ``platform``; the newest night first."""
    query = select(*_COLUMNS).where(outbox.c.recipient_group.in_(_groups(seen, platform)))
    if nights is not None:
        query = query.where(outbox.c.night.in_(list(nights)))
    ordered = query.order_by(outbox.c.night.desc(), outbox.c.recipient_group, outbox.c.id)
    return [_told(dict(row._mapping)) for row in connection.execute(ordered)]


def message(connection: Connection, message_id: int, seen: Collection[str], *, platform: bool) -> Told | None:
    """One message; None where there is none, or where it was to somebody whom the viewer may not see."""
    query = select(*_COLUMNS).where(outbox.c.id == message_id, outbox.c.recipient_group.in_(_groups(seen, platform)))
    row = connection.execute(query).first()
    return None if row is None else _told(dict(row._mapping))


def reached(connection: Connection, message_id: int) -> list[Reached]:
    """What became of a message for each recipient; addresses are for operators alone."""
    columns = [delivery_of_message.c[each.name] for each in fields(Reached)]
    query = select(*columns).where(delivery_of_message.c.outbox_id == message_id).order_by(delivery_of_message.c.id)
    return [Reached(**row._mapping) for row in connection.execute(query)]


def conditions_of(connection: Connection, nights: Sequence[date], seen: Collection[str]) -> list[Met]:
    """The conditions that nights of the provinces of ``seen`` met, the newest night first."""
    query = (
        select(condition)
        .where(condition.c.night.in_(list(nights)), condition.c.province.in_(list(seen)))
        .order_by(condition.c.night.desc(), condition.c.province, condition.c.severity, condition.c.kind)
    )
    return [_met(dict(row._mapping)) for row in connection.execute(query)]


def newest(met: Sequence[Met]) -> list[Met]:
    """Of conditions, the newest night first, those of the newest night."""
    return [each for each in met if each.night == met[0].night]


def _groups(seen: Collection[str], platform: bool) -> list[str]:
    return [*map(group_of, seen), *([PLATFORM] if platform else [])]


def _told(row: dict[str, Any]) -> Told:
    group = row.pop("recipient_group")
    province = next((each.code for each in provinces() if group_of(each.code) == group), None)
    return Told(province=province, **row)


def _met(row: dict[str, Any]) -> Met:
    figures = dict(row["figures"])
    since = date.fromisoformat(figures.pop("since", row["night"].isoformat()))
    # What makes it news (rules, ids) is said by the message itself; here are the numbers.
    shown = tuple((name, f"{value:g}") for name, value in figures.items() if isinstance(value, int | float))
    return Met(row["province"], row["night"], row["kind"], row["severity"], since, shown)
