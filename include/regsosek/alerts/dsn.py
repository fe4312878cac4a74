"""Delivery status notifications (RFC 3464): what a mail server that took a message reports of it later."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import cast

# As ``mail.message_id`` writes it: night, group, message, delivery.
_OURS = re.compile(r"<\d{8}\.\w+\.(\d{1,18})\.(\d{1,18})@[^<>\s]+>")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


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
    original = _original_id(report)
    found = _OURS.fullmatch(original)
    if not found or not (failed or delayed):
        return None
    status = _STATUS.search(str((failed or delayed)[0].get("Status", "")))
    return Bounce(int(found[1]), int(found[2]), original, bool(failed), status[0] if status else "")


def _status_blocks(part: Message) -> list[Message]:
    if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
        return []
    return cast("list[Message]", part.get_payload())


def _action(block: Message) -> str:
    return str(block.get("Action", "")).partition("(")[0].strip().lower()


def _original_id(report: Message) -> str:
    """The Message-ID of what was returned, else of what the report answers to."""
    for part in report.walk():
        for headers in _returned(part):
            if headers.get("Message-ID"):
                return str(headers["Message-ID"]).strip()
    answered = str(report.get("In-Reply-To") or report.get("References") or "")
    found = _OURS.search(answered)
    return found[0] if found else ""


def _returned(part: Message) -> Iterator[Message]:
    kind = part.get_content_type()
    if kind == "message/rfc822" and part.is_multipart():
        yield from cast("list[Message]", part.get_payload())
    elif kind == "text/rfc822-headers":
        yield message_from_bytes(cast("bytes", part.get_payload(decode=True) or b""), policy=policy.compat32)
