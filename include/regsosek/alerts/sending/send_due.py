"""Sends what is due in the outbox, once: the same function after a night, every quarter of an hour, and by hand.

Before a message is handed over it is noted that it may arrive. A sender killed between the server's acceptance and the
mark leaves that note: the message is sent once more, under the same Message-ID, and after a second such end no more;
then the platform team is told and the deputy written to.
"""

import logging
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from regsosek.alerts.outbox.dispatches import begin, claimed, clock, counts, due, hasten, note
from regsosek.alerts.outbox.retry import pace
from regsosek.alerts.outbox.send_outcome import MOST_UNCLEAR, Carrier, Letter, Result, SendOutcome, follows
from regsosek.alerts.sending.bounces import collect_bounces
from regsosek.alerts.sending.sent_before import SentBefore
from regsosek.alerts.sending.smtp import MailCarrier
from regsosek.alerts.sending.undelivered import tell_undelivered
from regsosek.alerts.sending.unread_mailbox import tell_unread
from regsosek.alerts.sending.webhook import WebhookCarrier
from regsosek.geography.recipients import Channel
from regsosek.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one run of :func:`deliver` did, in deliveries: one message to one recipient each.

    Attributes:
        failed: tries without success.
        waiting: what waits although it was due or was tried before; ``unreached`` of it because no server took it up,
            not because of who it is for. Of one night, if the run was told which.
        later: what waits for the end of quiet hours.
        bounced: what came back.
    """

    sent: int
    failed: int
    waiting: int
    unreached: int = 0
    later: int = 0
    bounced: int = 0


def deliver(
    engine: Engine,
    settings: Settings,
    now: datetime | None = None,
    *,
    night: date | None = None,
    at_once: bool = False,
) -> SendReport:
    """Sends what is due, oldest night first, reads the bounces, and tells the platform team what cannot be delivered.

    Several runs may work at once: what another one has is left to it. Failures are noted, never raised. What is due
    goes first: whatever the mailbox of bounces holds, it delays no message. Once a channel works, what waits because
    it did not is tried in the same run.

    Args:
        now: the moment; default: this one.
        night: whose messages this is about: those that reached no server are tried at once, and counted alone.
        at_once: tries all that failed before, however long it was to wait.
    """
    at = clock(now)
    with engine.begin() as connection:
        if at_once or night is not None:
            hasten(connection, at, unreached=not at_once, night=None if at_once else night)
    sent_before = SentBefore(engine, settings, at)
    sent_before.mark()
    run = _Run(engine, settings, at, time.monotonic() + 60 * pace().longest_run_minutes)
    run.send_due()
    bounced = collect_bounces(engine, settings, at)
    tell_undelivered(engine, settings, at)
    tell_unread(engine, settings, at)
    with engine.begin() as connection:
        for channel in run.working:
            hasten(connection, at, unreached=True, channel=channel, but=run.tried)
    run.send_due()
    sent_before.leave_trace()
    with engine.begin() as connection:
        waiting, unreached, later = counts(connection, at, night, untried=not run.cut_short)
    sent = run.states.count("sent")
    return SendReport(sent, len(run.states) - sent, waiting, unreached, later, bounced)


class _Run:
    """One run: what it sent so far, by which channels, and whether its time was up before everything was tried."""

    def __init__(self, engine: Engine, settings: Settings, now: datetime, until: float) -> None:
        self.states: list[str] = []
        self.tried: set[int] = set()
        self.working: set[str] = set()
        self.cut_short = False
        self._engine, self._settings, self._now, self._until = engine, settings, now, until

    def send_due(self) -> None:
        """Tries everything that is due."""
        settings = self._settings
        with closing(MailCarrier(settings, pace())) as mail:
            carriers: dict[str, Carrier] = {Channel.EMAIL: mail, Channel.WEBHOOK: WebhookCarrier(settings)}
            if settings.mail_is_airflows:
                log.info("mail goes by Airflow connection %s: left to the DAG regsosek_send", settings.smtp_conn_id)
                del carriers[Channel.EMAIL]
            with self._engine.begin() as connection:
                waiting = due(connection, self._now, list(carriers))
            for delivery_id in waiting:
                if time.monotonic() > self._until:
                    log.warning("the mail server is slow: what is left is due, and the next run goes on")
                    self.cut_short = True
                    return
                self._send(carriers, delivery_id)

    def _send(self, carriers: dict[str, Carrier], delivery_id: int) -> None:
        with claimed(self._engine, delivery_id, self._now) as letter:
            if letter is None:
                return
            outcome = _try(self._engine, carriers[letter.channel], letter)
            if outcome.result is Result.WITHDRAWN:
                return
            change = follows(letter, outcome, self._now, pace())
            note(self._engine, letter, change, self._now)
        self.tried.add(delivery_id)
        self.states.append(change.state)
        if outcome.result is Result.TAKEN:
            self.working.add(letter.channel)


def _try(engine: Engine, carrier: Carrier, letter: Letter) -> SendOutcome:
    if letter.unclear >= MOST_UNCLEAR:
        return SendOutcome(Result.REFUSED_FOR_GOOD)  # by two senders that ended without a word
    begun: list[bool] = []

    def beginning() -> bool:
        begun.append(begin(engine, letter))
        return begun[-1]

    try:
        return carrier.carry(letter, beginning)
    except SQLAlchemyError:
        raise  # the warehouse is at fault, not this letter
    except Exception as error:  # noqa: BLE001 - one letter that nobody thought of must not keep back the others
        return SendOutcome(Result.UNCLEAR if any(begun) else Result.UNREACHED, type(error).__name__)
