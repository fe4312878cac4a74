"""Deliveries as they stood on a night: one that was held counts as held until the night in which it was decided.

``ledger.delivery`` says how things stand now. A picture of an earlier night must not change with a later decision.
"""

from regsosek.warehouse.tables import ROW_STATES


def _count(state: str) -> str:
    held = "c.received" if state == "held" else "0"
    return f"CASE WHEN s.state = 'held' THEN {held} ELSE c.{state} END AS {state}"


# CTEs; parameter: night. Both have the province as a column and no condition on it.
STANDING = f"""
standing AS (
    SELECT province, delivery_id, delivered_on, night, position,
           CASE WHEN decided_night > :night THEN 'held' ELSE state END AS state,
           CASE WHEN decided_night > :night THEN NULL ELSE reason END AS reason,
           CASE WHEN decided_night <= :night THEN decided_night ELSE night END AS counted_night
    FROM ledger.delivery WHERE night <= :night
),
standing_count AS (
    SELECT c.province, c.delivery_id, c.delivered_on, c.dataset, c.received, {", ".join(map(_count, ROW_STATES))}
    FROM ledger.delivery_count c JOIN standing s USING (province, delivery_id, delivered_on)
)"""
