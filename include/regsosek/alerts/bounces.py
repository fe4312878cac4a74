"""Takes note of what came back: a delivery that bounced has failed, and its deputy is written to."""

import logging
import time
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from regsosek.alerts.deliveries import LETTERS, fail, letter_of, settle
from regsosek.alerts.dsn import Bounce, read_bounce
from regsosek.alerts.mail import describe_failure, message_id
from regsosek.alerts.mailbox import MailboxError, unread_mails
from regsosek.alerts.unread import note_reading
from regsosek.settings import Settings
from regsosek.warehouse.tables import delivery_of_message as delivery

log = logging.getLogger(__name__)

LONGEST_SECONDS = 120.0  # of one reading; the mails behind are left to the next one


def collect_bounces(engine: Engine, settings: Settings, now: datetime) -> int:
    """Reads the mailbox of the sender; returns how many deliveries have failed by it.

    A mailbox that cannot be read delays the news of bounces; it stops nothing, and is told after some readings.
    """
    failed, fault, until = 0, None, time.monotonic() + LONGEST_SECONDS
    try:
        for content in unread_mails(settings):
            failed += _take_note(engine, content, settings.mail_sender, now)
            if time.monotonic() > until:
                log.warning("the mailbox of bounces holds more than one reading takes; the rest is left to the next")
                break
    except OperationalError:
        raise  # the warehouse is at fault; the mail stays unread
    except Exception as error:  # noqa: BLE001 - strangers write into the mailbox, and sending must go on
        fault = str(error) if isinstance(error, MailboxError) else describe_failure(error)
        log.warning("the mailbox of bounces was not read: %s; it is tried again with the next sending", fault)
    with engine.begin() as connection:
        note_reading(connection, fault, now)
    return failed


def _take_note(engine: Engine, content: bytes, sender: str, now: datetime) -> bool:
    """Whether a delivery has failed by one mail; whatever is wrong with the mail stays with it."""
    try:
        bounce = read_bounce(content)
        if bounce is None:
            log.info("a mail in the sender's mailbox is no bounce of ours; it stays there, read")
            return False
        with engine.begin() as connection:
            return apply_bounce(connection, bounce, sender, now)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - a mail may hold anything: nested without end, unknown to any parser
        kind = type(error).__name__
        log.warning("a mail in the sender's mailbox is passed over: %d bytes read of it, %s", len(content), kind)
        return False


def apply_bounce(connection: Connection, bounce: Bounce, sender: str, now: datetime) -> bool:
    """Marks the delivery that ``bounce`` is about; False if it is no news, or about nothing that was sent."""
    row = connection.execute(
        LETTERS.add_columns(delivery.c.state).where(
            delivery.c.id == bounce.delivery_id, delivery.c.outbox_id == bounce.outbox_id
        )
    ).first()
    if row is None or row.state not in {"sent", "waiting"}:
        return False
    letter = letter_of(row)
    # Numbers are easily guessed, or of another warehouse that sends under the same name.
    if message_id(letter, sender) != bounce.message_id:
        return False
    if not bounce.final:
        log.warning("delivery %d of message %d is delayed: %s", letter.delivery, letter.id, bounce.status)
        return False
    log.warning("delivery %d of message %d bounced: %s", letter.delivery, letter.id, bounce.status)
    values = {"state": "failed", "last_error": f"bounced {bounce.status}".strip(), "next_try_at": None}
    fail(connection, letter, now, values)
    settle(connection, letter.id)
    return True
