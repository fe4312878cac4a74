"""A mail relay on loopback that answers as a test tells it to: by recipient, over TLS, with a login, or never."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

from local_services.loopback import free_port
from regsosek.alerts.sending.send_due import deliver
from regsosek.settings import Settings
from regsosek.warehouse.database import connect

ACCEPTED = "250 OK"
LOGIN, PASSWORD = "regsosek", "rahasia"


@dataclass
class Relay:
    """What came and what is answered; ``held`` makes DATA wait until it is set, after the message was taken."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    at_data: str = ACCEPTED
    came: list[tuple[str, EmailMessage]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    logged_in: list[bool] = field(default_factory=list)

    def to(self, address: str) -> list[EmailMessage]:
        """The messages that came for ``address``."""
        return [message for recipient, message in self.came if recipient == address]


class _Handler:
    def __init__(self, relay: Relay, hold: threading.Event | None, pause: float) -> None:
        self.relay, self.hold, self.pause = relay, hold, pause

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        answer = self.relay.answers.get(address, ACCEPTED)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.relay.logged_in.append(session.authenticated)
        if self.relay.at_data == ACCEPTED:
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.relay.came += [(address, message) for address in envelope.rcpt_tos]
        self.relay.arrived.set()
        await asyncio.sleep(self.pause)
        if self.hold:
            # The client is killed meanwhile; the thread of the server goes on serving others.
            while not self.hold.is_set():
                await asyncio.sleep(0.02)
        return self.relay.at_data


@contextmanager
def relay(
    *,
    answers: Mapping[str, str] | None = None,
    at_data: str = ACCEPTED,
    hold: threading.Event | None = None,
    server_context: ssl.SSLContext | None = None,
    implicit_tls: bool = False,
    pause: float = 0,
    password: str = PASSWORD,
    without: Sequence[str] = (),
) -> Iterator[Relay]:
    """Serves until the caller is done; with ``server_context`` it wants TLS (STARTTLS unless implicit) and a login.

    Args:
        pause: seconds between the end of a message and the answer to it.
        without: ways to log in that are not offered.
    """
    it = Relay(answers=dict(answers or {}), at_data=at_data)
    secured = {
        "authenticator": _knowing(password),
        "auth_exclude_mechanism": without,
        "auth_required": True,
        "auth_require_tls": not implicit_tls,
    }
    starttls = {"tls_context": server_context, "require_starttls": True}
    extra: dict[str, Any] = {}
    if server_context:
        extra = {**secured, **({"ssl_context": server_context} if implicit_tls else starttls)}
    controller = Controller(_Handler(it, hold, pause), hostname="127.0.0.1", port=free_port(), **extra)
    controller.start()
    it.port = controller.port
    try:
        yield it
    finally:
        controller.stop()


def _knowing(password: str) -> Callable[..., AuthResult]:
    def login(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        # Handled would mean that the authenticator has answered itself.
        return AuthResult(success=(data.login, data.password) == (LOGIN.encode(), password.encode()), handled=False)

    return login


def deliver_at(settings: Settings, now: datetime) -> None:
    """Sends what is due, for a process of its own that is killed while it does."""
    deliver(connect(settings), settings, now)
