"""A row of the outbox as an e-mail: the same bytes every time, and failures told without addresses."""

import smtplib
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest

from regsosek.alerts.mail import Letter, describe_failure, email_of

SENDER = "nightly@bps.example"
LETTER = Letter(
    7,
    "prov64",
    date(2022, 10, 26),
    ("prov64@bps.example", "ipds64@bps.example"),
    "[KRITIS] BPS \u2013 malam",
    "Baris satu \u2013 dua\n" + "panjang " * 300 + "\n",
    datetime(2022, 10, 26, 18, 30, tzinfo=UTC),
)


def test_a_letter_arrives_as_it_was_written() -> None:
    received = message_from_bytes(email_of(LETTER, SENDER).as_bytes(), policy=policy.default)
    assert received.get_body().get_content() == LETTER.body
    assert received["Subject"] == LETTER.subject
    assert received["To"] == "prov64@bps.example, ipds64@bps.example"
    assert received["Message-ID"] == "<20221026.prov64.7@bps.example>"
    assert received["Auto-Submitted"] == "auto-generated"


def test_the_same_row_gives_the_same_bytes() -> None:
    assert email_of(LETTER, SENDER).as_bytes() == email_of(LETTER, SENDER).as_bytes()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "to prov64@bps.example"), "ConnectionRefusedError 111"),
        (TimeoutError("timed out"), "TimeoutError"),
        (smtplib.SMTPDataError(452, b"prov64@bps.example is full"), "SMTPDataError 452"),
        (
            smtplib.SMTPRecipientsRefused({"prov64@bps.example": (550, b"unknown"), "b@c.example": (450, b"busy")}),
            "SMTPRecipientsRefused 450, 550",
        ),
        (ValueError("Header values may not contain linefeed: prov64@bps.example"), "ValueError"),
    ],
)
def test_a_failure_names_no_address(error: Exception, told: str) -> None:
    assert describe_failure(error) == told
