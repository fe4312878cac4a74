"""The deliveries of messages in the warehouse: claimed by one sender at a time, marked, and what follows for others."""

import logging
from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text, update

from regsosek.alerts.messages.rendering import Attachment
from regsosek.alerts.outbox.retry import QuietHours, allowed_from
from regsosek.alerts.outbox.send_outcome import DispatchChange, Letter, Result
from regsosek.warehouse.tables import delivery_of_message as delivery
from regsosek.warehouse.tables import outbox

log = logging.getLogger(__name__)

SENDING_LOCK = 0x5E9D  # beside the lock of a province: one sender at a delivery, whatever machine it is on

_OF_LETTER = (
    outbox.c.id, delivery.c.id.label("delivery"), outbox.c.recipient_group, outbox.c.night, delivery.c.channel,
    delivery.c.address, outbox.c.subject, outbox.c.body, outbox.c.composed_at, outbox.c.html, outbox.c.attachments,
    delivery.c.attempts, delivery.c.unclear, delivery.c.quiet,
)  # fmt: skip
LETTERS = select(*_OF_LETTER).join_from(delivery, outbox, delivery.c.outbox_id == outbox.c.id)


def due(connection: Connection, now: datetime, channels: Sequence[str]) -> list[int]:
    """The deliveries that may be tried by ``now``, oldest night first."""
    query = (
        select(delivery.c.id)
        .join(outbox, delivery.c.outbox_id == outbox.c.id)
        .where(delivery.c.state == "waiting", delivery.c.next_try_at <= now, delivery.c.channel.in_(channels))
        .order_by(outbox.c.night, outbox.c.id, delivery.c.id)
    )
    return list(connection.execute(query).scalars())


def hasten(
    connection: Connection,
    now: datetime,
    *,
    unreached: bool,
    night: date | None = None,
    channel: str | None = None,
    but: Collection[int] = (),
) -> None:
    """Makes due what waits for its next try; its quiet hours are kept.

    Args:
        unreached: only what no server took up, not whom a server refused.
        night, channel: only of these.
        but: deliveries that are left alone.
    """
    query = (
        select(delivery.c.id, delivery.c.quiet)
        .join(outbox, delivery.c.outbox_id == outbox.c.id)
        .where(delivery.c.state == "waiting", delivery.c.attempts > 0, delivery.c.id.not_in(but))
    )
    if unreached:
        query = query.where(delivery.c.last_result == Result.UNREACHED)
    if night:
        query = query.where(outbox.c.night == night)
    if channel:
        query = query.where(delivery.c.channel == channel)
    for row in connection.execute(query).all():
        first = allowed_from(now, QuietHours.read(row.quiet) if row.quiet else None)
        later = (delivery.c.id == row.id) & (delivery.c.state == "waiting") & (delivery.c.next_try_at > first)
        connection.execute(update(delivery).where(later).values(next_try_at=first))


@contextmanager
def claimed(engine: Engine, delivery_id: int, now: datetime) -> Iterator[Letter | None]:
    """The letter of a delivery that is due, for as long as the caller works on it; None if another sender has it.

    The claim is the database session's: it ends with the process, however that ends.
    """
    key = {"lock": SENDING_LOCK, "id": delivery_id % 2**31}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:lock, :id)"), key).scalar_one():
            yield None
            return
        try:
            query = LETTERS.where(
                delivery.c.id == delivery_id, delivery.c.state == "waiting", delivery.c.next_try_at <= now
            )
            row = connection.execute(query).first()
            yield letter_of(row) if row else None
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock, :id)"), key)


def letter_of(row: Any) -> Letter:
    """A row of :data:`LETTERS` as a letter."""
    return Letter(
        id=row.id,
        delivery=row.delivery,
        group=row.recipient_group,
        night=row.night,
        channel=row.channel,
        address=row.address,
        subject=row.subject,
        body=row.body,
        composed_at=row.composed_at,
        html=row.html,
        attachments=tuple(
            Attachment(each["name"], each["media_type"], b64decode(each["content"])) for each in row.attachments
        ),
        attempts=row.attempts,
        unclear=row.unclear,
        quiet=QuietHours.read(row.quiet) if row.quiet else None,
    )


def begin(engine: Engine, letter: Letter) -> bool:
    """Notes, before the letter is handed over, that it may have arrived; False if it has been taken back."""
    statement = (
        update(delivery)
        .where(delivery.c.id == letter.delivery, delivery.c.state == "waiting")
        .values(unclear=delivery.c.unclear + 1)
    )
    with engine.begin() as connection:
        return connection.execute(statement).rowcount == 1


def note(engine: Engine, letter: Letter, change: DispatchChange, now: datetime) -> None:
    """Writes down what became of a letter, and wakes its deputies if it failed for good."""
    values = {
        "state": change.state,
        "attempts": change.attempts,
        "unclear": change.unclear,
        "last_result": change.last_result,
        "last_error": change.last_error,
        "next_try_at": change.next_try_at,
        "sent_at": now if change.state == "sent" else None,
    }
    with engine.begin() as connection:
        if change.state == "failed":
            fail(connection, letter, now, values)
        else:
            connection.execute(update(delivery).where(delivery.c.id == letter.delivery).values(**values))
        settle(connection, letter.id)
    if change.state != "sent":
        log.warning("delivery %d of message %d %s: %s", letter.delivery, letter.id, change.state, change.last_error)


def fail(connection: Connection, letter: Letter, now: datetime, values: dict[str, Any]) -> None:
    """Marks a delivery as failed for good, which is news again, and lets its deputies be written to."""
    failed = update(delivery).where(delivery.c.id == letter.delivery).values(**values, told_at=None)
    if not connection.execute(failed).rowcount:
        return  # composed anew meanwhile: the new one is tried on its own
    deputies = select(delivery.c.id, delivery.c.quiet).where(
        delivery.c.outbox_id == letter.id, delivery.c.state == "standby", delivery.c.backup_of == letter.address
    )
    for deputy in connection.execute(deputies).all():
        quiet = QuietHours.read(deputy.quiet) if deputy.quiet else None
        woken = {"state": "waiting", "next_try_at": allowed_from(now, quiet)}
        connection.execute(update(delivery).where(delivery.c.id == deputy.id).values(**woken))


def settle(connection: Connection, outbox_id: int) -> None:
    """Brings a message in step with its deliveries: waiting as long as one does, failed if nobody was reached."""
    connection.execute(text(_SETTLE), {"id": outbox_id})


_SETTLE = """
UPDATE alert.outbox o
SET attempts = d.attempts, last_error = d.errors, next_try_at = d.next_try_at, sent_at = d.sent_at,
    state = CASE WHEN d.waiting > 0 THEN 'waiting' WHEN d.sent > 0 THEN 'sent'
                 WHEN d.withheld = d.everybody THEN 'withheld' ELSE 'failed' END
FROM (
    SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'sent') AS sent,
           count(*) FILTER (WHERE state = 'withheld') AS withheld,
           count(*) FILTER (WHERE state <> 'standby') AS everybody, coalesce(sum(attempts), 0) AS attempts,
           min(next_try_at) FILTER (WHERE state = 'waiting') AS next_try_at, min(sent_at) AS sent_at,
           string_agg(DISTINCT last_error, ', ') FILTER (WHERE state <> 'sent') AS errors
    FROM alert.delivery WHERE outbox_id = :id
) d WHERE o.id = :id
"""


def counts(
    connection: Connection, now: datetime, night: date | None = None, *, untried: bool = True
) -> tuple[int, int, int]:
    """How many deliveries wait although they were due or tried, for want of a channel that works, and for their hour.

    Those in the middle are among the first: a recipient whom a server refuses for now is no fault of ours.

    Args:
        night: whose deliveries those in the middle are; default: of all nights.
        untried: whether a delivery that was due and not tried wants a channel, or only time.
    """
    overdue = (delivery.c.next_try_at <= now) | (delivery.c.attempts > 0)
    refused = func.coalesce(delivery.c.last_result == Result.REFUSED_FOR_NOW, text("false"))
    unreached = overdue & ~refused
    if night:
        unreached &= outbox.c.night == night
    if not untried:
        unreached &= delivery.c.attempts > 0
    numbers = (func.count().filter(overdue), func.count().filter(unreached), func.count().filter(~overdue))
    query = select(*numbers).join_from(delivery, outbox, delivery.c.outbox_id == outbox.c.id)
    waiting, for_a_channel, later = connection.execute(query.where(delivery.c.state == "waiting")).one()
    return waiting, for_a_channel, later


def clock(now: datetime | None) -> datetime:
    """``now``, or the moment."""
    return now or datetime.now(UTC)
