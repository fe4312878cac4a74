"""The outbox: what was decided and composed is written in one transaction, and sent from there, once.

Sending is at least once: a run killed between the server's acceptance and our mark sends that one message again, under
the same Message-ID, so that the duplicate is recognisable. A message that could not be sent stays, with its attempts.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from regsosek.alerts.condition import Told
from regsosek.alerts.mail import Letter, Postman, describe_failure, open_postman
from regsosek.alerts.rendering import Message
from regsosek.settings import Settings
from regsosek.warehouse.tables import outbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one run of :func:`deliver` did; ``waiting`` is what the outbox still holds afterwards."""

    sent: int
    failed: int
    waiting: int


def fingerprint(told: Sequence[Told]) -> str:
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


def place(
    connection: Connection,
    *,
    group: str,
    night: date,
    kind: str,
    recipients: Sequence[str],
    message: Message,
    news: str,
) -> bool:
    """Puts a message into the outbox, in place of an unsent one of the same group, night and kind.

    Returns:
        False if that message was sent before: then nothing changes.
    """
    content = {
        "recipients": list(recipients),
        "subject": message.subject,
        "body": message.body,
        "fingerprint": news,
    }
    key = {"recipient_group": group, "night": night, "kind": kind}
    statement = insert(outbox).values(**key, **content, state="waiting")
    placed = statement.on_conflict_do_update(
        index_elements=list(key), set_=content, where=outbox.c.state == "waiting"
    ).returning(outbox.c.id)
    return connection.execute(placed).first() is not None


def is_placed(connection: Connection, group: str, night: date, kind: str) -> bool:
    """Whether the group's message of that night and kind lies in the outbox, sent or not."""
    query = select(outbox.c.id).where(outbox.c.recipient_group == group, outbox.c.night == night, outbox.c.kind == kind)
    return connection.execute(query).first() is not None


def take_back(connection: Connection, group: str, night: date, kind: str) -> None:
    """Removes an unsent message that has become untrue; a sent one stays."""
    connection.execute(
        delete(outbox).where(
            outbox.c.recipient_group == group,
            outbox.c.night == night,
            outbox.c.kind == kind,
            outbox.c.state == "waiting",
        )
    )


def deliver(engine: Engine, settings: Settings) -> Delivered:
    """Sends what waits in the outbox, oldest night first, over one SMTP session.

    Several runs may work at once: a row that another one holds is left to it. Failures are noted, never raised.
    """
    with engine.begin() as connection:
        waiting = list(connection.execute(_WAITING).scalars())
    if not waiting:
        return Delivered(0, 0, 0)
    try:
        with open_postman(settings) as postman:
            results = [_deliver_one(engine, postman, outbox_id) for outbox_id in waiting]
    except OSError as error:
        results = [_note_unreached(engine, outbox_id, describe_failure(error)) for outbox_id in waiting]
        log.warning("mail server not reached: %s; %d messages wait", describe_failure(error), len(waiting))
    with engine.begin() as connection:
        left = len(list(connection.execute(_WAITING).scalars()))
    return Delivered(results.count(True), results.count(False), left)


_WAITING = select(outbox.c.id).where(outbox.c.state == "waiting").order_by(outbox.c.night, outbox.c.id)


def _claim(connection: Connection, outbox_id: int) -> Letter | None:
    claimed = (
        select(outbox).where(outbox.c.id == outbox_id, outbox.c.state == "waiting").with_for_update(skip_locked=True)
    )
    row = connection.execute(claimed).first()
    if row is None:
        return None
    return Letter(row.id, row.recipient_group, row.night, tuple(row.recipients), row.subject, row.body, row.composed_at)


def _deliver_one(engine: Engine, postman: Postman, outbox_id: int) -> bool | None:
    """True: sent; False: failed; None: another run has it."""
    with engine.begin() as connection:
        letter = _claim(connection, outbox_id)
        if letter is None:
            return None
        try:
            refused = postman.send(letter)
        # A header that cannot be written is a ValueError of the email package; SMTP errors are OSErrors.
        except (OSError, ValueError) as error:
            _note_failure(connection, outbox_id, describe_failure(error))
            return False
        note = f"{refused} of {len(letter.recipients)} recipients refused" if refused else None
        _note_sent(connection, outbox_id, note)
        return True


def _note_unreached(engine: Engine, outbox_id: int, failure: str) -> bool | None:
    with engine.begin() as connection:
        if _claim(connection, outbox_id) is None:
            return None
        _note_failure(connection, outbox_id, failure)
        return False


def _note_failure(connection: Connection, outbox_id: int, failure: str) -> None:
    values = {"attempts": outbox.c.attempts + 1, "last_error": failure}
    connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(**values))
    log.warning("message %d not sent: %s; it stays in the outbox", outbox_id, failure)


def _note_sent(connection: Connection, outbox_id: int, note: str | None) -> None:
    values = {"state": "sent", "attempts": outbox.c.attempts + 1, "last_error": note, "sent_at": text("now()")}
    connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(**values))
