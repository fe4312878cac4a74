"""The corpus as deliveries: every line of the table with what its builder makes."""

import json
from collections.abc import Iterator
from pathlib import Path

from hostile import cases, cells, columns, encoded, formats, manifests, packed
from hostile.draft import BUILDERS, Draft, clean
from regsosek.contract.pages.hostile import HostileKind, read_corpus
from regsosek.settings import PROJECT_ROOT

KINDS = {kind.kind: kind for kind in read_corpus(PROJECT_ROOT)}
BUILT_IN = (packed, encoded, columns, cells, formats, manifests, cases)
# Rules that every family has something to do with, whatever a kind is about.
_ALWAYS = {"C-303", "P01", "S01", "S02", "S03", "F05", "G01", "G03"}


def deliveries() -> Iterator[tuple[HostileKind, Draft]]:
    """One delivery of each kind."""
    return ((kind, delivery(name)) for name, kind in KINDS.items())


def delivery(kind: str) -> Draft:
    """A delivery of ``kind``, with families of its own."""
    draft = clean(1 + list(KINDS).index(kind))
    BUILDERS[kind](draft)
    return draft


def rules_of_the_corpus(directory: Path) -> Path:
    """The suites without the rules that no kind is about: what they say is tested elsewhere."""
    kept = _ALWAYS | {kind.rule for kind in KINDS.values()}
    for path in (PROJECT_ROOT / "expectations").glob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        suite["expectations"] = [each for each in suite["expectations"] if each["meta"]["id"] in kept]
        (directory / path.name).write_text(json.dumps(suite), encoding="utf-8")
    return directory
