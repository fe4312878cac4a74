"""The hostile corpus: what becomes of each kind of broken delivery, as data, and the page that people read of it.

The table lies with the tests that hold the pipeline to it, one delivery of each kind in one night.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from regsosek.contract.reasons import rejection_reasons
from regsosek.wording import markdown

CORPUS: Final = Path("tests/hostile/corpus.csv")
PAGE: Final = Path("docs/hostile-corpus.md")


@dataclass(frozen=True, slots=True)
class HostileKind:
    """A line of ``corpus.csv``.

    Attributes:
        keluarga: what became of its families, e.g. ``{"loaded": 2, "quarantined": 1}``; empty if none are known.
        repairs: counted amounts by kind of repair, without ``crlf``.
        rule: the rule that its case breaks, or empty.
    """

    group: str
    kind: str
    what: str
    verdict: str
    reason: str
    keluarga: Mapping[str, int]
    repairs: Mapping[str, int]
    rule: str
    why: str


def read_corpus(root: Path) -> tuple[HostileKind, ...]:
    """All kinds in the order of the table, which lies below ``root``, the project's directory."""
    with (root / CORPUS).open(encoding="utf-8", newline="") as file:
        return tuple(map(_kind, csv.DictReader(file)))


def _kind(row: Mapping[str, str]) -> HostileKind:
    counted: dict[str, Any] = {name: _counts(row[name]) for name in ("keluarga", "repairs")}
    return HostileKind(**dict(row) | counted)


def _counts(told: str) -> dict[str, int]:
    """``loaded 2, quarantined 1`` as a mapping."""
    pairs = (each.split() for each in told.split(",") if each.strip())
    return {name: int(amount) for name, amount in pairs}


def hostile_page(root: Path, rules: Mapping[str, tuple[str, str]]) -> str:
    """The page of the corpus.

    Args:
        rules: what each rule says in English and in Indonesian, by its id.
    """
    kinds = read_corpus(root)
    values = {
        "corpus": CORPUS,
        "kinds": kinds,
        "verdicts": Counter(kind.verdict for kind in kinds),
        "groups": [(title, list(members)) for title, members in groupby(kinds, key=lambda kind: kind.group)],
        "told": lambda kind: _told(kind, rules),
    }
    return markdown.page(__file__, values)


def _told(kind: HostileKind, rules: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """The reason in English and in Indonesian: of a rejected delivery, or of the rule that a case breaks."""
    if kind.reason:
        reason = rejection_reasons()[kind.reason]
        return f"`{reason.id}`: {reason.text.en}", reason.text.id
    if kind.rule:
        english, indonesian = rules[kind.rule]
        return f"rule `{kind.rule}`: {english}", indonesian
    return "", ""
