"""What a province's night came to as measures, read from the ledger in the transaction that decided it."""

from datetime import date

from sqlalchemy import ColumnElement, Connection, Table, func, or_, select

from regsosek.quality.hold_limits import REPLACED
from regsosek.telemetry.measures import delivery_decided, error_share
from regsosek.warehouse import tables
from regsosek.warehouse.nights.ledger import ID_REUSED, Delivery
from regsosek.warehouse.tables import ROW_STATES, delivery, delivery_count

UNKNOWN = "unknown"  # the instrument of a delivery whose manifest could not be read


def measure_decided(connection: Connection, entry: Delivery) -> None:
    """Counts a delivery that was accepted, held or rejected, and its rows by what became of them."""
    line = select(delivery.c.state, delivery.c.instrument).where(*_same(delivery, entry))
    state, instrument = connection.execute(line).one()
    counts = connection.execute(select(delivery_count).where(*_same(delivery_count, entry)))
    rows = {row.dataset: {name: getattr(row, name) for name in ROW_STATES} for row in counts}
    delivery_decided(entry.province, instrument or UNKNOWN, state, rows)


def measure_error_shares(connection: Connection, province: str, night: date) -> None:
    """Records the error share of each dataset of all deliveries of ``night``, its own and freed ones."""
    shares, line = tables.error_share.c, delivery.c
    query = (
        select(shares.dataset, func.sum(shares.judged), func.sum(shares.in_error))
        .join(delivery, (line.province == shares.province) & (line.delivery_id == shares.delivery_id))
        .where(shares.province == province, or_(line.night == night, line.decided_night == night))
        .where(shares.dataset != REPLACED)
        .where(line.reason.is_distinct_from(ID_REUSED))  # its shares are those of the delivery that had the id first
        .group_by(shares.dataset)
    )
    for dataset, judged, in_error in connection.execute(query):
        error_share(province, dataset, int(judged), int(in_error))


def _same(table: Table, entry: Delivery) -> list[ColumnElement[bool]]:
    names = ("province", "delivery_id", "delivered_on")
    return [table.c[name] == getattr(entry, name) for name in names]
