"""Whatever the mailbox of bounces or one mail in it holds, messages go out, and the bounces behind it are read."""

import logging
import mailbox
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import Engine

from local_services.loopback import free_port
from regsosek.alerts.outbox.retry import pace
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.settings import Settings
from support.checks.matrix import cells
from support.servers.imap_mailbox import ImapMailbox, imap_mailbox
from support.servers.relay import Relay, relay
from support.worlds.prepared_outbox import DEPUTY, NIGHT, NOW, OFFICE, TEAM, bounce_of, deliveries, put, settings_for

LOGIN, PASSWORD = "regsosek", "rahasia"
ACCENTED = "rahasiä–kunci"


def _nested(depth: int) -> bytes:
    opened = (f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(depth))
    return "".join(opened).encode() + b"Content-Type: text/plain\n\nhalo\n"


HOSTILE = {
    "parts nested 1000 deep": _nested(1000),
    "messages nested 1000 deep": b"Content-Type: message/rfc822\n\n" * 1000 + b"Subject: halo\n\nhalo\n",
    "parts nested 30000 deep": _nested(30_000),
    "bytes that are no mail": bytes(range(256)) * 40,
    "nothing": b"",
    "larger than is read": b"Subject: halo\n\n" + b"x" * 3_000_000,
    "a multipart without a boundary": b"Content-Type: multipart/report\n\n--\n--\n",
    "a report that is no text": b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n!\n",
    "unknown everything": b"Content-Type: message/rfc822; charset=x\nContent-Transfer-Encoding: y\n\n\xff\xfe\n",
}


@pytest.fixture
def box(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "kembali")


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS of a server, and who vouches for it."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return context, tmp_path / "ca.pem"


@pytest.fixture
def it() -> Iterator[Relay]:
    with relay() as running:
        yield running


@pytest.fixture
def returned(engine: Engine, services_env: Settings, it: Relay) -> bytes:
    """The report of a message that went out, and came back."""
    put(engine, OFFICE, DEPUTY)
    deliver(engine, settings_for(services_env, it.port), NOW)
    return bounce_of(it.to(OFFICE.address)[0]).encode()


@pytest.mark.parametrize(
    "kinds", cells({"all at once": HOSTILE} | {kind: [kind] for kind in HOSTILE}, always={"all at once"})
)
def test_whatever_mails_hold_stays_with_them(
    engine: Engine, services_env: Settings, box: mailbox.Maildir, it: Relay, returned: bytes, kinds: Iterable[str]
) -> None:
    for kind in kinds:
        box.add(HOSTILE[kind])
    box.add(returned)
    put(engine, night=NIGHT + timedelta(days=1))
    own = settings_for(services_env, it.port, bounce_maildir=Path(box._path))
    done = deliver(engine, own, NOW)
    assert (done.sent, done.bounced) == (3, 1), "the second night, the deputy and the team"
    assert deliver(engine, own, NOW) == SendReport(0, 0, 0), "none comes again"


def test_a_mail_is_passed_over_by_size_and_kind_alone(
    engine: Engine, services_env: Settings, box: mailbox.Maildir, it: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    content = b"Subject: 3201234567890123\n" + _nested(1000)
    box.add(content)
    with caplog.at_level(logging.INFO, "regsosek.alerts"):
        deliver(engine, settings_for(services_env, it.port, bounce_maildir=Path(box._path)), NOW)
    assert f"passed over: {len(content)} bytes read of it, RecursionError" in caplog.text
    assert "3201234567890123" not in caplog.text


@pytest.mark.parametrize("moment", ["read", "marked"])
def test_mails_that_somebody_takes_away_stop_nothing(
    engine: Engine,
    services_env: Settings,
    box: mailbox.Maildir,
    it: Relay,
    returned: bytes,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(2):
        box.add("Subject: halo\n\nhalo\n")
    box.add(returned)
    first, second, _ = sorted((Path(box._path) / "new").iterdir())
    whole = open

    def opening(path: Any, *how: Any, **more: Any) -> object:
        opened = whole(path, *how, **more)
        if Path(str(path)) == first:
            (second if moment == "read" else first).unlink(missing_ok=True)
        return opened

    for place in ("io.open", "builtins.open"):
        monkeypatch.setattr(place, opening)
    assert deliver(engine, settings_for(services_env, it.port, bounce_maildir=Path(box._path)), NOW).bounced == 1


Serve = Callable[[ImapMailbox], AbstractContextManager[Settings]]


@pytest.fixture
def serve(services_env: Settings, certified: tuple[ssl.SSLContext, Path], it: Relay) -> Serve:
    """Serves a mailbox, and gives the settings that read it."""
    context, authority = certified

    @contextmanager
    def serving(box: ImapMailbox) -> Iterator[Settings]:
        with imap_mailbox(box, context):
            login = {"bounce_imap_username": LOGIN, "bounce_imap_password": SecretStr(box.password)}
            place = {"bounce_imap_host": "127.0.0.1", "bounce_imap_port": box.port, "smtp_ca_file": authority}
            yield settings_for(services_env, it.port, **login, **place)

    return serving


def test_a_server_that_says_nothing_of_an_empty_folder(engine: Engine, serve: Serve) -> None:
    put(engine)
    with serve(ImapMailbox([], PASSWORD, mute=True)) as own:
        assert deliver(engine, own, NOW) == SendReport(1, 0, 0)
    assert not unread(engine)


@pytest.mark.parametrize(
    ("password", "folder", "on_the_wire"),
    [
        (ACCENTED, "INBOX", '"INBOX"'),
        (PASSWORD, "Kembali/Té", '"Kembali/T&AOk-"'),
        (ACCENTED, 'R&D"\\日本', r'"R&-D\"\\&ZeVnLA-"'),
    ],
)
def test_credentials_and_folders_beyond_ascii(
    engine: Engine, serve: Serve, returned: bytes, password: str, folder: str, on_the_wire: str
) -> None:
    with serve(ImapMailbox([returned.replace(b"\n", b"\r\n")], password, on_the_wire)) as inbox:
        own = inbox.model_copy(update={"bounce_imap_folder": folder})
        wrong = own.model_copy(update={"bounce_imap_password": SecretStr("salah–")})
        assert deliver(engine, wrong, NOW).bounced == 0
        assert "refuses the login" in unread(engine)
        assert deliver(engine, own, NOW).bounced == 1
    assert not unread(engine)


def test_a_mail_that_the_server_does_not_give_stays_unread(engine: Engine, serve: Serve, returned: bytes) -> None:
    box = ImapMailbox([b"Subject: halo\r\n\r\n", returned.replace(b"\n", b"\r\n")], PASSWORD, withheld=frozenset({1}))
    with serve(box) as own:
        assert deliver(engine, own, NOW).bounced == 1
    assert box.seen == {2}


def test_a_large_mail_is_read_at_its_beginning_only(engine: Engine, serve: Serve, returned: bytes) -> None:
    content = returned.replace(b"\n", b"\r\n").replace(b"\r\n--B--", b"\r\n" + b"x" * 3_000_000 + b"\r\n--B--")
    with serve(ImapMailbox([content], PASSWORD)) as own:
        assert deliver(engine, own, NOW).bounced == 1


def test_a_mailbox_that_stays_unread_is_told_once_and_stops_nothing(
    engine: Engine, services_env: Settings, it: Relay, box: mailbox.Maildir
) -> None:
    readings = pace().told_after_tries
    lost = {"bounce_imap_host": "127.0.0.1", "bounce_imap_port": free_port()}
    own = settings_for(services_env, it.port, **lost)
    for reading in range(readings + 2):
        put(engine, night=NIGHT + timedelta(days=reading))
        at = NOW + timedelta(minutes=15 * reading)
        told = reading == readings - 1
        assert deliver(engine, own, at) == SendReport(1 + told, 0, 0)
    [mail] = it.to(TEAM)
    assert mail["Subject"] == "[PIPELINE FAULT] sending: the mailbox of bounces cannot be read"
    body = " ".join(mail.get_body(("plain",)).get_content().split())
    assert f"{readings} times in a row, since 19:00 UTC of 2022-10-26: - ConnectionRefusedError 111" in body
    mended = settings_for(services_env, it.port, bounce_maildir=Path(box._path))
    deliver(engine, mended, NOW + timedelta(hours=4))
    assert not unread(engine)
    for reading in range(readings):
        deliver(engine, own, NOW + timedelta(hours=5, minutes=15 * reading))
    assert len(it.to(TEAM)) == 2, "another time, another message"


def test_what_nobody_thought_of_stops_nothing(
    engine: Engine, services_env: Settings, it: Relay, box: mailbox.Maildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise MemoryError("3201234567890123")

    monkeypatch.setattr("regsosek.alerts.sending.bounces.unread_mails", broken)
    put(engine)
    assert deliver(engine, settings_for(services_env, it.port), NOW).sent == 1
    assert unread(engine) == "MemoryError"


def unread(engine: Engine) -> str:
    """What is remembered of a mailbox that cannot be read."""
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT coalesce(max(fault), '') FROM alert.unread_mailbox").scalar())


# What other relays make of a plain report.
REPORTS = {
    "plain": {},
    "for addresses in any script": {"message/delivery-status": "message/global-delivery-status",
                                    "text/rfc822-headers": "message/global-headers"},
    "for addresses in any script, whole": {"message/delivery-status": "message/global-delivery-status",
                                           "text/rfc822-headers": "message/global"},
    "headers in any script alone": {"text/rfc822-headers": "message/global-headers"},
    "ours is answered": {"Message-ID:": "Message-ID: <0102@region.relay.example>\nIn-Reply-To:"},
    "ours is kept by Exchange": {"Message-ID:": "Message-ID: <0102@relay.example>\nX-Microsoft-Original-Message-ID:"},
    "ours is kept by Google": {"Message-ID:": "Message-ID: <0102@relay.example>\nX-Google-Original-Message-ID:"},
    "ours has a comment": {"@bps.example>\n": "@bps.example> (added by relay.example)\n"},
}  # fmt: skip
NO_BOUNCES = {
    "a delay": {"Action: failed": "Action: delayed"},
    "a receipt": {"Action: failed": "Action: delivered"},
    "an answer of a person": {"message/delivery-status": "text/plain"},
}


RELAYS = {"plain", "for addresses in any script, whole", "ours is kept by Exchange", "a delay"}


def changed(report: bytes, replacements: dict[str, str]) -> bytes:
    """The report with other words."""
    told = report.decode()
    for ours, theirs in replacements.items():
        told = told.replace(ours, theirs)
    return told.encode()


@pytest.mark.parametrize("kind", cells([*REPORTS, *NO_BOUNCES], always=RELAYS))
def test_the_deputy_is_woken_whatever_relay_reports(
    engine: Engine, services_env: Settings, box: mailbox.Maildir, it: Relay, returned: bytes, kind: str
) -> None:
    box.add(changed(returned, (REPORTS | NO_BOUNCES)[kind]))
    deliver(engine, settings_for(services_env, it.port, bounce_maildir=Path(box._path)), NOW)
    states = [deliveries(engine)[each.address].state for each in (OFFICE, DEPUTY)]
    assert states == (["sent", "standby"] if kind in NO_BOUNCES else ["failed", "sent"])


def test_our_own_header_survives_a_relay_that_renames_messages(
    engine: Engine, services_env: Settings, box: mailbox.Maildir, it: Relay, returned: bytes
) -> None:
    [letter] = it.to(OFFICE.address)
    letter.replace_header("Message-ID", "<0102@region.relay.example>")
    head, _, _ = letter.as_bytes().partition(b"\n\n")
    report = returned.replace(returned[returned.index(b"Message-ID:") : returned.index(b"\n\n--B--")], head)
    box.add(report)
    assert deliver(engine, settings_for(services_env, it.port, bounce_maildir=Path(box._path)), NOW).bounced == 1
