"""The ways out of a round: mail, a chat webhook, and the dead-man's switch. Each says what failed, none raises."""

import zlib
from datetime import datetime

import httpx
from pydantic import SecretStr

from regsosek.alerts.mail import Letter, describe_failure, open_postman
from regsosek.alerts.rendering import Message
from regsosek.geography.calendar import default_night
from regsosek.settings import Settings
from regsosek.watchdog.observed import Unreachable

PATIENCE_SECONDS = 10.0
GROUP = "watchdog"


def send_mail(settings: Settings, message: Message, now: datetime) -> Unreachable | None:
    """Mails the platform team past the outbox, which lies in the warehouse."""
    letter = Letter(
        id=zlib.crc32(f"{now.isoformat()} {message.body}".encode()),
        group=GROUP,
        night=default_night(now),
        recipients=settings.platform_recipients,
        subject=message.subject,
        body=message.body,
        composed_at=now,
    )
    try:
        with open_postman(settings) as postman:
            postman.send(letter)
    except (OSError, ValueError) as error:
        return Unreachable(describe_failure(error))
    return None


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
