"""Takes note of what came back: a delivery that bounced has failed, and its deputy is written to."""

import hmac
import logging
import time
from collections import Counter
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from regsosek.alerts.outbox.dispatches import LETTERS, fail, letter_of, settle
from regsosek.alerts.outbox.send_outcome import Letter
from regsosek.alerts.sending.dsn import Bounce, read_bounce
from regsosek.alerts.sending.mailbox import MailboxError, unread_mails
from regsosek.alerts.sending.smtp import describe_failure, message_id
from regsosek.alerts.sending.unread_mailbox import note_reading
from regsosek.geography.recipients import Channel
from regsosek.settings import Settings
from regsosek.warehouse.tables import delivery_of_message as delivery

log = logging.getLogger(__name__)

LONGEST_SECONDS = 120.0  # of one reading; the mails behind are left to the next one


class Taken(StrEnum):
    """How a mail in the mailbox was taken."""

    FAILED = "a delivery has failed by it"
    NO_NEWS = "no news"
    NOT_OURS = "their id is none that was given"
    NOT_SENT = "no mail server has taken what they are about"


def collect_bounces(engine: Engine, settings: Settings, now: datetime) -> int:
    """Reads the mailbox of the sender; returns how many deliveries have failed by it.

    A mailbox that cannot be read delays the news of bounces; it stops nothing, and is told after some readings.
    """
    taken, fault, until = Counter[Taken](), None, time.monotonic() + LONGEST_SECONDS
    try:
        for content in unread_mails(settings):
            taken[_take_note(engine, content, settings, now)] += 1
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
    for why in (Taken.NOT_OURS, Taken.NOT_SENT):
        if taken[why]:
            log.warning("%d reports in the sender's mailbox are ignored: %s", taken[why], why)
    return taken[Taken.FAILED]


def _take_note(engine: Engine, content: bytes, settings: Settings, now: datetime) -> Taken:
    """Reads one mail, and marks the delivery that it reports; whatever is wrong with the mail stays with it."""
    try:
        bounce = read_bounce(content)
        if bounce is None:
            log.info("a mail in the sender's mailbox is no bounce of ours; it stays there, read")
            return Taken.NO_NEWS
        with engine.begin() as connection:
            return apply_bounce(connection, bounce, settings, now)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - a mail may hold anything: nested without end, unknown to any parser
        kind = type(error).__name__
        log.warning("a mail in the sender's mailbox is passed over: %d bytes read of it, %s", len(content), kind)
        return Taken.NO_NEWS


def apply_bounce(connection: Connection, bounce: Bounce, settings: Settings, now: datetime) -> Taken:
    """Marks the delivery that ``bounce`` is about, if its id is the one we gave and a mail server had the letter."""
    row = connection.execute(
        LETTERS.add_columns(delivery.c.state).where(
            delivery.c.id == bounce.delivery_id, delivery.c.outbox_id == bounce.outbox_id
        )
    ).first()
    # Numbers are easily guessed, or of another warehouse that sends under the same name.
    if row is None or not _names(bounce, letter := letter_of(row), settings):
        return Taken.NOT_OURS
    if row.state == "failed":
        return Taken.NO_NEWS
    if not _may_be_with_a_server(letter, row.state):
        return Taken.NOT_SENT
    if not bounce.final:
        log.warning("delivery %d of message %d is delayed: %s", letter.delivery, letter.id, bounce.status)
        return Taken.NO_NEWS
    log.warning("delivery %d of message %d bounced: %s", letter.delivery, letter.id, bounce.status)
    values = {"state": "failed", "last_error": f"bounced {bounce.status}".strip(), "next_try_at": None}
    fail(connection, letter, now, values)
    settle(connection, letter.id)
    return Taken.FAILED


def _names(bounce: Bounce, letter: Letter, settings: Settings) -> bool:
    return hmac.compare_digest(message_id(letter, settings).encode(), bounce.message_id.encode())


def _may_be_with_a_server(letter: Letter, state: str) -> bool:
    """A try that reached no server, or that a server refused, leaves nothing that could come back."""
    taken = state == "sent" or (state == "waiting" and letter.unclear > 0)
    return taken and letter.channel == Channel.EMAIL
