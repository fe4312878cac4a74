"""The edge to the sender's mailbox, where bounces arrive: a maildir, or a folder of an IMAP server over TLS.

Strangers write into it. A mail that cannot be had is left where it is, and those behind it are read all the same.

By hand on ``imaplib``: few commands, and a faulty mail of a stranger is passed over where a library would raise.
"""

import imaplib
import logging
import re
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regsosek.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
MOST_BYTES = 1024 * 1024  # read of one mail: a report, and the headers that it returns, stand at the beginning


class MailboxError(OSError):
    """A mailbox that cannot be read; the words are ours, and hold no account and no secret."""


def unread_mails(settings: Settings) -> Iterator[bytes]:
    """Every mail that was not read before, its beginning; one counts as read as soon as the next is asked for.

    Raises:
        OSError: the mailbox cannot be reached or refuses us.
    """
    if settings.bounce_maildir:
        yield from _of_maildir(settings.bounce_maildir)
    if settings.bounce_imap_host:
        yield from _of_imap(settings)


def count_unread(settings: Settings, timeout: float = TIMEOUT_SECONDS) -> int:
    """How many mails were not read yet; nothing is marked.

    Raises:
        OSError: as :func:`unread_mails`.
    """
    count = len(_unseen_files(settings.bounce_maildir)) if settings.bounce_maildir else 0
    if settings.bounce_imap_host:
        with _folder(settings, timeout, readonly=True) as server:
            count += len(_unseen(server))
    return count


def _of_maildir(path: Path) -> Iterator[bytes]:
    for file in _unseen_files(path):
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES)
        except OSError as error:  # taken away meanwhile, or not ours to read
            log.warning("a mail of the sender's mailbox was not read: %s", type(error).__name__)
            continue
        yield content
        name, _, flags = file.name.partition(":2,")
        try:
            file.rename(path / "cur" / f"{name}:2,{''.join(sorted({*flags, 'S'}))}")
        except OSError as error:
            log.warning("a mail of the sender's mailbox was not marked as read: %s", type(error).__name__)


def _unseen_files(path: Path) -> list[Path]:
    folders = [path / "new", path / "cur"]
    if not all(folder.is_dir() for folder in folders):
        raise MailboxError(f"REGSOSEK_BOUNCE_MAILDIR {path} is no maildir")
    files = (file for folder in folders for file in folder.iterdir() if file.is_file() and file.name[0] != ".")
    return sorted((file for file in files if "S" not in file.name.partition(":2,")[2]), key=lambda file: file.name)


def _of_imap(settings: Settings) -> Iterator[bytes]:
    with _folder(settings, TIMEOUT_SECONDS) as server:
        for number in _unseen(server):
            status, answer = server.fetch(number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
            content = next((part[1] for part in answer if isinstance(part, tuple)), None)
            if status != "OK" or content is None:
                log.warning("a mail of the sender's mailbox was not read: the IMAP server does not give it")
                continue
            yield content
            server.store(number, "+FLAGS", r"(\Seen)")


def _unseen(server: imaplib.IMAP4_SSL) -> list[str]:
    """Numbers of mails. Some servers say OK alone where there is none."""
    status, found = server.search(None, "UNSEEN")
    if status != "OK":
        raise MailboxError("the IMAP server refuses to search the folder")
    return [number.decode() for line in found if line for number in line.split()]


@contextmanager
def _folder(settings: Settings, timeout: float, *, readonly: bool = False) -> Iterator[imaplib.IMAP4_SSL]:
    host, port = settings.bounce_imap_host or "", settings.bounce_imap_port
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    try:
        with imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=timeout) as server:
            _log_in(server, settings)
            status, _ = server.select(_folder_name(settings.bounce_imap_folder), readonly)
            if status != "OK":
                raise MailboxError("the folder of REGSOSEK_BOUNCE_IMAP_FOLDER is not there")
            yield server
    except imaplib.IMAP4.error as error:
        raise MailboxError(f"IMAP: {type(error).__name__}") from None  # its own words may quote the account
    except UnicodeError:
        raise MailboxError("REGSOSEK_BOUNCE_IMAP_HOST is no host name") from None


def _log_in(server: imaplib.IMAP4_SSL, settings: Settings) -> None:
    user = settings.bounce_imap_username or ""
    password = settings.bounce_imap_password.get_secret_value() if settings.bounce_imap_password else ""
    try:
        if (user + password).isascii():
            server.login(user, password)
        else:  # LOGIN knows ASCII only; PLAIN is UTF-8 (RFC 4616)
            server.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise MailboxError(
            "the IMAP server refuses the login of REGSOSEK_BOUNCE_IMAP_USERNAME and REGSOSEK_BOUNCE_IMAP_PASSWORD"
        ) from None


def _folder_name(name: str) -> str:
    """As IMAP wants it: quoted, and what is not ASCII in modified UTF-7 (RFC 3501, 5.1.3)."""
    shifted = re.sub(r"[^\x20-\x7e]+", lambda run: f"&{_base64_of(run[0])}-", name.replace("&", "&-"))
    return '"' + re.sub(r'(["\\])', r"\\\1", shifted) + '"'


def _base64_of(text: str) -> str:
    return b64encode(text.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
