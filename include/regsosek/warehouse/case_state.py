"""The state of cases as a function of the set of their revisions, whatever order they arrived in.

One SQL text serves the pointer ``core.kasus_terkini`` and the statistics. A case is

``loaded``       its newest revision was accepted,
``pending``      its newest revision is in quarantine, an older accepted one stays loaded (*revision pending*),
``quarantined``  it has been received but nothing of it was ever accepted, or what was accepted is withdrawn,
``withdrawn``    its newest revision withdraws it,
``conflicting``  another document with a newer revision claims the same family key; it is kept but not counted.
"""

# Names CTEs, the last of them ``case_state``; needs a CTE ``asked (case_id)`` that the caller puts in front;
# parameters: province, night.
# A duplicate moves its content's place in the order (the same content, produced later, is the newer statement), but
# only rows that were processed carry a verdict.
CASE_STATE = """
revisions AS (
    SELECT k.*, max(k.rank_versi) OVER content AS place_rank, max(k.produced_at) OVER content AS place_produced
    FROM core.kasus k
    JOIN asked USING (case_id)
    JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
    WHERE k.province = :province AND k.night <= :night
    WINDOW content AS (PARTITION BY k.case_id, k.versi, k.content_hash)
),
newest AS (
    SELECT DISTINCT ON (case_id) * FROM revisions
    WHERE status IN ('loaded', 'quarantined', 'withdrawn')
    ORDER BY case_id, place_rank DESC, place_produced DESC, content_hash DESC, produced_at DESC, delivery_id DESC, part
),
accepted AS (
    SELECT DISTINCT ON (case_id) * FROM revisions
    WHERE status IN ('loaded', 'withdrawn')
    ORDER BY case_id, place_rank DESC, place_produced DESC, content_hash DESC, produced_at DESC, delivery_id DESC, part
),
uncontested AS (
    SELECT n.case_id,
           CASE WHEN n.status = 'loaded' THEN 'loaded'
                WHEN n.status = 'withdrawn' THEN 'withdrawn'
                WHEN a.status = 'loaded' THEN 'pending'
                ELSE 'quarantined' END AS state,
           CASE WHEN a.status = 'loaded' THEN a.night ELSE n.night END AS night,
           CASE WHEN a.status = 'loaded' THEN a.delivery_id ELSE n.delivery_id END AS delivery_id,
           CASE WHEN a.status = 'loaded' THEN a.part ELSE n.part END AS part,
           CASE WHEN a.status = 'loaded' THEN a.row_no ELSE n.row_no END AS row_no,
           n.night AS newest_night, n.delivery_id AS newest_delivery
    FROM newest n LEFT JOIN accepted a USING (case_id)
),
claims AS (
    SELECT u.*, r.id_subsls, r.r109_no_bangunan, r.r110_no_keluarga, r.placed_code, r.enumerated_on, r.result,
           r.persons, r.members, r.place_rank, r.place_produced, r.content_hash,
           u.state IN ('loaded', 'pending') AS holds_key
    FROM uncontested u
    JOIN revisions r USING (case_id, night, delivery_id, part, row_no)
),
case_state AS (
    SELECT *,
           CASE WHEN holds_key AND row_number() OVER (
                    PARTITION BY holds_key, id_subsls, r109_no_bangunan, r110_no_keluarga
                    ORDER BY place_rank DESC, place_produced DESC, content_hash DESC, case_id DESC) > 1
                THEN 'conflicting' ELSE state END AS settled_state
    FROM claims
)
"""


def case_state_as_of(parameter: str) -> str:
    """SQL: the rows of ``case_state`` as of the night in ``parameter``, as a query of its own."""
    return f"WITH {CASE_STATE.replace(':night', f':{parameter}')} SELECT * FROM case_state"
