"""The state of cases as a function of the set of their revisions, whatever order they arrived in.

One SQL text serves the pointer ``core.kasus_terkini`` and the statistics. A case is

``loaded``       its newest revision was accepted,
``pending``      its newest revision is in quarantine, an older accepted one stays loaded (*revision pending*),
``quarantined``  it has been received but nothing of it was ever accepted, or what was accepted is withdrawn,
``withdrawn``    its newest revision withdraws it,
``conflicting``  another document with a newer revision claims the same family key; it is kept but not counted.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from regsosek.warehouse.database import by_index

# A duplicate moves its content's place in the order (the same content, produced later, is the newer statement), but
# only rows that were processed carry a verdict.
_STATES = """
revisions AS (
    SELECT k.*, max(k.rank_versi) OVER content AS place_rank, max(k.produced_at) OVER content AS place_produced
    FROM {source} k WHERE k.night <= :{night}
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

_ACCEPTED = """
SELECT k.* FROM core.kasus k
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
    return _STATES.format(night=night, source=source)


# Accepted revisions of all cases of a province.
ALL_ACCEPTED = f"({_ACCEPTED.format(asked='')})"


@contextmanager
def revised(connection: Connection, asked: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Holds the accepted revisions of some cases, up to a night, in the temporary table ``revised``.

    The planner knows what an analysed table holds, and nothing of a log that a night has just grown: it would compare
    every case with every other.

    Args:
        asked: the query of their ``case_id``.
        values: its parameters, and ``province`` and ``night``.
    """
    accepted = _ACCEPTED.format(asked="JOIN touched USING (case_id)")
    with by_index(connection):
        for table, query in (("touched", asked), ("revised", accepted)):
            connection.execute(text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {query}"), values)
            connection.execute(text(f"ANALYZE {table}"))
    yield
    connection.execute(text("DROP TABLE touched, revised"))
