"""Takes note of what came back: a delivery that bounced has failed, and its deputy is written to."""

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine

from regsosek.alerts.deliveries import LETTERS, fail, letter_of, settle
from regsosek.alerts.dsn import Bounce, read_bounce
from regsosek.alerts.mail import message_id
from regsosek.alerts.mailbox import unread_mails
from regsosek.settings import Settings
from regsosek.warehouse.tables import delivery_of_message as delivery

log = logging.getLogger(__name__)


def collect_bounces(engine: Engine, settings: Settings, now: datetime) -> int:
    """Reads the mailbox of the sender; returns how many deliveries have failed by it.

    A mailbox that cannot be read delays the news of bounces; it does not stop sending.
    """
    failed = 0
    try:
        for content in unread_mails(settings):
            bounce = read_bounce(content)
            if bounce is None:
                log.info("a mail in the sender's mailbox is no bounce of ours; it stays there, read")
                continue
            with engine.begin() as connection:
                failed += apply_bounce(connection, bounce, settings.mail_sender, now)
    except OSError as error:
        log.warning("the mailbox of bounces was not read: %s; it is tried again with the next sending", error)
    return failed


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
