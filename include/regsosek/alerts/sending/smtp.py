"""The edge to SMTP: a letter as an e-mail, and a session that hands letters over one recipient at a time.

By hand on ``smtplib``: each step of a session is timed by itself, and an answer that was lost is told from a refusal.
"""

import hashlib
import hmac
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr

from regsosek.alerts.outbox.retry import SendSchedule
from regsosek.alerts.outbox.send_outcome import Letter, Result, SendOutcome
from regsosek.settings import Settings, plain_address, variable
from regsosek.transport import wants_starttls

OK = 200
TEMPORARY = 400
PERMANENT = 500
OUR_ID = "X-Regsosek-Message-ID"  # beside Message-ID, which some relays replace by their own
_PURPOSE = b"message ids of mail"
_TAG_DIGITS = 16  # 64 bits: tried by mail alone, which is slow


def message_id(letter: Letter, settings: Settings) -> str:
    """The same for the same delivery, so that a message sent twice can be told from two, and a bounce be placed.

    Its numbers can be counted. Its tag is known to us and to those who handled the mail.
    """
    domain = parseaddr(settings.mail_sender)[1].rpartition("@")[2] or "localhost"
    numbers = f"{letter.night:%Y%m%d}.{letter.group}.{letter.id}.{letter.delivery}"
    own_key = hmac.digest(settings.token_secret, _PURPOSE, hashlib.sha256)
    tag = hmac.new(own_key, f"{numbers}\n{letter.address}".encode(), hashlib.sha256).hexdigest()[:_TAG_DIGITS]
    return f"<{numbers}.{tag}@{domain}>"


def email_of(letter: Letter, settings: Settings) -> EmailMessage:
    """The letter as an e-mail, in plain UTF-8 text and as HTML where it has any; the same bytes every time.

    Raises:
        ValueError: a header holds what would begin another one.
    """
    message = EmailMessage()
    message["From"] = settings.mail_sender
    message["To"] = letter.address
    if settings.mail_reply_to:
        message["Reply-To"] = settings.mail_reply_to
    message["Subject"] = letter.subject
    message["Date"] = letter.composed_at
    message["Message-ID"] = message[OUR_ID] = message_id(letter, settings)
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

    def __init__(self, settings: Settings, limits: SendSchedule) -> None:
        self._settings = settings
        self._limits = limits
        self._session: smtplib.SMTP | None = None
        self._handed_over = 0
        self._unreachable = _fault_of_ours(settings)

    def carry(self, letter: Letter, begin: Callable[[], bool]) -> SendOutcome:
        """Sends one letter; a server that could not be reached once is not tried again by this carrier."""
        if self._unreachable:
            return self._unreachable
        try:
            message = email_of(letter, self._settings)
            content = message.as_bytes(policy=policy.SMTP)
        except ValueError as error:
            return SendOutcome(Result.REFUSED_FOR_GOOD, f"cannot be written: {type(error).__name__}")
        try:
            outcome = self._announce(letter)
        except OSError as error:
            self.close()
            self._unreachable = SendOutcome(Result.UNREACHED, describe_failure(error))
            return self._unreachable
        return outcome or self._hand_over(content, begin)

    def close(self) -> None:
        """Ends the session, if there is one."""
        session, self._session, self._handed_over = self._session, None, 0
        if session:
            with suppress(OSError):
                session.quit()
            session.close()

    def _announce(self, letter: Letter) -> SendOutcome | None:
        """Sender and recipient, in a new session where the server has ended one after some letters."""
        if self._handed_over:
            try:
                return _envelope(self._opened(), letter, self._settings)
            except OSError:
                self.close()
        return _envelope(self._opened(), letter, self._settings)

    def _opened(self) -> smtplib.SMTP:
        if self._session is None:
            self._session = open_session(self._settings)
            _wait_for(self._session, self._limits.answer_seconds)
        return self._session

    def _hand_over(self, content: bytes, begin: Callable[[], bool]) -> SendOutcome:
        session = self._opened()
        if not begin():
            session.rset()
            return SendOutcome(Result.WITHDRAWN)
        try:
            _wait_for(session, self._limits.acceptance_seconds)
            code, _ = session.data(content)
            _wait_for(session, self._limits.answer_seconds)
        except smtplib.SMTPDataError as error:
            self._end_transaction()  # refused before the content: some servers go on with the old envelope
            code = error.smtp_code
        except OSError as error:
            self.close()
            return SendOutcome(Result.UNCLEAR, describe_failure(error))
        self._handed_over += 1
        return _answered("DATA", code) or SendOutcome(Result.TAKEN)

    def _end_transaction(self) -> None:
        assert self._session is not None, "an envelope was accepted"
        try:
            self._session.rset()
        except OSError:
            self.close()


def _fault_of_ours(settings: Settings) -> SendOutcome | None:
    """Why no letter can be written at all: it waits until that is mended, and is no recipient's fault."""
    for name in ("mail_sender", "mail_reply_to"):
        if (given := getattr(settings, name)) and not plain_address(given):
            return SendOutcome(Result.UNREACHED, f"{variable(name)} is no e-mail address in ASCII")
    return None


def _wait_for(session: smtplib.SMTP, seconds: float) -> None:
    if session.sock:
        session.sock.settimeout(seconds)


def open_session(settings: Settings) -> smtplib.SMTP:
    """A session that is secured and logged in as the settings say; left as a context it says goodbye.

    Raises:
        OSError: the server cannot be reached or refuses us.
    """
    try:
        session = _connected(settings)
    except UnicodeError:
        raise OSError(f"{variable('smtp_host')} is no host name") from None
    try:
        if wants_starttls(settings):
            session.starttls(context=_trusted(settings))
        if settings.smtp_username and settings.smtp_password:
            _log_in(session, settings.smtp_username, settings.smtp_password.get_secret_value())
        session.ehlo_or_helo_if_needed()
    except BaseException:
        session.close()
        raise
    return session


def _connected(settings: Settings) -> smtplib.SMTP:
    host, port, timeout = settings.smtp_host, settings.smtp_port, settings.smtp_timeout_seconds
    if settings.smtp_tls:
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=_trusted(settings))
    return smtplib.SMTP(host, port, timeout=timeout)


def _trusted(settings: Settings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.smtp_ca_file)


def _log_in(session: smtplib.SMTP, user: str, password: str) -> None:
    """Logs in; where smtplib knows ASCII only, the mechanisms that say UTF-8 (RFC 4616) or take it."""
    if (user + password).isascii():
        session.login(user, password)
        return
    session.ehlo_or_helo_if_needed()
    offered = session.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        credentials = "\0".join(["", user, password])
        code, answer = session.docmd("AUTH", f"PLAIN {_base64_of(credentials)}")
    elif "LOGIN" in offered:
        code, answer = session.docmd("AUTH", f"LOGIN {_base64_of(user)}")
        if code == _CHALLENGE:
            code, answer = session.docmd(_base64_of(password))
    else:
        raise smtplib.SMTPNotSupportedError("no login that takes a password beyond ASCII")
    if code not in {_LOGGED_IN, _LOGGED_IN_BEFORE}:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _base64_of(text: str) -> str:
    return b64encode(text.encode()).decode()


def _envelope(session: smtplib.SMTP, letter: Letter, settings: Settings) -> SendOutcome | None:
    """What speaks against sending; None if the server takes sender and recipient.

    A server that can (RFC 3461) is asked to name our id in its report, and to return no more than headers.

    Raises:
        OSError: the session is of no use; a sender that is refused is our matter, not the recipient's.
    """
    sender, ours = settings.mail_sender, message_id(letter, settings).strip("<>")
    reports = [f"ENVID={ours}", "RET=HDRS"] if session.has_extn("dsn") else []
    code, answer = session.mail(sender, reports)
    if code >= TEMPORARY:
        session.rset()
        raise smtplib.SMTPSenderRefused(code, answer, sender)
    code, answer = session.rcpt(letter.address)
    if code == _CLOSING:
        raise smtplib.SMTPResponseException(code, answer)
    refused = _answered("RCPT", code)
    if refused:
        session.rset()
    return refused


_CHALLENGE, _LOGGED_IN, _LOGGED_IN_BEFORE = 334, 235, 503
_CLOSING = 421  # the server ends the session, whatever it was asked


def _answered(step: str, code: int) -> SendOutcome | None:
    if OK <= code < TEMPORARY:
        return None
    final = code >= PERMANENT
    return SendOutcome(Result.REFUSED_FOR_GOOD if final else Result.REFUSED_FOR_NOW, f"{step} {code}")


def describe_failure(error: Exception) -> str:
    """What went wrong by kind and code alone: the server's own words may quote an address."""
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
