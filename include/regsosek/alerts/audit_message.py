"""The message to the platform team when the weekly audit finds what does not hold. The same findings are told once."""

import hashlib
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine

from regsosek.alerts.blocked import place_or_tell
from regsosek.alerts.messages.platform_message import PLATFORM
from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.geography.recipients import CENTRE, Role, addressed, recipients
from regsosek.runbooks import link
from regsosek.settings import Settings
from regsosek.wording.nouns import counted

SHOWN = 40


def alert_audit(engine: Engine, settings: Settings, night: date, release_id: str, faults: Sequence[str]) -> None:
    """Composes ``faults`` of a release into the outbox; without any, nothing."""
    if not faults:
        return
    found = hashlib.sha256("\n".join([release_id, *faults]).encode()).hexdigest()
    values = {
        "release_id": release_id,
        "faults": faults[:SHOWN],
        "more": max(0, len(faults) - SHOWN),
        "runbook": link("task", "regsosek_audit.conclude", settings.docs_url),
    }
    with engine.begin() as connection:
        place_or_tell(
            connection,
            settings,
            group=PLATFORM,
            night=night,
            kind=f"audit-{found[:12]}",
            recipients=addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM}),
            message=Message(subject_of_audit(release_id, len(faults)), render("audit.txt.j2", values)),
            news=found,
            language="en",
            urgent=True,
        )


def subject_of_audit(release_id: str, faults: int) -> str:
    """What a phone shows of it."""
    about, count = f"audit of {release_id}", counted(faults, "fault", "faults")
    return first_fitting(f"[PIPELINE FAULT] {each}: {count}" for each in (f"weekly {about}", about))
