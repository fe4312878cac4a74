"""Deliveries as an operator sees them: state, reason, rows by what became of them; never a row, never a value."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from regsosek.contract.instruments import QUESTIONNAIRE


@dataclass(frozen=True)
class RowsOf:
    """Rows of one dataset of a delivery, by what became of them."""

    received: int
    loaded: int
    quarantined: int
    other: int

    @property
    def quarantined_share(self) -> float | None:
        """Quarantined rows of those received, 0 to 1; None where nothing was received."""
        return self.quarantined / self.received if self.received else None


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery of a night.

    Attributes:
        reason, detail: why it was rejected: a reason id, and file names, counts, hashes or an operator's words.
        decided_night: the night from which it counts, where it was held and decided later.
        instrument: what was delivered; None where no manifest could be read.
        judged: whether Great Expectations' results of it are kept, so that Data Docs can show them.
    """

    province: str
    delivery_id: str
    night: date
    delivered_on: date
    state: str
    reason: str | None
    detail: str | None
    producer: str | None
    registered_at: datetime
    decided_at: datetime | None
    decided_night: date | None
    judged: bool
    keluarga: RowsOf
    anggota: RowsOf
    instrument: str | None = None
    messages: RowsOf | None = None

    @property
    def judged_rows(self) -> RowsOf:
        """What quarantine is a share of: families, or messages of a stream."""
        return self.messages or self.keluarga


_FIELDS = ("received", "loaded", "quarantined", "other")
_OTHER = ("superseded", "duplicate", "withdrawn", "held", "rejected")
_ROWS = ", ".join(
    f"coalesce({table}.received, 0) AS {table}_received, coalesce({table}.loaded, 0) AS {table}_loaded, "
    f"coalesce({table}.quarantined, 0) AS {table}_quarantined, "
    f"{' + '.join(f'coalesce({table}.{state}, 0)' for state in _OTHER)} AS {table}_other"
    for table in ("k", "a", "m")
)
_COUNTS = " ".join(
    f"LEFT JOIN ledger.delivery_count {table} ON {table}.province = d.province "
    f"AND {table}.delivery_id = d.delivery_id AND {table}.delivered_on = d.delivered_on AND {table}.dataset {name}"
    for table, name in (("k", "= 'keluarga'"), ("a", "= 'anggota'"), ("m", "NOT IN ('keluarga', 'anggota')"))
)
# A reused id names an older delivery's results: they are not its own.
_LINES = f"""
SELECT d.province, d.delivery_id, d.night, d.delivered_on, d.state, d.reason, d.detail, d.producer, d.registered_at,
       d.decided_at, d.decided_night, d.instrument, d.reason IS DISTINCT FROM 'id_reused' AND EXISTS (
           SELECT 1 FROM quality.rule_result r WHERE r.province = d.province AND r.delivery_id = d.delivery_id
       ) AS judged, {_ROWS}
FROM ledger.delivery d {_COUNTS}
"""
_OF_NIGHTS = f"""{_LINES} WHERE d.night = ANY(:nights) AND d.province = ANY(:provinces)
ORDER BY d.night DESC, d.province, d.position, d.delivered_on, d.delivery_id"""


def deliveries_of(connection: Connection, nights: Sequence[date], provinces: Collection[str]) -> list[DeliveryRow]:
    """All deliveries of some nights and provinces: the newest night first, by province and their order."""
    asked = {"nights": list(nights), "provinces": list(provinces)}
    return [_line(dict(row._mapping)) for row in connection.execute(text(_OF_NIGHTS), asked)]


def _line(row: dict[str, Any]) -> DeliveryRow:
    keluarga, anggota, messages = (
        RowsOf(*(int(row.pop(f"{table}_{field}")) for field in _FIELDS)) for table in ("k", "a", "m")
    )
    of_stream = row["instrument"] not in {None, QUESTIONNAIRE}
    return DeliveryRow(**row, keluarga=keluarga, anggota=anggota, messages=messages if of_stream else None)
