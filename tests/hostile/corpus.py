"""The corpus as deliveries: every line of the table with what its builder makes."""

from collections.abc import Iterator

from hostile import cases, cells, columns, encoded, formats, manifests, packed
from hostile.draft import BUILDERS, Draft, clean
from regsosek.contract.hostile import HostileKind, read_corpus
from regsosek.settings import PROJECT_ROOT

KINDS = {kind.kind: kind for kind in read_corpus(PROJECT_ROOT)}
BUILT_IN = (packed, encoded, columns, cells, formats, manifests, cases)


def deliveries() -> Iterator[tuple[HostileKind, Draft]]:
    """One delivery of each kind, each with families of its own."""
    for number, kind in enumerate(KINDS.values(), start=1):
        draft = clean(number)
        BUILDERS[kind.kind](draft)
        yield kind, draft
