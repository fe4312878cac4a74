"""Decisions on deliveries, as far as pages tell of them: what waits, what was decided and awaits its run."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class DecisionRow:
    """A decision on a delivery that was held, or rejected for a reading.

    ``state`` is the delivery's: ``registered`` until a run has carried it out.
    """

    province: str
    delivery_id: str
    night: date
    state: str
    kind: str
    by: str
    reason: str
    at: datetime
    carried_out: bool


# A rejection asks nothing of the warehouse but to be told, which the outbox shows.
_DECIDED = """
SELECT d.province, d.delivery_id, e.night, d.state, e.kind, e.detail ->> 'by' AS by, e.detail ->> 'reason' AS reason,
       e.at, CASE WHEN d.state = 'registered' THEN false WHEN e.kind IN ('freed', 'retried') THEN true ELSE EXISTS (
           SELECT 1 FROM mart.refreshed f WHERE f.province = d.province AND f.night >= e.night AND f.at > e.at)
       END AS carried_out
FROM ledger.event e
JOIN ledger.delivery d ON d.province = e.province AND d.delivery_id = e.delivery_id
     AND d.reason IS DISTINCT FROM 'id_reused'
WHERE e.kind IN ('freed', 'rejected', 'retried') AND d.decided_night IS NOT NULL AND e.province = ANY(:provinces)
ORDER BY e.at DESC LIMIT :most
"""


def decided(connection: Connection, seen: Collection[str], most: int = 50) -> list[DecisionRow]:
    """The last decisions on deliveries of ``seen``, the latest first."""
    rows = connection.execute(text(_DECIDED), {"provinces": list(seen), "most": most})
    return [DecisionRow(**row._mapping) for row in rows]
