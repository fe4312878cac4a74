"""A delivery of the outbox as an e-mail: the same bytes every time, no header but ours, failures without addresses."""

import hashlib
import hmac
import smtplib
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from regsosek.alerts.messages.rendering import Attachment
from regsosek.alerts.outbox.send_outcome import Letter
from regsosek.alerts.sending.smtp import describe_failure, email_of, message_id
from regsosek.settings import Settings

SENDER = "nightly@bps.example"
KEY = SecretStr("k" * 32)
SETTINGS = Settings.model_construct(mail_sender=SENDER, mail_reply_to=None, hmac_key=KEY)
OURS = "<20221026.prov64.7.12.356f38c595e0b66e@bps.example>"
LETTER = Letter(
    id=7,
    delivery=12,
    group="prov64",
    night=date(2022, 10, 26),
    channel="email",
    address="prov64@bps.example",
    subject="[KRITIS] BPS \u2013 malam",
    body="Baris satu \u2013 dua\n" + "panjang " * 300 + "\n",
    composed_at=datetime(2022, 10, 26, 18, 30, tzinfo=UTC),
)
RICH = replace(
    LETTER,
    html="<p>Baris \u2013 satu</p>\n",
    attachments=(
        Attachment("daftar-kerja.csv", "text/csv", b"id_subsls,aturan\r\n"),
        Attachment("daftar.bin", "application/octet-stream", bytes(range(256))),
    ),
)  # fmt: skip
HEADERS = {"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
           "X-Regsosek-Message-ID", "Content-Type", "Content-Transfer-Encoding"}  # fmt: skip


def test_a_letter_arrives_as_it_was_written() -> None:
    received = message_from_bytes(email_of(LETTER, SETTINGS).as_bytes(), policy=policy.default)
    assert received.get_body().get_content() == LETTER.body
    assert received["Subject"] == LETTER.subject
    assert received["To"] == "prov64@bps.example"
    assert received["Message-ID"] == OURS
    assert received["X-Regsosek-Message-ID"] == received["Message-ID"]
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Reply-To"] is None


def test_a_name_of_the_sender_stays_out_of_the_id() -> None:
    named = SETTINGS.model_copy(update={"mail_sender": f"Regsosek \u2013 malam <{SENDER}>"})
    received = message_from_bytes(email_of(LETTER, named).as_bytes(), policy=policy.default)
    assert received["From"] == f"Regsosek \u2013 malam <{SENDER}>"
    assert received["Message-ID"] == OURS


@pytest.mark.parametrize("field", ["id", "delivery", "group", "night", "address"])
def test_the_tag_of_an_id_fits_one_delivery_to_one_address(field: str) -> None:
    other = {"id": 8, "delivery": 13, "group": "prov65", "night": date(2022, 10, 27), "address": "lain@bps.example"}
    assert tag_of(replace(LETTER, **{field: other[field]}), SETTINGS) != tag_of(LETTER, SETTINGS)


def test_the_tag_of_an_id_depends_on_the_key_alone_and_not_on_the_try() -> None:
    assert tag_of(LETTER, SETTINGS.model_copy(update={"hmac_key": SecretStr("l" * 32)})) != tag_of(LETTER, SETTINGS)
    assert message_id(replace(LETTER, attempts=3, unclear=1), SETTINGS) == OURS


def test_the_tag_is_not_what_the_key_makes_of_a_nik() -> None:
    numbers = OURS.strip("<>").rpartition("@")[0].rpartition(".")[0]
    plain = hmac.new(KEY.get_secret_value().encode(), f"{numbers}\n{LETTER.address}".encode(), hashlib.sha256)
    assert not plain.hexdigest().startswith(tag_of(LETTER, SETTINGS))


def tag_of(letter: Letter, settings: Settings) -> str:
    """What the id of a letter ends with."""
    return message_id(letter, settings).rpartition("@")[0].rpartition(".")[2]


def test_html_stands_beside_the_text_and_files_after_both() -> None:
    answered = SETTINGS.model_copy(update={"mail_reply_to": "tim@bps.example"})
    received = message_from_bytes(email_of(RICH, answered).as_bytes(), policy=policy.default)
    assert received.get_body(("plain",)).get_content() == RICH.body
    assert received.get_body(("html",)).get_content() == RICH.html
    assert received["Reply-To"] == "tim@bps.example"
    assert [part.get_content_type() for part in received.walk() if part.is_multipart()] == [
        "multipart/mixed",
        "multipart/alternative",
    ]
    assert [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in received.iter_attachments()
    ] == [(each.name, each.media_type, each.content) for each in RICH.attachments]


def test_the_same_row_gives_the_same_bytes() -> None:
    assert email_of(RICH, SETTINGS).as_bytes() == email_of(RICH, SETTINGS).as_bytes()


@given(subject=st.text(max_size=60), body=st.text(), name=st.text(max_size=30))
def test_nothing_that_is_written_becomes_a_header(subject: str, body: str, name: str) -> None:
    letter = replace(LETTER, subject=subject, body=body, attachments=(Attachment(name, "text/csv", b"a"),))
    try:
        content = email_of(letter, SETTINGS).as_bytes()
    except ValueError:
        return
    received = message_from_bytes(content, policy=policy.default)
    assert set(received.keys()) <= HEADERS
    assert received["To"] == LETTER.address
    assert {key for part in received.walk() for key in part} <= HEADERS | {"Content-Disposition"}


@pytest.mark.parametrize("field", ["subject", "address", "attachment"])
def test_a_header_that_would_begin_another_one_cannot_be_written(field: str) -> None:
    evil = "a@b.example\nBcc: c@d.example"
    changed = {"attachments": (Attachment(evil, "text/csv", b""),)} if field == "attachment" else {field: evil}
    with pytest.raises(ValueError, match=r"linefeed|header|attachment|invalid"):
        email_of(replace(LETTER, **changed), SETTINGS).as_bytes()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "to prov64@bps.example"), "ConnectionRefusedError 111"),
        (TimeoutError("timed out"), "TimeoutError"),
        (smtplib.SMTPDataError(452, b"prov64@bps.example is full"), "SMTPDataError 452"),
        (smtplib.SMTPSenderRefused(530, b"log in", "nightly@bps.example"), "SMTPSenderRefused 530"),
    ],
)
def test_a_failure_names_no_address(error: Exception, told: str) -> None:
    assert describe_failure(error) == told
