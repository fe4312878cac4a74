"""The outbox: what was decided and composed is written in one transaction, and sent from there by ``sending``.

A message stands once for its group, night, kind and language, with a delivery of its own for each recipient.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql

from regsosek.alerts.conditions.condition import Notification
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.outbox.dispatches import clock, settle
from regsosek.alerts.outbox.gate import require_clean
from regsosek.alerts.outbox.retry import QuietHours, allowed_from
from regsosek.geography.recipients import Recipient
from regsosek.warehouse.tables import delivery_of_message as delivery
from regsosek.warehouse.tables import outbox


def fingerprint(told: Sequence[Notification]) -> str:
    """Same news, same fingerprint: what is told of which places and how severe, not the figures of the night."""
    parts = sorted(f"{each.condition.key} {each.condition.severity} {each.condition.news}" for each in told)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def told_the_night_before(connection: Connection, group: str, night: date, kind: str, news: str) -> bool:
    """Whether the group's message of the night before had the same fingerprint."""
    query = select(outbox.c.id).where(
        outbox.c.recipient_group == group,
        outbox.c.night == night - timedelta(days=1),
        outbox.c.kind == kind,
        outbox.c.fingerprint == news,
    )
    return connection.execute(query).first() is not None


# Waits, and nobody may have read it yet; a try of which the outcome is unknown may have been read.
_MAY_CHANGE = text("""
outbox.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM alert.delivery d
    WHERE d.outbox_id = outbox.id AND (d.state = 'sent' OR d.sent_at IS NOT NULL OR d.unclear > 0))
""")


def place(
    connection: Connection,
    *,
    group: str,
    night: date,
    kind: str,
    recipients: Sequence[Recipient],
    message: Message,
    news: str,
    language: str = "id",
    urgent: bool = False,
    honour_quiet: bool = True,
    now: datetime | None = None,
) -> bool:
    """Puts a message into the outbox, in place of an unread one of the same group, night, kind and language.

    Args:
        recipients: deputies among them are written to only if whom they stand in for cannot be reached.
        urgent: goes at once also in quiet hours, to whoever does not want it otherwise.
        honour_quiet: off, everything goes at once.

    Returns:
        False if that message was sent before, to whomever, or is withheld: then nothing changes.

    Raises:
        PersonalDataError: the message looks as if it carried personal data; it does not enter.
    """
    require_clean(connection, message)
    key = {"recipient_group": group, "night": night, "kind": kind, "language": language}
    content = {
        "subject": message.subject,
        "body": message.body,
        "html": message.html,
        "attachments": [
            {"name": each.name, "media_type": each.media_type, "content": b64encode(each.content).decode()}
            for each in message.attachments
        ],
        "fingerprint": news,
        "urgent": urgent,
    }
    _hold(connection, group, night, kind)
    statement = postgresql.insert(outbox).values(**key, **content, state="waiting", composed_at=func.now())
    placed = statement.on_conflict_do_update(
        index_elements=list(key), set_=content | {"composed_at": func.now()}, where=_MAY_CHANGE
    ).returning(outbox.c.id)
    outbox_id = connection.execute(placed).scalar()
    if outbox_id is None:
        return False
    connection.execute(delete(delivery).where(delivery.c.outbox_id == outbox_id))
    rows = [_delivery(outbox_id, each, clock(now), urgent, honour_quiet) for each in recipients]
    if rows:
        connection.execute(insert(delivery), rows)
    settle(connection, outbox_id)
    return True


def _hold(connection: Connection, group: str, night: date, kind: str) -> None:
    """Keeps senders from beginning with the message until the transaction ends; what they began before shows."""
    held = (
        select(delivery.c.id)
        .join(outbox, delivery.c.outbox_id == outbox.c.id)
        .where(outbox.c.recipient_group == group, outbox.c.night == night, outbox.c.kind == kind)
        .with_for_update(of=delivery)
    )
    connection.execute(held).all()


def _delivery(outbox_id: int, to: Recipient, now: datetime, urgent: bool, honour_quiet: bool) -> dict[str, Any]:
    heeded = honour_quiet and to.quiet is not None and (to.critical_waits or not urgent)
    quiet = QuietHours.on(to.quiet, to.zone) if heeded and to.quiet else None
    return {
        "outbox_id": outbox_id,
        "channel": to.channel,
        "role": to.role,
        "address": to.address,
        "backup_of": to.backup_of,
        "state": "standby" if to.backup_of else "waiting",
        "next_try_at": None if to.backup_of else allowed_from(now, quiet),
        "quiet": quiet.stored() if quiet else None,
    }


def is_placed(connection: Connection, group: str, night: date, kind: str) -> bool:
    """Whether the group's message of that night and kind lies in the outbox, sent or not."""
    query = select(outbox.c.id).where(outbox.c.recipient_group == group, outbox.c.night == night, outbox.c.kind == kind)
    return connection.execute(query).first() is not None


def take_back(connection: Connection, group: str, night: date, kind: str) -> None:
    """Removes messages that have become untrue and that nobody read; others stay."""
    _hold(connection, group, night, kind)
    untrue = delete(outbox).where(
        outbox.c.recipient_group == group, outbox.c.night == night, outbox.c.kind == kind, _MAY_CHANGE
    )
    gone = list(connection.execute(untrue.returning(outbox.c.id)).scalars())
    connection.execute(delete(delivery).where(delivery.c.outbox_id.in_(gone)))
