"""The edge to SMTP: a letter as an e-mail, and a session that hands letters over one recipient at a time."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email import policy
from email.message import EmailMessage

from regsosek.alerts.outcome import Letter, Outcome, Result
from regsosek.settings import Settings

OK = 200
TEMPORARY = 400
PERMANENT = 500


def message_id(letter: Letter, sender: str) -> str:
    """The same for the same delivery, so that a message sent twice can be told from two, and a bounce be placed."""
    domain = sender.rpartition("@")[2] or "localhost"
    return f"<{letter.night:%Y%m%d}.{letter.group}.{letter.id}.{letter.delivery}@{domain}>"


def email_of(letter: Letter, sender: str, reply_to: str | None = None) -> EmailMessage:
    """The letter as an e-mail, in plain UTF-8 text and as HTML where it has any; the same bytes every time.

    Raises:
        ValueError: a header holds what would begin another one.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.address
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = letter.subject
    message["Date"] = letter.composed_at
    message["Message-ID"] = message_id(letter, sender)
    message["Auto-Submitted"] = "auto-generated"  # keeps holiday responders from answering
    message.set_content(letter.body, cte="quoted-printable")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for each in letter.attachments:
        _attach(message, each.name, each.media_type, each.content)
    # Drawn at random otherwise. "=_" stands in no quoted-printable text and in no base64.
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{letter.delivery}_{number}")
    return message


def _attach(message: EmailMessage, name: str, media_type: str, content: bytes) -> None:
    if not name.isprintable() or "/" in name:
        raise ValueError("the name of an attachment is no plain file name")
    main, _, sub = media_type.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)


class MailCarrier:
    """Hands letters to the SMTP server of the settings, over one session that is opened with the first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: smtplib.SMTP | None = None
        self._unreachable: Outcome | None = None

    def carry(self, letter: Letter, begin: Callable[[], bool]) -> Outcome:
        """Sends one letter; a server that could not be reached once is not tried again by this carrier."""
        if self._unreachable:
            return self._unreachable
        try:
            message = email_of(letter, self._settings.mail_sender, self._settings.mail_reply_to)
            content = message.as_bytes(policy=policy.SMTP)
        except ValueError as error:
            return Outcome(Result.REFUSED_FOR_GOOD, f"cannot be written: {type(error).__name__}")
        try:
            self._session = self._session or open_session(self._settings)
            outcome = _envelope(self._session, self._settings.mail_sender, letter.address)
        except OSError as error:
            self.close()
            self._unreachable = Outcome(Result.UNREACHED, describe_failure(error))
            return self._unreachable
        return outcome or self._hand_over(content, begin)

    def close(self) -> None:
        """Ends the session, if there is one."""
        session, self._session = self._session, None
        if session:
            with suppress(OSError):
                session.quit()
            session.close()

    def _hand_over(self, content: bytes, begin: Callable[[], bool]) -> Outcome:
        assert self._session is not None, "an envelope was accepted"
        if not begin():
            self._session.rset()
            return Outcome(Result.WITHDRAWN)
        try:
            code, _ = self._session.data(content)
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        except OSError as error:
            self.close()
            return Outcome(Result.UNCLEAR, describe_failure(error))
        return _answered("DATA", code) or Outcome(Result.TAKEN)


def open_session(settings: Settings) -> smtplib.SMTP:
    """A session that is secured and logged in as the settings say; left as a context it says goodbye.

    Raises:
        OSError: the server cannot be reached or refuses us.
    """
    host, port, timeout = settings.smtp_host, settings.smtp_port, settings.smtp_timeout_seconds
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    session: smtplib.SMTP
    if settings.smtp_tls:
        session = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        session = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if settings.smtp_starttls:
            session.starttls(context=context)
        if settings.smtp_username and settings.smtp_password:
            session.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        session.ehlo_or_helo_if_needed()
    except BaseException:
        session.close()
        raise
    return session


def _envelope(session: smtplib.SMTP, sender: str, address: str) -> Outcome | None:
    """What speaks against sending; None if the server takes sender and recipient.

    Raises:
        OSError: the session is of no use; a sender that is refused is our matter, not the recipient's.
    """
    code, answer = session.mail(sender)
    if code >= TEMPORARY:
        session.rset()
        raise smtplib.SMTPSenderRefused(code, answer, sender)
    code, answer = session.rcpt(address)
    if code == _CLOSING:
        raise smtplib.SMTPResponseException(code, answer)
    refused = _answered("RCPT", code)
    if refused:
        session.rset()
    return refused


_CLOSING = 421  # the server ends the session, whatever it was asked


def _answered(step: str, code: int) -> Outcome | None:
    if OK <= code < TEMPORARY:
        return None
    final = code >= PERMANENT
    return Outcome(Result.REFUSED_FOR_GOOD if final else Result.REFUSED_FOR_NOW, f"{step} {code}")


def describe_failure(error: Exception) -> str:
    """What went wrong by kind and code alone: the server's own words may quote an address."""
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
