"""The edge to chat and webhooks, through apprise: the tag of a letter leads to the URLs of the webhooks file."""

from collections.abc import Callable
from pathlib import Path

from apprise import Apprise, AppriseAsset, AppriseConfig, AppriseResultStatus, NotifyFormat

from regsosek.alerts.outbox.send_outcome import Letter, Result, SendOutcome
from regsosek.settings import Settings

LONGEST_SECONDS = 60


class WebhookCarrier:
    """Hands subject and text to the services under a tag; HTML and attachments stay with the mail."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.webhooks_file
        self._known: Apprise | None = None

    def carry(self, letter: Letter, begin: Callable[[], bool]) -> SendOutcome:
        """Posts one letter."""
        if self._file is None:
            return SendOutcome(Result.UNREACHED, "REGSOSEK_WEBHOOKS_FILE is not set")
        if not self._file.is_file():
            return SendOutcome(Result.UNREACHED, "the file of REGSOSEK_WEBHOOKS_FILE is not there")
        self._known = self._known or _services(self._file)
        if not list(self._known.find(tag=letter.address, match_always=False)):
            return SendOutcome(Result.UNREACHED, f"no usable line {letter.address}=URL in the webhooks file")
        if not begin():
            return SendOutcome(Result.WITHDRAWN)
        answer = self._known.notify(
            title=letter.subject,
            body=letter.body,
            body_format=NotifyFormat.TEXT,
            tag=letter.address,
            match_always=False,
            timeout=LONGEST_SECONDS,
        )
        if answer:
            return SendOutcome(Result.TAKEN)
        timed_out = answer.status is AppriseResultStatus.TIMEOUT
        return SendOutcome(Result.UNCLEAR if timed_out else Result.REFUSED_FOR_NOW, f"webhook {answer.status.name}")


def hosts_in_clear(file: Path) -> list[str]:
    """The hosts of services that are spoken to without TLS; a service with one address of its own always has it."""
    return [service.host for service in _services(file) if service.protocol and not service.secure]


def _services(file: Path) -> Apprise:
    # A redirect would lead a letter, and the token in its address, to a host that nobody named.
    asset = AppriseAsset(http_redirects=False)
    known = Apprise(asset=asset)
    known.add(AppriseConfig(paths=str(file), asset=asset))
    return known
