"""A mailbox of bounces that stays unread is ours to mend: nobody would hear of offices that cannot be reached."""

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects import postgresql

from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.alerts.outbox import outbox
from regsosek.alerts.outbox.retry import pace
from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import default_night
from regsosek.geography.recipients import CENTRE, Role, addressed, recipients
from regsosek.settings import Settings
from regsosek.warehouse.tables import unread_mailbox

log = logging.getLogger(__name__)

MAILBOX = "bounces"
SUBJECT = "[PIPELINE FAULT] sending: the mailbox of bounces cannot be read"


def note_reading(connection: Connection, fault: str | None, now: datetime) -> None:
    """Counts readings that failed in a row; one that went well ends the count."""
    if fault is None:
        connection.execute(delete(unread_mailbox))
        return
    first = postgresql.insert(unread_mailbox).values(mailbox=MAILBOX, since=now, readings=1, fault=fault)
    once_more = {"readings": unread_mailbox.c.readings + 1, "fault": fault}
    connection.execute(first.on_conflict_do_update(index_elements=["mailbox"], set_=once_more))


def tell_unread(engine: Engine, settings: Settings, now: datetime) -> bool:
    """Composes one message to the platform team, once, when the mailbox could not be read too often in a row."""
    with engine.begin() as connection:
        often = (unread_mailbox.c.readings >= pace().told_after_tries) & unread_mailbox.c.told_at.is_(None)
        row = connection.execute(select(unread_mailbox).where(often).with_for_update()).first()
        if row is None:
            return False
        try:
            team = addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM})
        except ReferenceDataError as error:
            log.error("nobody can be told: %s", error)  # noqa: TRY400 - the message says it all
            return False
        connection.execute(update(unread_mailbox).values(told_at=now))
        body = render("unread_mailbox.txt.j2", {"fault": row.fault, "readings": row.readings, "since": row.since})
        return outbox.place(
            connection,
            group=Role.PLATFORM,
            night=default_night(row.since),
            kind=f"unread mailbox {row.since:%Y-%m-%dT%H:%M}",
            recipients=team,
            message=Message(first_fitting([SUBJECT]), body),
            news=MAILBOX,
            language="en",
            urgent=True,
            honour_quiet=settings.quiet_hours,
            now=now,
        )
