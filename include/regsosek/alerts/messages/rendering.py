"""Templates to text: the one place where a message gets its last look before anybody may read it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from regsosek.wording.templates import environment

TEMPLATES = Path(__file__).parent / "templates"
# Longer than any code that a message names without looking it up: a NIK, a KK number, a phone, a sub-SLS.
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){9,}")
# Beside letters and digits of any script, the signs that a message uses; dashes, an ellipsis and a minus among them.
_UNUSUAL = re.compile(r"[^\w !\"#$%&'()*+,./:;<=>?@\[\]^`{|}~\u2013\u2026\u2212-]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a message, such as a work list."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A composed message: plain text, and perhaps the same as HTML, with files."""

    subject: str
    body: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


def render(template: str, values: Mapping[str, Any], codes: Collection[str] = ()) -> str:
    """Renders a template of plain text: each value on one line and harmless, and so is each line.

    Args:
        codes: codes of regions and officers that may stand although they are long numbers.
    """
    text = _environment(html=False).get_template(template).render(_cleaned(values, codes))
    return "\n".join(harmless(line, codes).rstrip() for line in text.split("\n"))


def render_html(template: str, values: Mapping[str, Any], codes: Collection[str] = ()) -> str:
    """Renders a template of HTML: each value on one line, harmless and escaped."""
    return _environment(html=True).get_template(template).render(_cleaned(values, codes))


def harmless(value: str, codes: Collection[str] = ()) -> str:
    """Text on one line, without control characters or long numbers; ``codes`` are regions and may stand."""
    return _LONG_NUMBER.sub(lambda found: found[0] if found[0] in codes else "…", _UNUSUAL.sub(" ", value))


def _cleaned(value: Any, codes: Collection[str]) -> Any:
    """``value`` with every text in it harmless, however deep in lists, tables and dataclasses."""
    if isinstance(value, str):
        return harmless(value, codes)
    if isinstance(value, Mapping):
        return {key: _cleaned(each, codes) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each, codes) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _cleaned(getattr(value, each.name), codes) for each in fields(value)}
    return value


@cache
def _environment(*, html: bool) -> Environment:
    return environment(FileSystemLoader(TEMPLATES), html=html)
