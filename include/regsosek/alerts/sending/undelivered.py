"""What could not be delivered is ours to mend: told to the platform team, by another channel if there is one."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select, update

from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.alerts.outbox import outbox as messages
from regsosek.alerts.outbox.retry import pace
from regsosek.errors import ReferenceDataError
from regsosek.geography.recipients import CENTRE, Recipient, Role, addressed, recipients
from regsosek.settings import Settings
from regsosek.warehouse.tables import delivery_of_message as delivery
from regsosek.warehouse.tables import outbox
from regsosek.wording.nouns import counted

log = logging.getLogger(__name__)

KIND = "undelivered"


def tell_undelivered(engine: Engine, settings: Settings, now: datetime) -> bool:
    """Composes one message about all deliveries that failed for good, or too often, and were not told yet.

    What is not delivered of these messages themselves is logged alone. Returns whether there is such a message.
    """
    with engine.begin() as connection:
        # One after the other: two senders at once would both tell.
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(KIND))))
        rows = list(connection.execute(_untold()).all())
        if not rows:
            return False
        for row in rows:
            log.error("delivery %d of message %d is %s: %s", row.id, row.outbox_id, row.state, row.last_error)
        told = [row for row in rows if not row.kind.startswith(KIND)]
        placed = bool(told) and _place(connection, settings, told, now)
        if placed or not told:
            ids = [row.id for row in rows]
            connection.execute(update(delivery).where(delivery.c.id.in_(ids)).values(told_at=now))
        return placed


def _untold() -> Any:
    often = (delivery.c.state == "waiting") & (delivery.c.attempts >= pace().told_after_tries)
    columns = (
        delivery.c.id, delivery.c.outbox_id, delivery.c.channel, delivery.c.role, delivery.c.address, delivery.c.state,
        delivery.c.attempts, delivery.c.last_error, outbox.c.recipient_group, outbox.c.night, outbox.c.kind,
    )  # fmt: skip
    return (
        select(*columns)
        .join_from(delivery, outbox, delivery.c.outbox_id == outbox.c.id)
        .where(delivery.c.told_at.is_(None), or_(delivery.c.state == "failed", often))
        .order_by(outbox.c.night, outbox.c.id, delivery.c.id)
    )


def _place(connection: Connection, settings: Settings, rows: Sequence[Any], now: datetime) -> bool:
    found = hashlib.sha256("\n".join(f"{row.id} {row.state}" for row in rows).encode()).hexdigest()
    try:
        team = addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM})
    except ReferenceDataError as error:
        log.error("nobody can be told: %s", error)  # noqa: TRY400 - the message says it all
        return False
    return messages.place(
        connection,
        group=Role.PLATFORM,
        night=max(row.night for row in rows),
        kind=f"{KIND} {found[:12]}",
        recipients=_by_another_channel(team, {row.channel for row in rows}),
        message=_compose(connection, rows),
        news=found,
        language="en",
        urgent=True,
        honour_quiet=settings.quiet_hours,
        now=now,
    )


def _by_another_channel(team: Sequence[Recipient], failing: set[str]) -> Sequence[Recipient]:
    """The team where nothing fails; all of it if that is nowhere. Who stands in for somebody left out is told first."""
    reached = [each for each in team if each.channel not in failing]
    left = {each.address for each in reached}
    return [each if each.backup_of in left else replace(each, backup_of="") for each in reached] or team


def _compose(connection: Connection, rows: Sequence[Any]) -> Message:
    lost = sum(row.state == "failed" for row in rows)
    values = {"lines": [_line(connection, row) for row in rows], "ids": sorted({row.outbox_id for row in rows})}
    return Message(subject_of_undelivered(lost, len(rows) - lost), render("undelivered.txt.j2", values))


def subject_of_undelivered(lost: int, tried: int) -> str:
    """How many deliveries failed for good, and how many go on being tried."""
    parts = [f"{lost} not delivered"] * bool(lost) + [f"{tried} not delivered yet"] * bool(tried)
    return first_fitting(f"[PIPELINE FAULT] sending: {told}" for told in (", ".join(parts), parts[0]))


def _line(connection: Connection, row: Any) -> str:
    """One delivery, by role and channel: an address stands in no message."""
    about = f"message {row.outbox_id} ({row.recipient_group}, night {row.night}, {row.kind})"
    what = f"to {row.role} by {row.channel}: {row.last_error}, {counted(row.attempts, 'try', 'tries')}"
    if row.state == "waiting":
        return f"{about} {what}; goes on being tried"
    deputies = select(func.count()).where(delivery.c.outbox_id == row.outbox_id, delivery.c.backup_of == row.address)
    written = connection.execute(deputies).scalar_one()
    return f"{about} {what}; {'the deputy is written to' if written else 'there is no deputy'}"
