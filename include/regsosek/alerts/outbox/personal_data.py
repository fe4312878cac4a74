"""What in a message looks like personal data: text, HTML, subject and attachments, as a reader would meet them.

A number of 16 digits may be a NIK, a KK number or a sub-SLS, a pair of names a person or a village: whoever knows the
regions decides (:mod:`regsosek.alerts.outbox.gate`). Nothing here shows what it found.

By hand: the same text is judged alike wherever it is read, which a model of names such as presidio's cannot promise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser

from regsosek.alerts.messages.rendering import Attachment, Message
from regsosek.wording.names import person_names

IDENTITY_DIGITS = 16


class Personal(StrEnum):
    """What it looks like."""

    IDENTITY = "number like a NIK or KK number"
    PHONE = "phone number"
    PLACE = "coordinates"
    NAME = "name of a person"
    UNREADABLE = "file that cannot be looked through"


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something like personal data, in which part of a message; ``value`` is for comparing, never for telling."""

    what: Personal
    where: str
    value: str = field(repr=False)


# Ids of releases, of deliveries, hashes and days: letters and digits that are no numbers. One hash of a release in 280
# has digits alone.
_NO_NUMBERS = re.compile(
    r"\b20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])-[0-9a-f]{12}\b"
    r"|\b(?=[0-9]*[A-Z])[0-9A-HJKMNP-TV-Z]{26}\b|\b(?=[0-9]*[a-f])[0-9a-f]{12,64}\b"
    r"|(?<![\d.-])20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!-?\d)"
)
_NUMBER = re.compile(r"\d(?:[ .\u00a0-]?\d)*")
_PHONE = re.compile(r"0\d{9,12}|628\d{8,11}")
_LANDLINE = re.compile(r"\(0\d{2,3}\)\s?\d{5,8}|(?<!\d)0\d{2,3}-\d{6,8}(?!\d)")
# Degrees with four decimals or more name a house; with a sign of degrees, anything does.
_COORDINATES = re.compile(r"(?<![\d.,])-?\d{1,3}[.,]\d{4,}(?![\d]|[.,]\d)|\d{1,3}\s?\u00b0")


def suspects(message: Message) -> list[Suspect]:
    """Everything in ``message`` that looks like personal data."""
    found: list[Suspect] = []
    for where, text in _parts(message):
        found += [Suspect(what, where, value) for what, value in _in_text(text)]
    return found + [
        Suspect(Personal.UNREADABLE, "attachment", each.name) for each in message.attachments if _text(each) is None
    ]


def _parts(message: Message) -> Iterator[tuple[str, str]]:
    yield "subject", message.subject
    yield "text", message.body
    yield "HTML", read_html(message.html)
    for each in message.attachments:
        yield "attachment", f"{each.name}\n{_text(each) or ''}"


def read_html(html: str) -> str:
    """All that HTML says to anybody: its texts, with entities resolved, values of attributes and comments."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "\n".join(reader.found)


def _text(attachment: Attachment) -> str | None:
    if not attachment.media_type.startswith("text/"):
        return None
    try:
        return attachment.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _in_text(text: str) -> Iterator[tuple[Personal, str]]:
    plain = _NO_NUMBERS.sub("\n", text)
    for match in _NUMBER.finditer(plain):
        digits = re.sub(r"\D", "", match[0])
        if len(digits) >= IDENTITY_DIGITS:
            yield Personal.IDENTITY, digits
        elif _PHONE.fullmatch(digits):
            yield Personal.PHONE, digits
    yield from _all(Personal.PHONE, _LANDLINE, plain)
    yield from _all(Personal.PLACE, _COORDINATES, plain)
    yield from _all(Personal.NAME, person_names(), text)


def _all(what: Personal, pattern: re.Pattern[str], text: str) -> Iterator[tuple[Personal, str]]:
    return ((what, " ".join(match[0].split())) for match in pattern.finditer(text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(data)
