"""The edge to SMTP: one message of the outbox as an e-mail, and one session to send several."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage

from regsosek.settings import Settings


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox."""

    id: int
    group: str
    night: date
    recipients: tuple[str, ...]
    subject: str
    body: str
    composed_at: datetime


@dataclass(frozen=True, slots=True)
class Postman:
    """An open SMTP session and the sender's address."""

    session: smtplib.SMTP
    sender: str

    def send(self, letter: Letter) -> int:
        """Sends one letter; returns how many of its recipients the server refused while it took the others.

        Raises:
            OSError: the letter was not taken (``smtplib.SMTPException`` is one).
            ValueError: a header cannot be written.
        """
        return len(self.session.send_message(email_of(letter, self.sender)))


def message_id(letter: Letter, sender: str) -> str:
    """The same for the same row of the outbox, so that a message sent twice can be told from two messages."""
    domain = sender.rpartition("@")[2] or "localhost"
    return f"<{letter.night:%Y%m%d}.{letter.group}.{letter.id}@{domain}>"


def email_of(letter: Letter, sender: str) -> EmailMessage:
    """The letter as an e-mail in plain UTF-8 text; the same bytes every time."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(letter.recipients)
    message["Subject"] = letter.subject
    message["Date"] = letter.composed_at
    message["Message-ID"] = message_id(letter, sender)
    message["Auto-Submitted"] = "auto-generated"  # keeps holiday responders from answering
    message.set_content(letter.body, cte="quoted-printable")
    return message


@contextmanager
def open_postman(settings: Settings) -> Iterator[Postman]:
    """Connects, secures and logs in as the settings say.

    Raises:
        OSError: the server cannot be reached or refuses us.
    """
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_seconds) as session:
        if settings.smtp_starttls:
            session.starttls(context=ssl.create_default_context())
        if settings.smtp_username and settings.smtp_password:
            session.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        yield Postman(session, settings.mail_sender)


def describe_failure(error: Exception) -> str:
    """What went wrong by kind and code alone: the server's own words may quote an address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"{type(error).__name__} {', '.join(codes)}"
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
