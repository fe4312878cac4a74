"""One judged part of a stream into the warehouse: what each message is to what was known, and its way by COPY."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy import Connection, text

from regsosek.contract.codebook import all_variables
from regsosek.contract.stream_kinds import MESSAGES, StreamKind
from regsosek.staging.pseudonyms import keyed_hash
from regsosek.staging.reading.files import text_table
from regsosek.staging.reading.typing_sql import untyped_column
from regsosek.warehouse.cases.loading import PartKey, clear_part
from regsosek.warehouse.database import copy_in, copy_out
from regsosek.warehouse.tables import answers, identity_tables, kept_answer

# The newest message of each asked key, of accepted deliveries and of earlier parts of this one. OFFSET 0 keeps the
# planner from joining: it would read all messages once a part.
_KNOWN = """
SELECT DISTINCT ON ({key}) {key}, encode(m.content_hash, 'hex') AS content_hash
FROM (SELECT DISTINCT {needed} FROM asked) a CROSS JOIN LATERAL (
    SELECT * FROM stream.{dataset} s WHERE province = '{province}' AND {same} OFFSET 0
) m
JOIN ledger.delivery d ON d.province = '{province}' AND d.delivery_id = m.delivery_id
WHERE CASE m.delivery_id WHEN '{delivery_id}' THEN m.part < {part} ELSE d.state = 'accepted' END
ORDER BY {key}, m.produced_at DESC, m.delivery_id DESC, m.part DESC, m.row_no DESC
"""


def recognise_messages(
    duck: duckdb.DuckDBPyConnection,
    connection: Connection,
    scratch: Path,
    key: PartKey,
    dataset: str,
    *,
    produced_at: datetime,
) -> None:
    """Gives every message of the judged part its state, into table ``recognised``.

    A message with an error is ``quarantined``. Of the others one that says again what the newest known of its key says
    is a ``duplicate``, one that withdraws is ``withdrawn``, the rest is ``loaded``.
    """
    _fetch_known(duck, connection, scratch, key, MESSAGES[dataset])
    duck.execute(_recognised(MESSAGES[dataset]), {"produced_at": produced_at})


def load_messages(
    duck: duckdb.DuckDBPyConnection, connection: Connection, scratch: Path, key: PartKey, dataset: str
) -> None:
    """Loads the recognised part; what an interrupted try left of it goes.

    Whatever is not quarantined stands in the stream's table, duplicates too: they have a place in the order.
    """
    clear_part(connection, key)
    for table, query in _queries(key, dataset):
        path = scratch / f"{table}.csv"
        duck.execute(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER)")
        copy_in(
            connection, key.partition(table), [row[0] for row in duck.execute(f"DESCRIBE {query}").fetchall()], path
        )
        path.unlink()


def _fetch_known(
    duck: duckdb.DuckDBPyConnection, connection: Connection, scratch: Path, key: PartKey, stream: StreamKind
) -> None:
    asked, known = scratch / "asked.csv", scratch / "known.csv"
    needed = ", ".join(stream.needed)
    duck.execute(
        f"COPY (SELECT DISTINCT {needed} FROM {stream.dataset} WHERE complete) TO '{asked}' (FORMAT csv, HEADER)"
    )
    connection.execute(
        text(f"CREATE TEMP TABLE asked ON COMMIT DROP AS SELECT {needed} FROM stream.{stream.dataset} LIMIT 0")
    )
    copy_in(connection, "asked", list(stream.needed), asked)
    connection.execute(text("ANALYZE asked"))
    same = " AND ".join(f"s.{column} = a.{column}" for column in stream.needed)
    selected = ", ".join(f"m.{column}" for column in stream.key)
    query = _KNOWN.format(key=selected, needed=needed, same=same, dataset=stream.dataset, **vars(key))
    copy_out(connection, query, known)
    types = {column: "DATE" if stream.kind_of(column) == "date" else "VARCHAR" for column in stream.key}
    duck.execute(
        f"CREATE OR REPLACE TABLE known AS SELECT * REPLACE (unhex(content_hash) AS content_hash) FROM read_csv("
        f"'{known}', header = true, auto_detect = false, columns = {types | {'content_hash': 'VARCHAR'}})"
    )
    for file in (asked, known):
        file.unlink()


def _recognised(stream: StreamKind) -> str:
    """SQL: ``recognised``, one row per message: its row state, content hash, and an id that may be shown."""
    key = ", ".join(f"m.{column}" for column in stream.key)
    same = " AND ".join(f"k.{column} IS NOT DISTINCT FROM m.{column}" for column in stream.key)
    withdraws = stream.withdrawn_when or "FALSE"
    return f"""
CREATE OR REPLACE TABLE recognised AS
WITH hashed AS (
    SELECT m.*, v.status AS verdict, {keyed_hash("m.digest")} AS content_hash
    FROM {stream.dataset} m JOIN verdict v USING (row_no)
),
ordered AS (
    SELECT m.*, k.content_hash IS NOT NULL AS is_known,
           row_number() OVER (PARTITION BY {key}, m.content_hash, m.verdict = 'error' ORDER BY m.row_no) AS time
    FROM hashed m LEFT JOIN known k ON {same} AND k.content_hash = m.content_hash
)
SELECT row_no, content_hash, $produced_at::TIMESTAMPTZ AS produced_at, {_shown_id(stream)} AS case_id,
       CASE WHEN verdict = 'error' THEN 'quarantined' WHEN is_known OR time > 1 THEN 'duplicate'
            WHEN {withdraws} THEN 'withdrawn' ELSE 'loaded' END AS row_state
FROM ordered
"""


def _shown_id(stream: StreamKind) -> str:
    """SQL: the message's key in words, or its row where digits that are no known code may be a person's number."""
    parts = ", ".join(f"{column}::VARCHAR" for column in stream.key)
    unknown = ["NOT complete"]
    if "id_subsls" in stream.key:
        unknown.append("frame_status IS DISTINCT FROM 'known' AND frame_status IS DISTINCT FROM 'retired'")
    if stream.optional:
        unknown.append("NOT new_place_known")
    codes = (v for v in all_variables(stream.dataset) if v.kind == "digits" and v.name in stream.key)
    unknown += [f"length({code.name}) <> {code.width}" for code in codes]
    return f"CASE WHEN {' OR '.join(unknown)} THEN '?' || row_no ELSE concat_ws('/', {parts}) END"


def _queries(key: PartKey, dataset: str) -> Iterator[tuple[str, str]]:
    """Every table of a part with the rows that go there."""
    stored = f"{dataset} t JOIN recognised r USING (row_no) WHERE r.row_state <> 'quarantined'"
    plain = ", ".join(map(kept_answer, answers(dataset, personal=False)))
    content = "'\\x' || lower(hex(r.content_hash)) AS content_hash"
    yield (
        f"stream.{dataset}",
        f"SELECT {key.columns}, t.row_no, {plain}, r.produced_at, {content}, r.row_state FROM {stored}",
    )
    if dataset in identity_tables:
        personal = ", ".join(f"t.{v.name}" for v in answers(dataset, personal=True))
        yield f"restricted.{dataset}_identity", f"SELECT {key.columns}, t.row_no, {personal} FROM {stored}"
    for name in (v.name for v in all_variables(dataset) if v.is_shown_text):
        kept_back = f"t.{untyped_column(name)}"
        yield (
            "restricted.untyped_value",
            f"SELECT {key.columns}, '{dataset}' AS dataset, t.row_no, '{name}' AS variable, {kept_back} AS value "
            f"FROM {stored} AND {kept_back} IS NOT NULL",
        )
    yield (
        "restricted.quarantined",
        f"SELECT {key.columns}, '{dataset}' AS dataset, t.row_no, r.case_id, json_merge_patch('{{}}', to_json(t)) "
        f"AS payload FROM {text_table(dataset)} t JOIN recognised r USING (row_no) WHERE r.row_state = 'quarantined'",
    )
    yield (
        "quality.reason",
        f"SELECT {key.columns}, '{dataset}' AS dataset, b.row_no, b.rule_id, b.severity, r.case_id, "
        f"NULL::INTEGER AS r401_no_urut FROM {dataset}_reasons b JOIN recognised r USING (row_no)",
    )
