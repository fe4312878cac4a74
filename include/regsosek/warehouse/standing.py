"""Deliveries as they stood on a night: one that was held counts as held until the night in which it was decided.

``ledger.delivery`` says how things stand now. A picture of an earlier night must not change with a later decision.

Streams are deliveries of their own: what was delivered of questionnaire K, or was not, is told of K alone.
"""

from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.warehouse.tables import ROW_STATES


def _count(state: str) -> str:
    held = "c.received" if state == "held" else "0"
    return f"CASE WHEN s.state = 'held' THEN {held} ELSE c.{state} END AS {state}"


# CTEs; parameter: night. All have the province as a column and no condition on it: ``standing_all`` are the deliveries
# of every instrument, ``standing`` those of questionnaire K and those whose instrument could not be read.
STANDING = f"""
standing_all AS (
    SELECT province, delivery_id, delivered_on, night, position, coalesce(instrument, '{QUESTIONNAIRE}') AS instrument,
           CASE WHEN decided_night > :night THEN 'held' ELSE state END AS state,
           CASE WHEN decided_night > :night THEN NULL ELSE reason END AS reason,
           CASE WHEN decided_night <= :night THEN decided_night ELSE night END AS counted_night
    FROM ledger.delivery WHERE night <= :night
),
standing AS (SELECT * FROM standing_all WHERE instrument = '{QUESTIONNAIRE}'),
standing_count AS (
    SELECT c.province, c.delivery_id, c.delivered_on, c.dataset, c.received, {", ".join(map(_count, ROW_STATES))}
    FROM ledger.delivery_count c JOIN standing_all s USING (province, delivery_id, delivered_on)
)"""
