"""What the warehouse already knows of the cases in a part: which rows are duplicates, superseded, withdrawn or new.

Revisions of a case are ordered by (rank, produced-at, content hash). The rank is ``versi``, raised to the rank of the
row it replaces when a delivery supersedes another one, so that the order is the same whatever arrives first.
"""

from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy import Connection, text

from regsosek.warehouse.database import copy_in, copy_out

_KNOWN_COLUMNS = {
    "case_id": "VARCHAR",
    "versi": "INTEGER",
    "rank_versi": "INTEGER",
    "produced_at": "TIMESTAMPTZ",
    "content_hash": "VARCHAR",
    "status": "VARCHAR",
    "delivery_id": "VARCHAR",
    "left_out": "BOOLEAN",
}
# Rows of accepted deliveries, and those that earlier parts of this very delivery have loaded. OFFSET 0 keeps the
# planner from joining: it would read the whole log once a part, and the index leads to the few rows of a case.
_KNOWN = """
SELECT k.case_id, k.versi, k.rank_versi, k.produced_at, '\\x' || encode(k.content_hash, 'hex') AS content_hash,
       k.status, k.delivery_id, k.part = 0 AS left_out
FROM asked CROSS JOIN LATERAL (
    SELECT * FROM core.kasus WHERE province = '{province}' AND case_id = asked.case_id OFFSET 0
) k
JOIN ledger.delivery d ON d.province = '{province}' AND d.delivery_id = k.delivery_id AND d.state <> 'rejected'
WHERE CASE k.delivery_id WHEN '{delivery_id}' THEN k.part < {part} ELSE d.state = 'accepted' END
"""


def fetch_known(
    duck: duckdb.DuckDBPyConnection,
    connection: Connection,
    scratch: Path,
    *,
    province: str,
    delivery_id: str,
    part: int,
) -> None:
    """Fills DuckDB's table ``known`` with all known revisions of the cases in the staged part."""
    asked, known = scratch / "asked.csv", scratch / "known.csv"
    duck.execute(f"COPY (SELECT DISTINCT case_id FROM kasus) TO '{asked}' (FORMAT csv, HEADER)")
    connection.execute(text("CREATE TEMP TABLE asked (case_id text PRIMARY KEY) ON COMMIT DROP"))
    copy_in(connection, "asked", ["case_id"], asked)
    connection.execute(text("ANALYZE asked"))
    copy_out(connection, _KNOWN.format(province=province, delivery_id=delivery_id, part=part), known)
    _fill_known(duck, known)
    for file in (asked, known):
        file.unlink()


def know_nothing(duck: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Fills ``known`` as an empty warehouse does: every case is new."""
    nothing = scratch / "known.csv"
    nothing.write_text(",".join(_KNOWN_COLUMNS) + "\n", encoding="utf-8")
    _fill_known(duck, nothing)
    nothing.unlink()


def _fill_known(duck: duckdb.DuckDBPyConnection, path: Path) -> None:
    duck.execute(
        "CREATE OR REPLACE TABLE known AS SELECT * REPLACE (unhex(content_hash[3:]) AS content_hash) FROM read_csv("
        f"'{path}', header = true, auto_detect = false, columns = {_KNOWN_COLUMNS})"
    )


def recognise(duck: duckdb.DuckDBPyConnection, *, produced_at: datetime, supersedes: tuple[str, ...]) -> None:
    """Gives every row of DuckDB's ``kasus`` its rank and status, into table ``recognised``.

    The status is the first that fits: ``duplicate``, ``superseded``, ``withdrawn``, ``quarantined``, ``loaded``.
    A row is superseded by a newer revision that was accepted or withdrawn, not by one in quarantine: if the newest
    revision is quarantined, an older clean one is still the family's last good answer, whichever came first. That a
    replacement left a case out says nothing of what another delivery brings: only the rank is taken from it. Content
    that lies in quarantine is no duplicate once it is found clean: a rule that looks at the whole delivery, or at the
    frame of its day, may judge the same answers otherwise, and one clean judgement is enough.
    """
    duck.execute(_RECOGNISED, {"produced_at": produced_at, "supersedes": list(supersedes)})


_RECOGNISED = """
CREATE OR REPLACE TABLE recognised AS
WITH replaced AS (
    SELECT case_id, max(rank_versi) AS rank_versi FROM known WHERE list_contains($supersedes, delivery_id) GROUP BY 1
),
ranked AS (
    SELECT k.*, greatest(k.versi, coalesce(r.rank_versi, 0)) AS rank_versi, v.status AS verdict,
           $produced_at::TIMESTAMPTZ AS produced_at,
           struct_pack(versi := k.versi, content_hash := k.content_hash) AS content
    FROM kasus k LEFT JOIN replaced r USING (case_id) LEFT JOIN verdict v USING (keluarga_row)
),
newest AS (
    SELECT case_id, arg_max(struct_pack(versi, content_hash), (rank_versi, produced_at, content_hash)) AS content,
           max((rank_versi, produced_at, content_hash)) AS place
    FROM known WHERE NOT left_out GROUP BY case_id
),
settled AS (
    SELECT case_id, (rank_versi, produced_at, content_hash) AS place FROM known
    WHERE status IN ('loaded', 'withdrawn') AND NOT left_out
    UNION ALL
    SELECT case_id, (rank_versi, produced_at, content_hash) FROM ranked WHERE withdrawn OR verdict <> 'error'
),
last_settled AS (SELECT case_id, max(place) AS place FROM settled GROUP BY case_id),
repeated AS (
    SELECT case_id, versi, content_hash,
           bool_or(status = 'quarantined') AND NOT bool_or(status IN ('loaded', 'withdrawn')) AS quarantined
    FROM known WHERE NOT left_out GROUP BY case_id, versi, content_hash
)
SELECT r.* EXCLUDE (content),
       CASE WHEN p.case_id IS NOT NULL AND (n.place >= (r.rank_versi, r.produced_at, r.content_hash)
                                            OR n.content = r.content)
                  AND NOT (p.quarantined AND coalesce(r.verdict <> 'error', false)) THEN 'duplicate'
            WHEN s.place > (r.rank_versi, r.produced_at, r.content_hash) THEN 'superseded'
            WHEN r.withdrawn THEN 'withdrawn'
            WHEN r.verdict = 'error' THEN 'quarantined'
            ELSE 'loaded' END AS status
FROM ranked r
LEFT JOIN newest n USING (case_id)
LEFT JOIN last_settled s USING (case_id)
LEFT JOIN repeated p ON p.case_id = r.case_id AND p.versi = r.versi AND p.content_hash = r.content_hash
"""
