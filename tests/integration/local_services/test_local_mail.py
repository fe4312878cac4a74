"""The embedded mail sink: what is sent arrives as one private file per message."""

import smtplib
import stat
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import psutil
import pytest

from local_services.mail_sink import MailSink
from regsosek.settings import Settings


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    sink = MailSink(tmp_path / "state", tmp_path / "mail")
    sink.start()
    yield sink
    sink.stop()


def send(host: str, port: int, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "malam@bps.example", "bps3500@bps.example", subject
    message.set_content("Kelengkapan: 93,4 % ✓ terlambat 2 hari\n.\nsesudah titik\n")
    with smtplib.SMTP(host, port, timeout=10) as client:
        client.send_message(message, to_addrs=["bps3500@bps.example", "bps3400@bps.example"])


def test_message_arrives_as_a_private_file(mail_sink: MailSink, services_env: Settings) -> None:
    send(services_env.smtp_host, services_env.smtp_port, "Ringkasan malam ✓ 35")
    file = mail_sink.received()[-1]
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert message["Subject"] == "Ringkasan malam ✓ 35"
    assert message["X-Envelope-To"] == "bps3500@bps.example, bps3400@bps.example"
    assert message.get_content().splitlines() == ["Kelengkapan: 93,4 % ✓ terlambat 2 hari", ".", "sesudah titik"]


def test_listens_on_loopback_only(mail_sink: MailSink) -> None:
    (process,) = mail_sink.process.members
    assert {connection.laddr.ip for connection in process.net_connections("inet")} == {"127.0.0.1"}


def test_messages_sort_by_arrival_and_outlive_a_restart(sink: MailSink) -> None:
    assert sink.port is not None
    send("127.0.0.1", sink.port, "satu")
    sink.stop()
    assert not sink.running
    sink.start()
    send("127.0.0.1", sink.port, "dua")
    subjects = [message_from_bytes(file.read_bytes(), policy=default)["Subject"] for file in sink.received()]
    assert subjects == ["satu", "dua"]


def test_stop_ends_the_process(sink: MailSink) -> None:
    (process,) = sink.process.members
    sink.stop()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
