"""One drawn part counted by the compiled SQL and read in pandas, and where the two name different rows.

What is said of a difference are rule ids and row numbers: a drawn part holds made-up people, but a habit is a habit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from pandas_reading.part import Change, Part, Surroundings
from pandas_reading.readings import READINGS
from regsosek.contract.codebook import DATASETS
from regsosek.geography.calendar import field_windows
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Rule, Suite
from regsosek.staging.engine import open_engine
from support.deliveries.defective_parts import Damage, draw
from support.deliveries.families import DELIVERED_ON, PROVINCE, reference_tables, stage_rows

SHOWN_ROWS = 10
Rows = dict[str, frozenset[int]]


@dataclass(frozen=True)
class Station:
    """A database with its reference tables, into which one part after the other is staged."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    around: Surroundings

    def stage(self, damage: Damage) -> Part:
        """Draws and stages a part, and reads it in pandas."""
        drawn = draw(damage)
        stage_rows(self.connection, self.scratch, drawn.keluarga, drawn.anggota)
        return Part.read(self.around, drawn.keluarga, drawn.anggota)

    def compiled(self, suites: Mapping[str, Suite]) -> Rows:
        """By rule id, the rows of the part staged last that violate it as the compiled SQL says."""
        found: dict[str, set[int]] = {rule.id: set() for suite in suites.values() for rule in suite.rules}
        for dataset, suite in suites.items():
            explain(self.connection, dataset, suite.rules)
            reasons = self.connection.execute(f"SELECT rule_id, row_no FROM {dataset}_reasons").fetchall()
            for rule_id, row_no in reasons:
                found[rule_id].add(row_no)
        return {rule_id: frozenset(rows) for rule_id, rows in found.items()}

    def judged(self) -> dict[str, int]:
        """How many rows of each dataset are judged."""
        counted = ((d, self.connection.execute(f"SELECT count(*) FROM {d}").fetchone()) for d in DATASETS)
        return {dataset: int(row[0]) for dataset, row in counted if row}


@contextmanager
def open_station(scratch: Path) -> Iterator[Station]:
    """An empty database with the frame and regions of ``delivered``."""
    with open_engine(scratch, memory_limit="500MB", threads=1) as connection:
        reference_tables(connection)
        yield Station(connection, scratch, _surroundings(connection))


def _surroundings(connection: duckdb.DuckDBPyConnection) -> Surroundings:
    window = field_windows()[PROVINCE]
    frame = connection.execute("SELECT id_subsls, valid_from, valid_to FROM frame").fetchall()
    changes = connection.execute("SELECT id_subsls_lama, id_subsls_baru, valid_from FROM psls").fetchall()
    desa = connection.execute("SELECT code FROM region WHERE level = 'desa'").fetchall()
    return Surroundings(
        province=PROVINCE,
        delivered=DELIVERED_ON,
        latest=DELIVERED_ON,
        opens=window.opens,
        closes=window.closes,
        frame={code: (first, last) for code, first, last in frame},
        changes=tuple(Change(*change) for change in changes),
        desa=frozenset(code for (code,) in desa),
    )


def read_in_pandas(part: Part, rule_ids: Iterable[str]) -> Rows:
    """By rule id, the rows of ``part`` that violate it as the pandas reading of its text says."""
    violated = {rule_id: READINGS[rule_id](part) for rule_id in rule_ids}
    return {rule_id: frozenset(rows.index[rows]) for rule_id, rows in violated.items()}


def differences(compiled: Rows, read: Rows) -> dict[str, str]:
    """The rules whose rows differ, and the numbers of the rows that only one of the two names."""
    return {
        rule_id: f"SQL alone: {_shown(rows - read[rule_id])}; pandas alone: {_shown(read[rule_id] - rows)}"
        for rule_id, rows in compiled.items()
        if rows != read[rule_id]
    }


def _shown(rows: Iterable[int]) -> str:
    numbers = sorted(rows)
    more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
    return f"rows {', '.join(map(str, numbers[:SHOWN_ROWS]))}{more}" if numbers else "none"


def with_rules(suites: Mapping[str, Suite], rules: Sequence[Rule]) -> dict[str, Suite]:
    """The suites with ``rules`` instead of their own."""
    return {d: replace(suite, rules=tuple(r for r in rules if r.dataset == d)) for d, suite in suites.items()}
