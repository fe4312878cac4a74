"""What an operator sees of the outbox and may do with a message: look, try again, withhold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from regsosek.alerts.outbox.dispatches import LETTERS, clock, letter_of, settle
from regsosek.alerts.outbox.send_outcome import Letter
from regsosek.errors import OutboxError
from regsosek.warehouse.tables import delivery_of_message as delivery
from regsosek.warehouse.tables import outbox

STATES = ("waiting", "sent", "failed", "withheld", "standby")


@dataclass(frozen=True)
class OutboxLine:
    """One message to one recipient; ``backup_of`` is whom this one stands in for."""

    outbox_id: int
    night: date
    group: str
    kind: str
    role: str
    channel: str
    address: str
    backup_of: str
    state: str
    attempts: int
    last_error: str | None
    next_try_at: datetime | None
    sent_at: datetime | None


_LINE = (
    delivery.c.outbox_id, outbox.c.night, outbox.c.recipient_group.label("group"), outbox.c.kind, delivery.c.role,
    delivery.c.channel, delivery.c.address, delivery.c.backup_of, delivery.c.state, delivery.c.attempts,
    delivery.c.last_error, delivery.c.next_try_at, delivery.c.sent_at,
)  # fmt: skip


def outbox_lines(
    connection: Connection,
    *,
    message: int | None = None,
    state: str = "",
    night: date | None = None,
    groups: Collection[str] | None = None,
) -> list[OutboxLine]:
    """Deliveries, the newest night last; those of ``message``, ``state``, ``night`` and ``groups`` if given."""
    query = select(*_LINE).join_from(delivery, outbox, delivery.c.outbox_id == outbox.c.id)
    if message is not None:
        query = query.where(outbox.c.id == message)
    if state:
        query = query.where(delivery.c.state == state)
    if night:
        query = query.where(outbox.c.night == night)
    if groups is not None:
        query = query.where(outbox.c.recipient_group.in_(groups))
    ordered = query.order_by(outbox.c.night, outbox.c.id, delivery.c.id)
    return [OutboxLine(**row._mapping) for row in connection.execute(ordered)]


def waiting_letters(connection: Connection) -> list[tuple[datetime, Letter]]:
    """What waits, whole, with the moment from which it may be sent; in the order in which it goes."""
    query = LETTERS.add_columns(delivery.c.next_try_at).where(delivery.c.state == "waiting")
    rows = connection.execute(query.order_by(outbox.c.night, outbox.c.id, delivery.c.id)).all()
    return [(row.next_try_at, letter_of(row)) for row in rows]


def retry(connection: Connection, outbox_id: int, now: datetime | None = None) -> int:
    """Lets a message be tried at once, whatever hour it is, for all whom it did not reach; returns how many.

    Deputies that were withheld stand by again.

    Raises:
        OutboxError: there is no such message, or everybody has it.
    """
    standing_by = {"state": "standby", "next_try_at": None}
    again = {"state": "waiting", "next_try_at": clock(now), "attempts": 0, "unclear": 0, "told_at": None}
    of_message, withheld = delivery.c.outbox_id == outbox_id, delivery.c.state == "withheld"
    _known(connection, outbox_id)
    connection.execute(update(delivery).where(of_message, withheld, delivery.c.backup_of != "").values(standing_by))
    tried = update(delivery).where(of_message, delivery.c.state.in_(("failed", "waiting", "withheld"))).values(again)
    count = connection.execute(tried).rowcount
    if not count:
        raise OutboxError(f"message {outbox_id} reached everybody it is for; there is nothing to try again")
    settle(connection, outbox_id)
    return count


def withhold(connection: Connection, outbox_id: int) -> int:
    """Keeps a message from whoever does not have it yet; it stays in the outbox. Returns from how many.

    Raises:
        OutboxError: there is no such message, or nobody is left to keep it from.
    """
    _known(connection, outbox_id)
    kept = (
        update(delivery)
        .where(delivery.c.outbox_id == outbox_id, delivery.c.state.in_(("waiting", "standby")))
        .values(state="withheld", next_try_at=None)
    )
    count = connection.execute(kept).rowcount
    if not count:
        raise OutboxError(f"message {outbox_id} waits for nobody; there is nothing to withhold")
    settle(connection, outbox_id)
    return count


def withhold_all(connection: Connection) -> int:
    """Keeps back all that waits, and the deputies of it; returns how many deliveries."""
    waiting = select(delivery.c.outbox_id).where(delivery.c.state == "waiting").distinct()
    messages = list(connection.execute(waiting.order_by(delivery.c.outbox_id)).scalars())
    return sum(withhold(connection, outbox_id) for outbox_id in messages)


def _known(connection: Connection, outbox_id: int) -> None:
    if connection.execute(select(outbox.c.id).where(outbox.c.id == outbox_id)).first() is None:
        raise OutboxError(f"no message {outbox_id} is in the outbox; `regsosek alerts outbox` names them")
