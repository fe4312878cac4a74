"""The hostile corpus: what becomes of each kind of broken delivery, as data, and the page that people read of it.

The table lies with the tests that hold the pipeline to it, one delivery of each kind in one night.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from regsosek.contract.documentation import table
from regsosek.contract.reasons import rejection_reasons

CORPUS: Final = Path("tests/hostile/corpus.csv")
PAGE: Final = Path("docs/hostile-corpus.md")
_INTRODUCTION: Final = """\
# Hostile corpus

What the pipeline does with what may arrive. The table is `{corpus}`; beside it stands one small builder for each of the
{kinds} kinds, which spoils a clean delivery of three families of two members in that one respect. An integration test
runs one night with a delivery of each kind in one province, next to provinces without fault, and holds it to every
line below. This page is written from the table by `make fix`.

Verdicts: {verdicts}.

* *accepted*: each row is accounted for by itself; what was repaired is counted and told, what is in error waits in
  quarantine under the rule that is named.
* *rejected*: the delivery counts whole as rejected, stays where it lies, and the province is told the reason.
* *held*: its share of errors is above the limit; it counts whole as held until an operator frees or rejects it.
* *stray*: no delivery. Counted, told to the platform team; *unfinished*: files without a manifest yet, told to the
  province; *later*: belongs to a later night.
"""


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
    verdicts = dict.fromkeys(kind.verdict for kind in kinds)
    counted = ", ".join(f"{sum(kind.verdict == each for kind in kinds)} {each}" for each in verdicts)
    head = _INTRODUCTION.format(corpus=CORPUS, kinds=len(kinds), verdicts=counted)
    groups = (_section(title, members, rules) for title, members in groupby(kinds, key=lambda kind: kind.group))
    return "\n".join([head, *groups])


def _section(title: str, kinds: Iterable[HostileKind], rules: Mapping[str, tuple[str, str]]) -> str:
    rows = ((f"`{k.kind}`", k.what, k.verdict, _outcome(k), *_told(k, rules), k.why) for k in kinds)
    heads = ("Kind", "What it is", "Verdict", "Families and repairs", "Reason", "As the province reads it", "Why")
    return f"## {title}\n\n{table(heads, rows)}\n"


def _outcome(kind: HostileKind) -> str:
    counted = [f"{amount} {state}" for state, amount in kind.keluarga.items()]
    counted += [f"repaired: `{repair}` {amount}" for repair, amount in kind.repairs.items()]
    return "; ".join(counted)


def _told(kind: HostileKind, rules: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """The reason in English and in Indonesian: of a rejected delivery, or of the rule that a case breaks."""
    if kind.reason:
        reason = rejection_reasons()[kind.reason]
        return f"`{reason.id}`: {reason.text_en}", reason.text_id
    if kind.rule:
        english, indonesian = rules[kind.rule]
        return f"rule `{kind.rule}`: {english}", indonesian
    return "", ""
