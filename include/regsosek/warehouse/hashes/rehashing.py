"""Hashes of a province made anew with the newer keys of the chain, in place.

A later key hashes what the one before it made, so what is known is recognised afterwards as before, and neither the
numbers nor the archive are needed. What changes is the order of two statements made at the same instant, where the
greater hash speaks (:mod:`regsosek.warehouse.cases.case_state`): the caller computes figures anew from the first night
that this concerns, and where two statements of one case changed places, has the nights from there on built again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Cursor, sql
from sqlalchemy import Connection, text

from regsosek.contract.codebook import DATASETS, STREAMS, all_variables
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.tables import HASHED

_AT_ONCE = 100_000
# Columns of bytes that hold a hash; part 0 of the log is derived from them.
_COLUMNS = (
    ("core.kasus", "content_hash"),
    *((f"core.{dataset}", HASHED[v.name]) for dataset in DATASETS for v in all_variables(dataset) if v.name in HASHED),
    *((f"stream.{dataset}", "content_hash") for dataset in STREAMS),
)
# Tables that name a case whose id may not be shown, as ``?`` and its hash.
_NAMING = ("core.kasus", "core.kasus_terkini", "quality.reason", "restricted.quarantined", "ledger.case_request")
_UNSHOWN = "starts_with(case_id, '?') AND length(case_id) = 33"
_FORMER = " UNION ".join(
    [
        *(f"SELECT {column} FROM {table} WHERE province = {{0}}" for table, column in _COLUMNS),
        *(
            f"SELECT decode(substr(case_id, 2), 'hex') FROM {table} WHERE province = {{0}} AND {_UNSHOWN}"
            for table in _NAMING
        ),
    ]
)
_ROW = ("night", "delivery_id", "part", "row_no")
_SAME_ROW = " AND ".join(f"k.{column} = t.{column}" for column in _ROW)
_KEY = "id_subsls, r109_no_bangunan, r110_no_keluarga"
# Statements made at the same instant about one case, or about one family key, that say different things.
_TIED = f"""
CREATE TEMP TABLE tied ON COMMIT DROP AS
WITH of_case AS (
    SELECT case_id, produced_at FROM core.kasus WHERE province = :province
    GROUP BY 1, 2 HAVING min(content_hash) <> max(content_hash)
), of_key AS (
    SELECT {_KEY}, produced_at FROM core.kasus WHERE province = :province
    AND id_subsls IS NOT NULL AND r109_no_bangunan IS NOT NULL AND r110_no_keluarga IS NOT NULL
    GROUP BY {_KEY}, produced_at HAVING min(content_hash) <> max(content_hash)
), rows AS (
    SELECT {", ".join(f"k.{column}" for column in _ROW)}, k.content_hash AS former, produced_at,
           concat_ws('/', 'case', k.case_id) AS shared FROM core.kasus k JOIN of_case USING (case_id, produced_at)
    WHERE k.province = :province
    UNION ALL
    SELECT {", ".join(f"k.{column}" for column in _ROW)}, k.content_hash, produced_at,
           concat_ws('/', 'key', {_KEY}) FROM core.kasus k JOIN of_key USING ({_KEY}, produced_at)
    WHERE k.province = :province
)
SELECT * FROM rows
"""
_MOVED = f"""
SELECT min(night) AS first, min(night) FILTER (WHERE shared LIKE 'case/%') AS of_a_case FROM (
    SELECT min(night) OVER same AS night, shared,
           dense_rank() OVER (same ORDER BY former) <> dense_rank() OVER (same ORDER BY k.content_hash) AS moved
    FROM tied t JOIN core.kasus k USING ({", ".join(_ROW)}) WHERE k.province = :province
    WINDOW same AS (PARTITION BY shared, t.produced_at)
) o WHERE moved
"""
# What a replacement left out bears a hash of the content that it left out (warehouse/nights/ledger.py).
_DERIVED = "substring(sha256({} || convert_to(z.delivery_id, 'UTF8')) FROM 1 FOR 16)"
_LEFT_OUT = f"""
CREATE TEMP TABLE left_out ON COMMIT DROP AS
SELECT DISTINCT ON (z.night, z.delivery_id, z.row_no) z.night, z.delivery_id, z.row_no, o.content_hash AS former
FROM core.kasus z JOIN core.kasus o ON o.province = z.province AND o.case_id = z.case_id AND o.part > 0
WHERE z.province = :province AND z.part = 0 AND z.content_hash = {_DERIVED.format("o.content_hash")}
"""
_DERIVE = f"""
UPDATE core.kasus z SET content_hash = {_DERIVED.format("h.now")} FROM left_out l JOIN hashed h ON h.former = l.former
WHERE z.province = :province AND z.part = 0 AND z.night = l.night AND z.delivery_id = l.delivery_id
AND z.row_no = l.row_no
"""
# A rotation that was killed may have left the limit of a case under its new id, which a night then entered.
_TWICE = """
DELETE FROM ledger.case_request r USING hashed h, ledger.case_request f
WHERE r.province = :province AND r.case_id = '?' || encode(h.now, 'hex')
AND f.province = r.province AND f.kind = r.kind AND f.case_id = '?' || encode(h.former, 'hex')
"""
_CHANGES = (
    *(
        f"UPDATE {table} t SET {column} = h.now FROM hashed h WHERE t.province = :province AND t.{column} = h.former"
        + (" AND t.part > 0" if table == "core.kasus" else "")
        for table, column in _COLUMNS
    ),
    _DERIVE,
    _TWICE,
    *(
        f"UPDATE {table} t SET case_id = '?' || encode(h.now, 'hex') FROM hashed h "
        "WHERE t.province = :province AND t.case_id = '?' || encode(h.former, 'hex')"
        for table in _NAMING
    ),
)
_RENAMED = f"""
SELECT DISTINCT '?' || encode(h.former, 'hex') AS former, case_id
FROM core.kasus JOIN hashed h ON case_id = '?' || encode(h.now, 'hex') WHERE province = :province AND {_UNSHOWN}
"""


@dataclass(frozen=True)
class Rehashed:
    """What the new keys made of a province.

    Attributes:
        hashes: how many different ones were made anew.
        first_moved: the first night whose figures rest on the order of two statements that changed places.
        rebuild_from: the same of two statements of one case: what became of the later one rests on it.
        renamed: ids that may not be shown, before and now.
    """

    hashes: int
    first_moved: date | None
    rebuild_from: date | None
    renamed: tuple[tuple[str, str], ...]


def rehash(connection: Connection, province: str, newer: HashKeys) -> Rehashed:
    """Makes every hash of ``province`` anew with the ``newer`` keys, in the caller's transaction and under its lock."""
    own = {"province": province}
    connection.execute(text("CREATE TEMP TABLE hashed (former bytea PRIMARY KEY, now bytea) ON COMMIT DROP"))
    hashes = _fill_hashed(connection, province, newer)
    for statement in ("ANALYZE hashed", _TIED, _LEFT_OUT, *_CHANGES):
        connection.execute(text(statement), own)
    moved = connection.execute(text(_MOVED), own).one()
    renamed = tuple((row.former, row.case_id) for row in connection.execute(text(_RENAMED), own))
    connection.execute(text("DROP TABLE hashed, tied, left_out"))
    return Rehashed(hashes, moved.first, moved.of_a_case, renamed)


def hashed_rows(connection: Connection, province: str) -> int:
    """How many rows of ``province`` hold a hash."""
    counts = " + ".join(f"(SELECT count({column}) FROM {table} WHERE province = :p)" for table, column in _COLUMNS)
    found: int = connection.execute(text(f"SELECT {counts}"), {"p": province}).scalar_one()
    return found


def _fill_hashed(connection: Connection, province: str, newer: HashKeys) -> int:
    """The keys stay on this side: a statement that held one could come into the server's log."""
    driver: Any = connection.connection.driver_connection
    filled = 0
    with driver.cursor("former") as former, driver.cursor() as writing:
        former.execute(sql.SQL(_FORMER).format(sql.Literal(province)))
        while rows := former.fetchmany(_AT_ONCE):
            known = [bytes(each) for (each,) in rows if each is not None]
            _copy(writing, ((each, hashed_on(each, newer)) for each in known))
            filled += len(known)
    return filled


def _copy(cursor: "Cursor[Any]", rows: Iterator[tuple[bytes, bytes]]) -> None:
    with cursor.copy("COPY hashed (former, now) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["bytea", "bytea"])
        for row in rows:
            copy.write_row(row)
