"""Deliveries as they stood on a night: one that was decided anew counts as what it was until the deciding night.

``ledger.delivery`` says how things stand now, ``ledger.former_state`` how they stood before. A picture of an earlier
night must not change with a later decision.

Streams are deliveries of their own: what was delivered of questionnaire K, or was not, is told of K alone.
"""

from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.warehouse.tables import ROW_STATES

_KEY = "(f.province, f.delivery_id, f.delivered_on) = (d.province, d.delivery_id, d.delivered_on)"


def stood(columns: str, night: str) -> str:
    """SQL of how ``ledger.delivery d`` stood on a night before it was decided anew; no row if it stood as now."""
    return f"""SELECT {columns} FROM ledger.former_state f
               WHERE {_KEY} AND f.until_night > {night} ORDER BY f.until_night LIMIT 1"""


def was_freed(night: str) -> str:
    """SQL condition: ``ledger.delivery d`` was held until ``night``."""
    return f"""(d.decided_night = {night} AND EXISTS (SELECT 1 FROM ledger.former_state f
               WHERE {_KEY} AND f.until_night = {night} AND f.state = 'held'))"""


def _count(state: str) -> str:
    former = f"CASE WHEN s.state = '{state}' THEN {_FORMER_ROWS} ELSE 0 END" if state in ("held", "rejected") else "0"
    return f"CASE WHEN s.former_counts IS NULL THEN c.{state} ELSE {former} END AS {state}"


_FORMER_ROWS = "coalesce((s.former_counts ->> c.dataset)::bigint, 0)"
# CTEs; parameter: night. All have the province as a column and no condition on it: ``standing_all`` are the deliveries
# of every instrument, ``standing`` those of questionnaire K and those whose instrument could not be read.
STANDING = f"""
standing_all AS (
    SELECT d.province, d.delivery_id, d.delivered_on, d.night, d.position,
           coalesce(CASE WHEN was.state IS NULL THEN d.instrument ELSE was.instrument END, '{QUESTIONNAIRE}')
               AS instrument,
           coalesce(was.state, d.state) AS state,
           CASE WHEN was.state IS NULL THEN d.reason ELSE was.reason END AS reason,
           CASE WHEN was.state IS NULL THEN coalesce(d.decided_night, d.night)
                ELSE coalesce(was.decided_night, d.night) END AS counted_night,
           was.counts AS former_counts,
           d.state = 'accepted' AND was.state IS NULL AND {was_freed("d.decided_night")} AS was_freed
    FROM ledger.delivery d
    LEFT JOIN LATERAL ({stood("f.state, f.reason, f.instrument, f.decided_night, f.counts", ":night")}) was ON true
    WHERE d.night <= :night
),
standing AS (SELECT * FROM standing_all WHERE instrument = '{QUESTIONNAIRE}'),
standing_count AS (
    SELECT c.province, c.delivery_id, c.delivered_on, c.dataset,
           CASE WHEN s.former_counts IS NULL THEN c.received ELSE {_FORMER_ROWS} END AS received,
           {", ".join(map(_count, ROW_STATES))}
    FROM ledger.delivery_count c JOIN standing_all s USING (province, delivery_id, delivered_on)
)"""
