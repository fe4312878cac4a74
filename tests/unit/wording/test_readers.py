"""Every text of messages and pages has a reader: what nothing says any more is deleted."""

import csv
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from regsosek.settings import PROJECT_ROOT

ROOM = PROJECT_ROOT / "include" / "regsosek"
SOURCES = [each for ending in ("*.py", "*.j2") for each in ROOM.rglob(ending)]


def said() -> str:
    return "\n".join(each.read_text(encoding="utf-8") for each in SOURCES)


def keys(tree: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Places of the texts, as ``say`` takes them."""
    if set(tree) == {"id", "en"}:
        yield ".".join(path)
        return
    for key, each in tree.items():
        yield from keys(each, (*path, key))


def test_every_text_of_a_message_is_said() -> None:
    texts, source = (
        tomllib.loads((ROOM / "alerts" / "sentences" / "texts.toml").read_text(encoding="utf-8"))["say"],
        said(),
    )
    whole = set(re.findall(r'"([\w.]+)"', source))
    begun = {f"{each}." for each in re.findall(r'["\']([\w.]+)\.(?:\{|" ~)', source)}
    unread = [key for key in keys(texts) if key not in whole and f"{key.rpartition('.')[0]}." not in begun]
    assert [key for key in unread if not key.startswith("fault.")] == []


def test_every_text_of_a_page_is_said() -> None:
    with (ROOM / "release" / "site" / "texts.csv").open(encoding="utf-8", newline="") as file:
        every = [row["key"] for row in csv.DictReader(file)]
    source = said()
    words, begun = set(re.findall(r"\w+", source)), tuple(re.findall(r'["\'](\w+_)(?:\{|["\'] ~)', source))
    assert len(every) > 200
    assert [key for key in every if key not in words and not key.startswith(begun)] == []
