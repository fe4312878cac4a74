"""What became of a delivery: in the hands of the process that received it, and read from the ledger by any other."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from regsosek.quality.hold_limits import ErrorShare
from regsosek.warehouse.nights.ledger import ID_REUSED, LINE, Delivery, Spent
from regsosek.warehouse.tables import ROW_STATES, delivery, delivery_count, error_share, rule_result

AWAITED = "awaited"
# Dataset, rule and severity.
Violated = tuple[str, str, str]
# Delivery id and day of delivery: an id that is used again names two folders.
Folder = tuple[str, date]


@dataclass(frozen=True)
class DeliveryOutcome:
    """What became of one delivery.

    Attributes:
        entry: its line of the ledger.
        state: ``accepted``, ``held`` or ``rejected``; ``awaited`` if it replaces a delivery that is received after it,
            and nothing has become of it then; ``registered`` if a later night receives it.
        reason, detail: of a rejection.
        instrument: as its manifest names it; None if no manifest was read.
        rows: by dataset, the rows received and what became of them.
        violations: rows that violate each rule by which it was judged; empty if it was not judged.
        shares: rows judged and in error of each dataset when it was judged first; empty if it was not judged.
        replaced: the held deliveries that were rejected because this one replaces them.
        spent: time and memory by step of one that this process judged; empty of every other.
    """

    entry: Delivery
    state: str
    reason: str | None = None
    detail: str | None = None
    instrument: str | None = None
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    violations: Mapping[Violated, int] = field(default_factory=dict)
    shares: tuple[ErrorShare, ...] = ()
    replaced: tuple[Delivery, ...] = ()
    spent: Mapping[str, Spent] = field(default_factory=dict)

    @property
    def folder(self) -> Folder:
        """What tells its delivery from every other of the province."""
        return folder_of(self.entry)


def folder_of(entry: Delivery) -> Folder:
    """What tells a delivery from every other of its province."""
    return entry.delivery_id, entry.delivered_on


def read_outcomes(connection: Connection, province: str, entries: Collection[Delivery]) -> list[DeliveryOutcome]:
    """What the ledger says of deliveries of ``province`` that this process did not decide."""
    wanted, ids = {folder_of(entry) for entry in entries}, [entry.delivery_id for entry in entries]
    rows: dict[Folder, dict[str, dict[str, int]]] = defaultdict(dict)
    for row in _rows_of(connection, delivery_count, province, ids):
        states = {name: getattr(row, name) for name in ("received", *ROW_STATES)}
        rows[row.delivery_id, row.delivered_on][row.dataset] = states
    shares: dict[str, list[ErrorShare]] = defaultdict(list)
    for row in _rows_of(connection, error_share, province, ids):
        shares[row.delivery_id].append(ErrorShare(row.dataset, row.judged, row.in_error))
    violations: dict[str, dict[Violated, int]] = defaultdict(dict)
    for row in _rows_of(connection, rule_result, province, ids):
        violations[row.delivery_id][row.dataset, row.rule_id, row.severity] = row.violations
    query = select(*LINE, delivery.c.instrument).where(delivery.c.province == province, delivery.c.delivery_id.in_(ids))
    found = []
    for line in connection.execute(query):
        *values, instrument = line
        entry = Delivery(*values)
        if folder_of(entry) in wanted:
            # Shares and rule results of an id that was used again are about the delivery that had it first.
            judged = entry.delivery_id if entry.reason != ID_REUSED else ""
            found.append(
                DeliveryOutcome(
                    entry,
                    entry.state,
                    entry.reason,
                    entry.detail,
                    instrument,
                    rows=rows.get(folder_of(entry), {}),
                    violations=violations.get(judged, {}),
                    shares=tuple(shares.get(judged, ())),
                )
            )
    return found


def _rows_of(
    connection: Connection, table: Table, province: str, delivery_ids: Sequence[str]
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = select(table).where(table.c.province == province, table.c.delivery_id.in_(delivery_ids))
    return connection.execute(query).all()
