"""The ways out of a round: mail, a chat webhook, and the dead-man's switch. Each says what failed, none raises.

The webhook stays a plain POST, as the ping is: apprise takes no bare ``https://`` address, which is what the setting
holds, and answers "failure" where the platform team needs the status.
"""

import zlib
from dataclasses import replace
from datetime import datetime

import httpx
from pydantic import SecretStr

from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.outbox.retry import SendSchedule, pace
from regsosek.alerts.outbox.send_outcome import Letter, Result
from regsosek.alerts.sending.smtp import MailCarrier
from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import default_night
from regsosek.geography.recipients import CENTRE, Channel, Recipient, Role, addressed, recipients
from regsosek.settings import Settings
from regsosek.watchdog.observing.observed import Unreachable

PATIENCE_SECONDS = 10.0
GROUP = "watchdog"


def send_mail(settings: Settings, message: Message, now: datetime) -> Unreachable | None:
    """Mails the platform team past the outbox, which lies in the warehouse."""
    try:
        team = addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM})
    except ReferenceDataError:
        return Unreachable("the recipients file is faulty (regsosek doctor)")
    letters = [_letter(each.address, number, message, now) for number, each in enumerate(team) if _is_first_mail(each)]
    carrier = MailCarrier(settings, _schedule())
    try:
        outcomes = [carrier.carry(letter, lambda: True) for letter in letters]
    finally:
        carrier.close()
    failed = [each.note for each in outcomes if each.result is not Result.TAKEN]
    return Unreachable("; ".join(sorted(set(failed)))) if failed or not letters else None


def _schedule() -> SendSchedule:
    """A round is short; a mail that a filter keeps back longer may come twice."""
    return replace(pace(), answer_seconds=30, acceptance_seconds=120)


def _is_first_mail(recipient: Recipient) -> bool:
    return recipient.channel is Channel.EMAIL and not recipient.backup_of


def _letter(address: str, number: int, message: Message, now: datetime) -> Letter:
    return Letter(
        id=zlib.crc32(f"{now.isoformat()} {message.body}".encode()),
        delivery=number,
        group=GROUP,
        night=default_night(now),
        channel=Channel.EMAIL,
        address=address,
        subject=message.subject,
        body=message.body,
        composed_at=now,
    )


def send_webhook(url: SecretStr, message: Message) -> Unreachable | None:
    """Posts ``{"text": ...}``, as Mattermost, Rocket.Chat and Slack take it."""
    return _request("POST", url.get_secret_value(), json={"text": f"{message.subject}\n{message.body}"})


def ping(url: SecretStr, suffix: str = "", text: str = "") -> Unreachable | None:
    """Tells the dead-man's switch: ``/start``, nothing for a good round, ``/fail``; with some words to keep."""
    return _request("POST", url.get_secret_value().rstrip("/") + suffix, content=text.encode())


def _request(method: str, url: str, **body: object) -> Unreachable | None:
    try:
        httpx.request(method, url, timeout=PATIENCE_SECONDS, **body).raise_for_status()  # type: ignore[arg-type]
    except httpx.HTTPStatusError as error:
        return Unreachable(f"HTTP {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Unreachable(type(error).__name__)
    return None
