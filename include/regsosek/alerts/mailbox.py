"""The edge to the sender's mailbox, where bounces arrive: a maildir, or a folder of an IMAP server over TLS."""

import imaplib
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regsosek.settings import Settings

TIMEOUT_SECONDS = 20.0


def unread_mails(settings: Settings) -> Iterator[bytes]:
    """Every mail that was not read before; one counts as read as soon as the next is asked for.

    Raises:
        OSError: the mailbox cannot be reached or refuses us.
    """
    if settings.bounce_maildir:
        yield from _of_maildir(settings.bounce_maildir)
    if settings.bounce_imap_host:
        yield from _of_imap(settings)


def _of_maildir(path: Path) -> Iterator[bytes]:
    try:
        box = mailbox.Maildir(path, factory=None, create=False)
    except mailbox.NoSuchMailboxError:
        raise FileNotFoundError(f"REGSOSEK_BOUNCE_MAILDIR {path} is no maildir") from None
    for key in box.keys():  # noqa: SIM118 - a mailbox is iterated by its messages
        message = box.get_message(key)
        if "S" in message.get_flags():
            continue
        yield box.get_bytes(key)
        message.set_subdir("cur")
        message.add_flag("S")
        box[key] = message


def _of_imap(settings: Settings) -> Iterator[bytes]:
    with _folder(settings) as server:
        _, found = server.search(None, "UNSEEN")
        for number in found[0].split():
            _, answer = server.fetch(number, "(BODY.PEEK[])")
            yield next((part[1] for part in answer if isinstance(part, tuple)), b"")
            server.store(number, "+FLAGS", r"(\Seen)")


@contextmanager
def _folder(settings: Settings) -> Iterator[imaplib.IMAP4_SSL]:
    host, port = settings.bounce_imap_host or "", settings.bounce_imap_port
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    password = settings.bounce_imap_password
    try:
        with imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_SECONDS) as server:
            server.login(settings.bounce_imap_username or "", password.get_secret_value() if password else "")
            status, _ = server.select(f'"{settings.bounce_imap_folder}"')
            if status != "OK":
                raise FileNotFoundError("the folder of REGSOSEK_BOUNCE_IMAP_FOLDER is not there")
            yield server
    except imaplib.IMAP4.error as error:
        raise OSError(f"IMAP: {type(error).__name__}") from None  # its own words may quote the account
