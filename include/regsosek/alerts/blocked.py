"""The message to the platform team when the gate stopped others: whose, and what was found, never the value."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from regsosek.alerts.messages.platform_message import PLATFORM
from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.alerts.outbox import outbox
from regsosek.errors import PersonalDataError
from regsosek.geography.recipients import CENTRE, Recipient, Role, addressed
from regsosek.geography.recipients import recipients as known_recipients
from regsosek.settings import Settings
from regsosek.wording.nouns import counted


def compose_stopped(night: date, stopped: Mapping[str, str]) -> Message:
    """Words what was stopped, by the group that it was for, in English, with the next step."""
    lines = [f"{group}: {finding}" for group, finding in sorted(stopped.items())]
    count = counted(len(lines), "message", "messages")
    subject = first_fitting([f"[PIPELINE FAULT] night {night.isoformat()}: {count} stopped"])
    return Message(subject, render("stopped.txt.j2", {"night": night.isoformat(), "stopped": lines}))


def tell_stopped(connection: Connection, settings: Settings, night: date, stopped: Mapping[str, str]) -> None:
    """Puts it into the outbox if anything was stopped; the same findings of a night once."""
    if not stopped:
        return
    found = hashlib.sha256(repr(sorted(stopped.items())).encode()).hexdigest()
    outbox.place(
        connection,
        group=PLATFORM,
        night=night,
        kind=f"stopped-{found[:12]}",
        recipients=addressed(known_recipients(settings.recipients_file), CENTRE, {Role.PLATFORM}),
        message=compose_stopped(night, stopped),
        news=found,
        language="en",
        urgent=True,
        honour_quiet=settings.quiet_hours,
    )


def place_or_tell(
    connection: Connection,
    settings: Settings,
    *,
    group: str,
    night: date,
    kind: str,
    recipients: Sequence[Recipient],
    message: Message,
    news: str,
    language: str,
    urgent: bool,
) -> bool:
    """Puts a message into the outbox (:func:`outbox.place`), or, if the gate stops it, the message that it did.

    Returns:
        False if the message was sent before, or stopped.
    """
    try:
        placed = outbox.place(
            connection,
            group=group,
            night=night,
            kind=kind,
            recipients=recipients,
            message=message,
            news=news,
            language=language,
            urgent=urgent,
            honour_quiet=settings.quiet_hours,
        )
    except PersonalDataError as stopped:
        outbox.take_back(connection, group, night, kind)
        tell_stopped(connection, settings, night, {f"{group}, {kind}": str(stopped)})
        return False
    return placed
