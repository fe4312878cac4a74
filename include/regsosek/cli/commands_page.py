"""Writes ``docs/commands.md`` from the commands themselves and the targets of the Makefile."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from typer.core import TyperGroup

from regsosek.wording import markdown

PAGE: Final = Path("docs/commands.md")
_TARGET = re.compile(r"^(?P<name>[a-z-]+):[^#\n]*## (?P<help>.*)$", re.MULTILINE)


class Command(Protocol):
    """What is read of a command: Typer keeps the class of its own private."""

    help: str | None
    hidden: bool


def commands_page(root: Path, command: Command) -> Mapping[Path, str]:
    """Returns the page by its path below ``root``.

    Args:
        command: the whole program, as its context knows it.
    """
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = {found["name"]: found["help"] for found in _TARGET.finditer(makefile)}
    return {root / PAGE: markdown.page(__file__, {"targets": targets, "commands": dict(_leaves(command))})}


def _leaves(command: Command, words: tuple[str, ...] = ("regsosek",)) -> Iterator[tuple[str, str]]:
    """The commands that do something, in the order of the help, with the first sentence of theirs."""
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from _leaves(each, (*words, name))
    elif not command.hidden:
        yield " ".join(words), " ".join((command.help or "").split("\n\n")[0].split())
