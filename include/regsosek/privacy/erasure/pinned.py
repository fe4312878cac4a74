"""What was found of rewritten rows, put in place of what their emptied answers would be judged to be."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from regsosek.privacy.erasure.tombstones import BrokenRule, Counted, ErasedFamily, ErasedTag, Neighbour, Tombstone
from regsosek.quality.hold_limits import ErrorShare

Violations = Counter[tuple[str, str, str]]
_COUNTS = """
SELECT '{0}', rule_id, severity, count(*) FROM {0}_reasons WHERE row_no IN ({1}) GROUP BY rule_id, severity
"""
_ROWS = {
    "keluarga": "SELECT unnest($rows)",
    "anggota": "SELECT row_no FROM anggota WHERE list_contains($rows, keluarga_row)",
}


@dataclass(frozen=True)
class Pinned:
    """What tombstones say of one delivery."""

    families: tuple[ErasedFamily, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    counted: Counted | None = None
    tags: tuple[ErasedTag, ...] = ()

    @classmethod
    def of(cls, tombstones: Iterable[Tombstone], delivery_id: str) -> "Pinned":
        """Those of the delivery; what was erased later goes before what it was a neighbour of."""
        listed = tuple(tombstones)
        families = tuple(f for t in listed for f in t.families if f.delivery_id == delivery_id)
        erased = {(f.part, f.row_no) for f in families}
        neighbours = (n for t in listed for n in t.neighbours if n.delivery_id == delivery_id)
        counted = [c for t in listed for c in t.counted if c.delivery_id == delivery_id]
        return cls(
            families,
            tuple(n for n in neighbours if (n.part, n.row_no) not in erased),
            counted[-1] if counted else None,
            tuple(tag for t in listed for tag in t.tags if tag.delivery_id == delivery_id),
        )

    def apply(self, duck: duckdb.DuckDBPyConnection, part: int) -> Violations:
        """Sets verdicts and reasons of a part that was just judged; by how much that changes the violations."""
        if tags := [each for each in self.tags if each.part == part]:
            return _of_tags(duck, tags)
        families = [each for each in self.families if each.part == part]
        neighbours = [each for each in self.neighbours if each.part == part]
        found: list[ErasedFamily | Neighbour] = [*families, *neighbours]
        rows = [each.row_no for each in found]
        if not rows:
            return Counter()
        change = _taken(duck, rows)
        for each in found:
            duck.execute("UPDATE verdict SET status = ? WHERE keluarga_row = ?", [each.verdict, each.row_no])
        change.update(_put(duck, [reason for each in neighbours for reason in each.reasons]))
        return change

    def violations(self, found: Violations) -> Violations:
        """The violations of the delivery: as they were counted before it was rewritten, else ``found``."""
        if self.counted is None:
            return found
        return Counter({(dataset, rule, severity): n for dataset, rule, severity, n in self.counted.violations})

    def shares(self, found: tuple[ErrorShare, ...]) -> tuple[ErrorShare, ...]:
        """The error shares of the delivery, likewise."""
        known = {dataset: (judged, wrong) for dataset, judged, wrong in self.counted.shares} if self.counted else {}
        return tuple(ErrorShare(each.dataset, *known.get(each.dataset, (each.judged, each.in_error))) for each in found)


NOTHING_PINNED = Pinned()


def _of_tags(duck: duckdb.DuckDBPyConnection, tags: Sequence[ErasedTag]) -> Violations:
    for each in tags:
        duck.execute("UPDATE verdict SET status = ? WHERE row_no = ?", [each.verdict, each.row_no])
    return _taken(duck, [each.row_no for each in tags], {"geotag": "SELECT unnest($rows)"})


def _taken(duck: duckdb.DuckDBPyConnection, rows: list[int], chosen_of: Mapping[str, str] = _ROWS) -> Violations:
    change: Violations = Counter()
    for dataset, chosen in chosen_of.items():
        for *violated, n in duck.execute(_COUNTS.format(dataset, chosen), {"rows": rows}).fetchall():
            change[violated[0], violated[1], violated[2]] -= n
        duck.execute(f"DELETE FROM {dataset}_reasons WHERE row_no IN ({chosen})", {"rows": rows})
    return change


def _put(duck: duckdb.DuckDBPyConnection, reasons: Sequence[BrokenRule]) -> Violations:
    change: Violations = Counter()
    for each in reasons:
        change[each.dataset, each.rule_id, each.severity] += 1
        row = [each.row_no, each.rule_id, each.severity]
        duck.execute(f"INSERT INTO {each.dataset}_reasons (row_no, rule_id, severity) VALUES (?, ?, ?)", row)
    return change
