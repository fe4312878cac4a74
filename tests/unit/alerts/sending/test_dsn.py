"""What mail servers report of our messages, in the forms of those that offices use."""

import quopri
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.sending.dsn import Bounce, read_bounce

REPORTS = Path(__file__).parent / "dsn"
OURS = "<20221026.prov64.7.12.356f38c595e0b66e@bps.example>"


def report(name: str) -> bytes:
    return (REPORTS / f"{name}.eml").read_bytes()


@pytest.mark.parametrize(
    ("name", "final", "status"),
    [
        ("postfix-failed", True, "5.1.1"),
        ("postfix-delayed", False, "4.4.1"),
        ("exchange-online-failed", True, "5.2.2"),
        ("google-failed", True, "5.1.1"),
        ("exim-failed", True, "5.0.0"),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_report_is_read(name: str, final: bool, status: str, line_end: bytes) -> None:
    content = report(name).replace(b"\n", line_end)
    assert read_bounce(content) == Bounce(7, 12, OURS, final, status)


@pytest.mark.parametrize("name", ["postfix-delivered", "holiday", "of-somebody-else"])
def test_what_is_no_failure_of_ours_is_none(name: str) -> None:
    assert read_bounce(report(name)) is None


@pytest.mark.parametrize("tag", ["", ".0123456789abcdef", ".tidak"])
def test_an_id_is_read_with_whatever_tag_it_has(tag: str) -> None:
    forged = OURS.replace(".356f38c595e0b66e", tag)
    content = report("postfix-failed").replace(OURS.encode(), forged.encode())
    assert read_bounce(content) == Bounce(7, 12, forged, True, "5.1.1")


def test_a_report_names_no_address() -> None:
    assert "prov64@" not in repr(read_bounce(report("google-failed"))).replace(OURS, "")


@given(
    content=st.binary(max_size=400), cut=st.integers(0, 2000), name=st.sampled_from(["postfix-failed", "exim-failed"])
)
def test_nothing_that_arrives_stops_the_reader(content: bytes, cut: int, name: str) -> None:
    whole = report(name)
    for mail in (content, whole[:cut] + content + whole[cut:]):
        found = read_bounce(mail)
        assert found is None or found.delivery_id >= 0


# What relays make of our message's headers before they return them (MimeKit 514, freescout 4605, nodemailer 1091).
OTHERS = "Message-ID: <0102@region.relay.example>\n"
RETURNED = {
    "ours": f"Message-ID: {OURS}\n",
    "ours with a comment": f"Message-ID: {OURS} (added by relay.example)\n",
    "ours on a line of its own": f"Message-ID:\n {OURS}\n",
    "another, ours answered": f"{OTHERS}In-Reply-To: {OURS}\n",
    "another, ours in references": f"{OTHERS}References: <a@b.example>\n {OURS}\n",
    "another, ours kept by Exchange": f"{OTHERS}X-Microsoft-Original-Message-ID: {OURS}\n",
    "another, ours kept by Google": f"{OTHERS}X-Google-Original-Message-ID: {OURS}\n",
    "another, and our own header": f"{OTHERS}X-Regsosek-Message-ID: {OURS}\n",
    "another, our own header without brackets": f"{OTHERS}X-Regsosek-Message-ID: {OURS.strip('<>')}\n",
}
STATUS = "Reporting-MTA: dns; relay.example\n\nFinal-Recipient: rfc822; prov64@bps.example\nAction: {}\nStatus: 5.1.1\n"


def made_up(status: str, returned: str, *, kinds: tuple[str, str], encoding: str = "", head: str = "") -> bytes:
    """A report of two parts of ``kinds``."""
    message = ["From: MAILER-DAEMON@relay.example", "Subject: Undelivered", "MIME-Version: 1.0", *head.splitlines(),
               'Content-Type: multipart/report; report-type=delivery-status; boundary="B"', ""]  # fmt: skip
    for kind, content in zip(kinds, (status, returned), strict=True):
        message += ["--B", f"Content-Type: {kind}"]
        if encoding == "base64":
            message += ["Content-Transfer-Encoding: base64", "", b64encode(content.encode()).decode()]
        elif encoding == "quoted-printable":
            message += [f"Content-Transfer-Encoding: {encoding}", "", quopri.encodestring(content.encode()).decode()]
        else:
            message += ["", content]
    return "\n".join([*message, "--B--", ""]).encode()


@pytest.mark.parametrize("returned", RETURNED)
@pytest.mark.parametrize("encoding", ["", "base64", "quoted-printable"])
@pytest.mark.parametrize(
    "kinds",
    [
        ("message/delivery-status", "text/rfc822-headers"),
        ("message/delivery-status", "message/rfc822"),
        ("message/global-delivery-status", "message/global-headers"),
        ("message/global-delivery-status", "message/global"),
        ("message/delivery-status", "message/global-headers"),
    ],
)
def test_our_id_is_found_wherever_a_relay_leaves_it(kinds: tuple[str, str], encoding: str, returned: str) -> None:
    content = RETURNED[returned] + "Subject: malam\n\nIsi.\n"
    found = read_bounce(made_up(STATUS.format("failed"), content, kinds=kinds, encoding=encoding))
    assert found == Bounce(7, 12, OURS, True, "5.1.1")


NOTHING = ("message/delivery-status", "text/plain")


@pytest.mark.parametrize(
    ("status", "returned", "head"),
    [
        ("Original-Envelope-Id: " + OURS.strip("<>") + "\n" + STATUS, "", ""),
        (STATUS, "", f"In-Reply-To: {OURS}"),
        (STATUS, "", f"References: <a@b.example> {OURS}"),
        (STATUS, f"----- The message that could not be delivered\n\nMessage-ID: {OURS}\n", ""),
    ],
)
def test_our_id_is_found_where_nothing_was_returned(status: str, returned: str, head: str) -> None:
    found = read_bounce(made_up(status.format("failed"), returned, kinds=NOTHING, head=head))
    assert found == Bounce(7, 12, OURS, True, "5.1.1")


@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", ""])
def test_a_report_of_success_is_no_bounce(kind: str, action: str) -> None:
    assert read_bounce(made_up(STATUS.format(action), RETURNED["ours"], kinds=(kind, "message/global-headers"))) is None


@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
def test_a_delay_is_not_final(kind: str) -> None:
    found = read_bounce(made_up(STATUS.format("delayed (so far)"), RETURNED["ours"], kinds=(kind, "message/global")))
    assert found
    assert not found.final


@pytest.mark.parametrize("kind", ["text/plain", "message/disposition-notification"])
def test_an_answer_is_no_bounce_although_it_returns_our_message(kind: str) -> None:
    said = (
        "Saya sedang cuti. Action: failed\n" if kind == "text/plain" else "Disposition: automatic-action; displayed\n"
    )
    head = f"In-Reply-To: {OURS}\nAuto-Submitted: auto-replied"
    assert read_bounce(made_up(said, RETURNED["ours"] + "\nIsi.\n", kinds=(kind, "message/rfc822"), head=head)) is None
