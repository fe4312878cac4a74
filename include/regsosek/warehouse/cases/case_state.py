"""The state of cases as a function of the set of their revisions, whatever order they arrived in.

One SQL text serves the pointer ``core.kasus_terkini`` and the statistics. By its own revisions a case is

``loaded``       its newest revision was accepted,
``pending``      its newest revision is in quarantine, an older accepted one stays loaded (*revision pending*),
``quarantined``  it has been received but nothing of it was ever accepted, or what was accepted is withdrawn,
``withdrawn``    its newest revision withdraws it, or every delivery that brought it was replaced by one without it.

That is its ``state``. Its ``settled_state`` is the same, or ``conflicting`` where another document speaks for the
family: of several documents on one family key an accepted one speaks before one in quarantine, then the newest. The
others are kept but not counted. A key that could not be read whole joins no two documents.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from regsosek.staging.case_facts import case_facts
from regsosek.warehouse.database import step_tables

# Part 0 of a delivery names the cases that it leaves out of those that it replaces. That withdraws a case only while
# no delivery that still stands brings it: a replacement takes families back, never what another delivery said.
# A duplicate moves its content's place in the order (the same content, produced later, is the newer statement), but
# only rows that were processed carry a verdict. Content that one delivery was accepted with and another was not is
# accepted, whichever came first.
_STATES = """
left_out AS (
    SELECT DISTINCT case_id, jsonb_array_elements_text(replaces) AS delivery_id FROM {source} k
    WHERE part = 0 AND night <= :{night}
),
known AS (
    SELECT k.*, bool_or(k.part > 0 AND k.verdict IS NOT NULL AND o.case_id IS NULL) OVER (PARTITION BY k.case_id)
               AS stands
    FROM {source} k LEFT JOIN left_out o ON o.case_id = k.case_id AND o.delivery_id = k.delivery_id
    WHERE k.night <= :{night}
),
revisions AS (
    SELECT k.*, max(k.rank_versi) OVER content AS place_rank, max(k.produced_at) OVER content AS place_produced
    FROM known k WHERE part > 0 OR NOT stands
    WINDOW content AS (PARTITION BY k.case_id, k.versi, k.content_hash)
),
newest AS (
    SELECT DISTINCT ON (case_id) * FROM revisions
    WHERE status IN ('loaded', 'quarantined', 'withdrawn')
    ORDER BY case_id, part = 0 DESC, {order}
),
accepted AS (
    SELECT DISTINCT ON (case_id) * FROM revisions
    WHERE status IN ('loaded', 'withdrawn')
    ORDER BY case_id, part = 0 DESC, {order}
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
    SELECT u.*, r.id_subsls, r.r109_no_bangunan, r.r110_no_keluarga, r.placed_code, r.enumerated_on, r.ppl,
           r.result, {facts}, r.members, r.place_rank, r.place_produced, r.content_hash,
           u.state <> 'withdrawn' AND r.id_subsls IS NOT NULL AND r.r109_no_bangunan IS NOT NULL
               AND r.r110_no_keluarga IS NOT NULL AS holds_key
    FROM uncontested u
    JOIN revisions r USING (case_id, night, delivery_id, part, row_no)
),
case_state AS (
    SELECT *,
           CASE WHEN holds_key AND row_number() OVER (
                    PARTITION BY holds_key, id_subsls, r109_no_bangunan, r110_no_keluarga
                    ORDER BY state = 'quarantined', place_rank DESC, place_produced DESC, content_hash DESC,
                             case_id DESC) > 1
                THEN 'conflicting' ELSE state END AS settled_state
    FROM claims
)
"""
_ORDER = (
    "place_rank DESC, place_produced DESC, content_hash DESC, status = 'quarantined', produced_at DESC, "
    "delivery_id DESC, part, row_no"
)

_ACCEPTED = """
SELECT k.*, CASE WHEN k.part = 0 THEN d.supersedes END AS replaces FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
{asked} WHERE k.province = :province AND k.night <= :night
"""


def case_state_as_of(night: str, source: str = "revised") -> str:
    """SQL: the state of cases as of the night in parameter ``night``, as a query of its own.

    Args:
        source: accepted revisions of a province: the table of :func:`revised`, or a query in brackets.
    """
    return f"WITH {case_state_steps(night, source)} SELECT * FROM case_state"


def case_state_steps(night: str, source: str = "revised") -> str:
    """SQL: ``revisions`` and ``case_state`` as of the night in parameter ``night``, to stand in a WITH clause."""
    facts = ", ".join(f"r.{fact}" for fact in case_facts())
    return _STATES.format(night=night, source=source, order=_ORDER, facts=facts)


# Accepted revisions of all cases of a province.
ALL_ACCEPTED = f"({_ACCEPTED.format(asked='')})"


# The log's statistics must be fresh: see :func:`regsosek.warehouse.database.analyse_cases`.
_STEPS = {
    # Every family key that one of the cases ever claimed.
    "keys": """
SELECT DISTINCT k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga FROM core.kasus k JOIN own USING (case_id)
WHERE k.province = :province AND k.night <= :night
""",
    # Besides the cases, those that ever claimed one of the keys: what holds a key now may have to give it up, and what
    # lost it may have it back.
    "touched": """
SELECT case_id FROM own
UNION
SELECT k.case_id FROM core.kasus k JOIN keys USING (id_subsls, r109_no_bangunan, r110_no_keluarga)
WHERE k.province = :province AND k.night <= :night
""",
    "revised": _ACCEPTED.format(asked="JOIN touched USING (case_id)"),
}


@contextmanager
def revised(connection: Connection, own: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Keeps accepted revisions of some cases and of their rivals, up to a night, in the temporary table ``revised``.

    Args:
        own: the query of the ``case_id`` of the cases; their rivals are those that ever claimed a family key of theirs.
        values: its parameters, and ``province`` and ``night``.
    """
    with step_tables(connection, {"own": own, **_STEPS}, values):
        yield
