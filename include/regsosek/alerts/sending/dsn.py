"""Delivery status notifications (RFC 3464, RFC 6533): what a mail server that took a message reports of it later.

What makes a mail a bounce is a status block that says "failed" or "delayed"; no answer of a person or of a holiday
responder has one. Whose bounce it is says our id, wherever a relay left it.

By hand on ``email``: the status block alone decides, where flufl.bounce also guesses from phrases of a mail.
"""

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import cast

from regsosek.alerts.sending.smtp import OUR_ID

# As ``mail.message_id`` writes it, perhaps without its brackets: night, group, message, delivery, tag.
_OURS = re.compile(r"(?<![\w.])\d{8}\.\w+\.(\d{1,18})\.(\d{1,18})(?:\.\w+)?@[\w-]+(?:\.[\w-]+)*")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_REPORTS = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
_FIRST = (OUR_ID, "Message-ID")  # of what was returned; then every other header, such as X-*-Original-Message-ID


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of one of our messages; ``status`` is an enhanced status code such as 5.1.1, or empty."""

    outbox_id: int
    delivery_id: int
    message_id: str
    final: bool
    status: str


def read_bounce(content: bytes) -> Bounce | None:
    """The bounce that a mail reports; None if it is no report of a failure, or of none of our messages."""
    report = message_from_bytes(content, policy=policy.compat32)
    blocks = [block for part in report.walk() for block in _status_blocks(part)]
    failed = [block for block in blocks if _action(block) == "failed"]
    delayed = [block for block in blocks if _action(block) == "delayed"]
    if not (failed or delayed):
        return None
    found = next(filter(None, map(_OURS.search, _places(report, blocks))), None)
    if not found:
        return None
    status = _STATUS.search(str((failed or delayed)[0].get("Status", "")))
    return Bounce(int(found[1]), int(found[2]), f"<{found[0]}>", bool(failed), status[0] if status else "")


def _status_blocks(part: Message) -> list[Message]:
    if part.get_content_type() not in _REPORTS:
        return []
    return [_headers(block) for block in _BLANK_LINE.split(_text_of(part)) if block.strip()]


def _action(block: Message) -> str:
    return str(block.get("Action", "")).partition("(")[0].strip().lower()


def _places(report: Message, blocks: list[Message]) -> Iterator[str]:
    """Where our id may stand, the most telling place first."""
    for part in report.walk():
        if part.get_content_type() in _RETURNED:
            returned = _headers(_BLANK_LINE.split(_text_of(part).lstrip(), maxsplit=1)[0])
            yield from (str(returned[name]) for name in _FIRST if name in returned)
            yield from map(str, returned.values())
    yield from (str(value) for block in blocks for value in block.values())
    yield from (str(report[name]) for name in ("In-Reply-To", "References") if name in report)
    for part in report.walk():
        if part.get_content_maintype() == "text":
            yield cast("bytes", part.get_payload(decode=True) or b"").decode("ascii", "replace")


def _headers(block: bytes) -> Message:
    return message_from_bytes(block, policy=policy.compat32)


def _text_of(part: Message) -> bytes:
    """What a part holds, decoded; the parser takes any message within for headers and a body, encoded or not."""
    if not part.is_multipart():
        return cast("bytes", part.get_payload(decode=True) or b"")
    held = b"\n\n".join(each.as_bytes() for each in cast("list[Message]", part.get_payload()))
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "quoted-printable":
        # A long header that is broken softly ends the headers for the parser, which puts a blank line there.
        return quopri.decodestring(held.replace(b"=\n\n", b"=\n", 1))
    try:
        return b64decode(held) if encoding == "base64" else held
    except binascii.Error:
        return b""
