"""The mail relay, willing to take mail from us, and the mailbox of what comes back; nothing is sent or marked."""

import os
import smtplib
import socket
import ssl

from regsosek.alerts.sending.mailbox import MailboxError, count_unread
from regsosek.alerts.sending.smtp import describe_failure, open_session
from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import TIMEOUT_SECONDS, Surroundings
from regsosek.settings import Settings, variable
from regsosek.transport import PLAIN, wants_starttls
from regsosek.wording.nouns import counted

_OK = 250
_PLACE = f"{variable('smtp_host')} and {variable('smtp_port')}"
_FIXES: tuple[tuple[type[Exception], str, str], ...] = (
    (socket.gaierror, "no such host", f"correct {variable('smtp_host')}"),
    (ConnectionRefusedError, "nothing listens there", f"start the relay, or correct {_PLACE}"),
    (TimeoutError, "no answer in time", f"look for a firewall, or correct {_PLACE}"),
    (
        ssl.SSLError, "its certificate is not trusted",
        "have the relay present a certificate of an authority that this machine trusts, for that very name",
    ),
    (
        smtplib.SMTPAuthenticationError, "it refuses our login",
        f"correct {variable('smtp_username')} and {variable('smtp_password')}",
    ),
    (
        smtplib.SMTPNotSupportedError, "it does not offer STARTTLS, or no login",
        f"switch it on at the relay, or use its other port (often 587), or unset {variable('smtp_starttls')} and, if "
        f"its network does not leave the machine, name it in {PLAIN}",
    ),
    (smtplib.SMTPException, "it does not speak SMTP as it must", f"correct {_PLACE}"),
)  # fmt: skip


def _mail(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings.model_copy(update={"smtp_timeout_seconds": float(TIMEOUT_SECONDS)})
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with open_session(settings) as session:
            session.ehlo_or_helo_if_needed()
            code, _ = session.mail(settings.mail_sender)
            session.rset()
    except OSError as error:
        found, fix = next((found, fix) for kind, found, fix in (*_FIXES, _OTHER) if isinstance(error, kind))
        return fail(f"{place}: {found} ({describe_failure(error)})", fix)
    if code != _OK:
        fix = f"correct {variable('mail_sender')}, or let the relay take mail from it"
        return fail(f"{place} refuses our sender ({code})", fix)
    encrypted = settings.smtp_tls or wants_starttls(settings)
    if settings.smtp_username and not encrypted:
        return warn(f"{place} got our password unencrypted", f"set {variable('smtp_starttls')}=true")
    return ok(f"{place} takes mail from us{', encrypted' if encrypted else ''}")


_OTHER: tuple[type[Exception], str, str] = (OSError, "it cannot be reached", f"correct {_PLACE}")


def _mailbox(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    if not (settings.bounce_maildir or settings.bounce_imap_host):
        return ok("no mailbox is named: what other servers send back is not read")
    try:
        unread = count_unread(settings, TIMEOUT_SECONDS)
    except OSError as error:
        found = str(error) if isinstance(error, MailboxError) else f"it cannot be reached ({describe_failure(error)})"
        return fail(found, f"correct {variable('bounce_maildir')} or {variable('bounce_imap_host')} and its login")
    if settings.bounce_maildir and not os.access(settings.bounce_maildir / "cur", os.W_OK):
        return fail("mails in it cannot be marked as read", f"let us write into {variable('bounce_maildir')}")
    return ok(f"it can be read; waiting in it: {counted(unread, 'mail', 'mails')}")


CHECKS = (
    Check("mail relay", _mail, settings=("smtp_host", "smtp_port", "smtp_username", "smtp_password", "smtp_starttls")),
    Check("mailbox of bounces", _mailbox, settings=tuple(n for n in Settings.model_fields if n.startswith("bounce_"))),
)
