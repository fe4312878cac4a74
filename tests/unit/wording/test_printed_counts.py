"""What commands print has singular and plural: ``1 family``, not ``1 families``."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from regsosek.settings import PROJECT_ROOT
from regsosek.wording.nouns import counted

CODE = PROJECT_ROOT / "include" / "regsosek"
# Commands, and what they print: findings of doctor and watchdog, the demo's steps, what a night says of itself.
ROOMS = ("asking", "cli", "doctor", "watchdog", "local", "night", "privacy")
BESIDE = ("geography/boundaries.py", "warehouse/migration.py")
PRINTED = sorted([*(each for room in ROOMS for each in (CODE / room).rglob("*.py")), *(CODE / each for each in BESIDE)])
PLURALS = (
    "accounts", "bytes", "cases", "columns", "conditions", "copies", "datasets", "days", "deliveries", "documents",
    "errors", "families", "faults", "files", "findings", "folders", "hours", "keys", "lines", "logins", "members",
    "messages", "minutes", "nights", "objects", "operators", "parts", "persons", "places", "provinces",
    "recipients", "regions", "releases", "rows", "rules", "runs", "seconds", "tables", "tasks", "tries", "values",
)  # fmt: skip


def counts(source: str) -> Iterator[str]:
    """Nouns that stand in the plural right after a number, whatever that is."""
    for text in (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.JoinedStr)):
        for value, after in zip(text.values, text.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                words = re.sub(r"[.,;:!?)]", " ", str(after.value)).split()
                constant = isinstance(value.value, ast.Name) and value.value.id.isupper()  # a limit of ours, never 1
                if str(after.value).startswith(" ") and words and words[0] in PLURALS and not constant:
                    yield f"{{{ast.unparse(value.value)}}} {words[0]}"


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_command_prints_a_plural_whatever_the_number(path: Path) -> None:
    assert list(counts(path.read_text(encoding="utf-8"))) == []


def test_a_plural_after_any_number_is_found() -> None:
    assert list(counts('f"{n:,} families, {m} rows"; f"{n} of {m}"')) == ["{n} families", "{m} rows"]
    assert [counted(n, "family", "families") for n in ("1", 0, 2)] == ["1 family", "0 families", "2 families"]
