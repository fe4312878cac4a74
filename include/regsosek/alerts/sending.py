"""Sends what is due in the outbox, once: the same function after a night, every quarter of an hour, and by hand.

Before a message is handed over it is noted that it may arrive. A sender killed between the server's acceptance and the
mark leaves that note: the message is sent once more, under the same Message-ID, and after a second such end no more;
then the platform team is told and the deputy written to.
"""

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from regsosek.alerts.bounces import collect_bounces
from regsosek.alerts.deliveries import begin, claimed, clock, counts, due, note
from regsosek.alerts.mail import MailCarrier
from regsosek.alerts.outcome import MOST_UNCLEAR, Carrier, Letter, Outcome, Result, follows
from regsosek.alerts.pace import pace
from regsosek.alerts.undelivered import tell_undelivered
from regsosek.alerts.unread import tell_unread
from regsosek.alerts.webhook import WebhookCarrier
from regsosek.geography.recipients import Channel
from regsosek.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one run of :func:`deliver` did, in deliveries: one message to one recipient each.

    Attributes:
        failed: tries without success.
        waiting: what waits although it was due or was tried before; ``unreached`` of it because no server took it up,
            not because of who it is for.
        later: what waits for the end of quiet hours.
        bounced: what came back.
    """

    sent: int
    failed: int
    waiting: int
    unreached: int = 0
    later: int = 0
    bounced: int = 0


def deliver(engine: Engine, settings: Settings, now: datetime | None = None) -> Delivered:
    """Sends what is due, oldest night first, reads the bounces, and tells the platform team what cannot be delivered.

    Several runs may work at once: what another one has is left to it. Failures are noted, never raised. What is due
    goes first: whatever the mailbox of bounces holds, it delays no message.

    Args:
        now: the moment; default: this one.
    """
    at = clock(now)
    results = _send_due(engine, settings, at)
    bounced = collect_bounces(engine, settings, at)
    told = [tell_undelivered(engine, settings, at), tell_unread(engine, settings, at)]
    if bounced or any(told):
        results += _send_due(engine, settings, at)
    with engine.begin() as connection:
        waiting, unreached, later = counts(connection, at)
    sent = results.count("sent")
    return Delivered(sent, len(results) - sent, waiting, unreached, later, bounced)


def _send_due(engine: Engine, settings: Settings, now: datetime) -> list[str]:
    """The new state of every delivery that was tried."""
    with closing(MailCarrier(settings)) as mail:
        carriers: dict[str, Carrier] = {Channel.EMAIL: mail, Channel.WEBHOOK: WebhookCarrier(settings)}
        if settings.mail_is_airflows:
            log.info("mail goes by Airflow connection %s: left to the DAG regsosek_send", settings.smtp_conn_id)
            del carriers[Channel.EMAIL]
        with engine.begin() as connection:
            waiting = due(connection, now, list(carriers))
        states = [_send(engine, carriers, delivery_id, now) for delivery_id in waiting]
    return [state for state in states if state]


def _send(engine: Engine, carriers: dict[str, Carrier], delivery_id: int, now: datetime) -> str | None:
    with claimed(engine, delivery_id, now) as letter:
        if letter is None:
            return None
        outcome = _try(engine, carriers[letter.channel], letter)
        if outcome.result is Result.WITHDRAWN:
            return None
        change = follows(letter, outcome, now, pace())
        note(engine, letter, change, now)
        return change.state


def _try(engine: Engine, carrier: Carrier, letter: Letter) -> Outcome:
    if letter.unclear >= MOST_UNCLEAR:
        return Outcome(Result.REFUSED_FOR_GOOD)  # by two senders that ended without a word
    return carrier.carry(letter, partial(begin, engine, letter))
