"""One part of a stream's delivery as a typed relation, with what its rules ask of frame, calendar and delivery.

After :func:`stage_stream` the database holds ``<dataset>_text`` (as delivered), and ``<dataset>``, what the rules see:
``row_no``, typed columns, ``<column>__untyped``, ``digest`` of the row, ``complete`` (the message has its key), and

``told_on``
    the day that the message tells of, on the province's clock; ``sent_on``, where the stream says it, when it was sent;
``frame_status``
    of ``id_subsls``: ``known`` in the frame of that day, ``retired`` (in the frame on other days alone, or an old
    code of PSLS), or ``unknown``; NULL where the code is missing;
``new_place_known``
    of ``id_subsls_baru``: the frame or PSLS has it on any day, or its desa is known; NULL where there is none;
``statements_in_delivery``
    how many different messages of this key the delivery holds, over all its parts; NULL without a key;
``delivery_province, window_opens, window_closes, latest_day, delivered_on, produced_at``
    as the night knows them.
"""

from datetime import date, datetime, timedelta

import duckdb

from regsosek.contract.stream_kinds import MESSAGES, StreamKind
from regsosek.geography.calendar import PossibleDays
from regsosek.staging.placement import HOLDS, know_changes
from regsosek.staging.relations import typed_table


def stage_stream(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    *,
    province: str,
    on: date,
    version: str,
    days: PossibleDays,
    produced_at: datetime,
    offset: timedelta,
    alone: bool = True,
) -> None:
    """Types the part read last and adds the facts.

    Args:
        province: of the delivery.
        on: the day of delivery; it stands in for a missing day when the frame's validity is looked up.
        version: of the stream's instrument, as the part was read by.
        days: which days the messages can tell of.
        offset: of the province's clock from UTC.
        alone: the part is the whole delivery; otherwise :func:`note_statements` has seen all parts.
    """
    if alone:
        clear_statements(connection)
        note_statements(connection, dataset, version)
        count_statements(connection)
    connection.execute(typed_table(dataset, version))
    know_changes(connection)
    values = {"province": province, "on": on, "produced_at": produced_at, **days.facts}
    connection.execute(_facts(MESSAGES[dataset], offset), values)
    connection.execute(f"DROP TABLE {dataset}_typed")


def clear_statements(connection: duckdb.DuckDBPyConnection) -> None:
    """Forgets the delivery before."""
    connection.execute("CREATE OR REPLACE TABLE statement (message UBIGINT, content UBIGINT)")


def note_statements(connection: duckdb.DuckDBPyConnection, dataset: str, version: str) -> None:
    """Notes key and content of every message of the part read last."""
    connection.execute(typed_table(dataset, version))
    stream = MESSAGES[dataset]
    connection.execute(
        f"INSERT INTO statement SELECT {_message(stream)}, hash(digest) FROM {dataset}_typed t WHERE {complete(stream)}"
    )


def count_statements(connection: duckdb.DuckDBPyConnection) -> None:
    """Leaves ``contradicted``: keys of which the delivery says different things, and how many."""
    connection.execute(
        "CREATE OR REPLACE TABLE contradicted AS SELECT message, count(DISTINCT content) AS statements FROM statement "
        "GROUP BY message HAVING count(DISTINCT content) > 1"
    )
    connection.execute("DROP TABLE statement")


def complete(stream: StreamKind) -> str:
    """SQL over ``t``: the message says what it speaks of."""
    return " AND ".join(f"t.{column} IS NOT NULL" for column in stream.needed)


def _message(stream: StreamKind) -> str:
    # 64 bits of the key: two keys of one delivery that share them are out of reach of chance.
    return f"hash({', '.join(f't.{column}' for column in stream.key)})"


def _told_on(stream: StreamKind, offset: timedelta) -> str:
    """SQL over ``t``: the day that a message tells of, on the province's clock."""
    return f"t.{stream.told}" if stream.told_by_day else local_day(f"t.{stream.told}", offset)


def local_day(moment: str, offset: timedelta) -> str:
    """SQL: the date of ``moment`` on a clock that is ``offset`` ahead of UTC."""
    return f"(({moment} AT TIME ZONE 'UTC') + INTERVAL {int(offset.total_seconds())} SECOND)::DATE"


# A new sub-SLS stands in no frame yet, but in a desa that is there, mostly that of the old one.
_NEW_PLACE = """
       CASE WHEN d.id_subsls_baru IS NOT NULL THEN b.id_subsls IS NOT NULL OR desa.code IS NOT NULL
               OR (k.row_no IS NOT NULL OR a.id_subsls IS NOT NULL) AND length(d.id_subsls_baru) = 16
                  AND left(d.id_subsls_baru, 10) = left(d.id_subsls, 10) END
           AS new_place_known,"""
_OF_NEW_PLACE = """
LEFT JOIN at_all b ON b.id_subsls = d.id_subsls_baru
LEFT JOIN region desa ON desa.code = left(d.id_subsls_baru, 10) AND length(d.id_subsls_baru) = 16"""


def _facts(stream: StreamKind, offset: timedelta) -> str:
    known_heir, heir = (_NEW_PLACE, _OF_NEW_PLACE) if stream.optional == "id_subsls_baru" else ("", "")
    sent = f"{local_day(f't.{stream.sent}', offset)} AS sent_on, " if stream.sent else ""
    return f"""
CREATE OR REPLACE TABLE {stream.dataset} AS
WITH dated AS (
    SELECT t.*, {_told_on(stream, offset)} AS told_on, {sent}{complete(stream)} AS complete,
           {_message(stream)} AS message
    FROM {stream.dataset}_typed t
),
known AS (
    SELECT DISTINCT d.row_no FROM dated d JOIN frame f
        ON f.id_subsls = d.id_subsls AND coalesce(d.told_on, $on::DATE) {HOLDS}
),
at_all AS (SELECT id_subsls FROM frame UNION SELECT id_subsls_lama FROM psls)
SELECT d.* EXCLUDE (message),
       CASE WHEN d.id_subsls IS NULL THEN NULL WHEN k.row_no IS NOT NULL THEN 'known'
            WHEN a.id_subsls IS NOT NULL THEN 'retired' ELSE 'unknown' END AS frame_status,{known_heir}
       CASE WHEN d.complete THEN coalesce(c.statements, 1) END AS statements_in_delivery,
       $province AS delivery_province, $opens::DATE AS window_opens, $closes::DATE AS window_closes,
       $latest::DATE AS latest_day, $on::DATE AS delivered_on, $produced_at::TIMESTAMPTZ AS produced_at
FROM dated d
LEFT JOIN known k USING (row_no)
LEFT JOIN at_all a ON a.id_subsls = d.id_subsls{heir}
LEFT JOIN contradicted c ON c.message = d.message
ORDER BY d.row_no
"""
