"""Templates to text: the one place where a message gets its last look before anybody may read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from regsosek.alerts.indonesian import harmless

TEMPLATES = Path(__file__).parent / "templates"


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


def render(template: str, values: Mapping[str, Any]) -> str:
    """Renders a template line by line harmless, whatever stands in it or in ``values``."""
    text = _environment().get_template(template).render(values)
    return "\n".join(harmless(line).rstrip() for line in text.split("\n"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
