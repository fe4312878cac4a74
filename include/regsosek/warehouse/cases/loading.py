"""One recognised part into the warehouse by COPY, in one transaction: answers, quarantine, reasons, the case log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from sqlalchemy import Connection, text

from regsosek.contract.codebook import DATASETS, STREAMS, all_variables
from regsosek.staging.case_facts import case_facts
from regsosek.staging.pseudonyms import keyed_hash
from regsosek.staging.reading.files import text_table
from regsosek.staging.reading.typing_sql import can_be_untyped, untyped_column
from regsosek.warehouse.database import copy_in
from regsosek.warehouse.tables import HASHED, answers, kept_answer

TABLES_OF_A_PART = (
    "core.kasus", "core.keluarga", "core.anggota", "restricted.keluarga_identity", "restricted.anggota_identity",
    "restricted.quarantined", "restricted.untyped_value", "quality.reason", "ledger.repair",
    *(f"stream.{dataset}" for dataset in STREAMS), "restricted.geotag_identity",
)  # fmt: skip
_KASUS_COLUMNS = (
    "case_id", "versi", "rank_versi", "produced_at", "content_hash", "status", "verdict", "id_subsls",
    "r109_no_bangunan", "r110_no_keluarga", "placed_code", "enumerated_on", "result", "ppl", "members", *case_facts(),
)  # fmt: skip


@dataclass(frozen=True)
class PartKey:
    """Which part is loaded: the leading columns of every row it leaves behind."""

    province: str
    night: date
    delivery_id: str
    part: int

    @property
    def columns(self) -> str:
        """SQL: the key as columns."""
        return (
            f"'{self.province}' AS province, DATE '{self.night}' AS night, "
            f"'{self.delivery_id}' AS delivery_id, {self.part} AS part"
        )

    def partition(self, table: str) -> str:
        """Where COPY puts the rows of ``table``: it takes none that has row-level security, and no partition has it."""
        return f"{table}_p{self.province}"


def clear_part(connection: Connection, key: PartKey) -> None:
    """Removes what an interrupted try left of this part; nothing of it was visible."""
    for table in TABLES_OF_A_PART:
        connection.execute(
            text(
                f"DELETE FROM {table} WHERE province = :province AND night = :night "
                "AND delivery_id = :delivery_id AND part = :part"
            ),
            vars(key),
        )


def clear_delivery(connection: Connection, province: str, night: date, delivery_id: str) -> None:
    """Removes all rows of a delivery that is held, or rejected half way; nothing of it was visible."""
    for table in TABLES_OF_A_PART:
        connection.execute(
            text(f"DELETE FROM {table} WHERE province = :p AND night = :n AND delivery_id = :d"),
            {"p": province, "n": night, "d": delivery_id},
        )


def load_part(
    duck: duckdb.DuckDBPyConnection, connection: Connection, scratch: Path, key: PartKey, *, default_day: date
) -> None:
    """Loads the recognised part.

    Args:
        default_day: stands in for a date of enumeration that could not be read, so that the case is counted.
    """
    clear_part(connection, key)
    for table, columns, path in written_tables(duck, scratch, key, default_day=default_day):
        copy_in(connection, key.partition(table), columns, path)
        path.unlink()


def written_tables(
    duck: duckdb.DuckDBPyConnection, scratch: Path, key: PartKey, *, default_day: date
) -> Iterator[tuple[str, list[str], Path]]:
    """Splits the recognised part: each table of the warehouse, its columns, and a CSV file of the rows that go there.

    The files come one at a time and belong to the caller.
    """
    for table, query in _queries(key, default_day).items():
        path = scratch / f"{table}.csv"
        duck.execute(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER)")
        yield table, [row[0] for row in duck.execute(f"DESCRIBE {query}").fetchall()], path


def _queries(key: PartKey, default_day: date) -> dict[str, str]:
    """The rows of every table of a part, as DuckDB queries by table."""
    queries = {"core.kasus": _kasus(key, default_day)}
    for dataset in DATASETS:
        queries[f"core.{dataset}"] = _core(key, dataset)
        queries[f"restricted.{dataset}_identity"] = _identity(key, dataset)
    queries["restricted.quarantined"] = " UNION ALL ".join(_quarantined(key, dataset) for dataset in DATASETS)
    queries["restricted.untyped_value"] = " UNION ALL ".join(_untyped(key, dataset) for dataset in DATASETS)
    queries["quality.reason"] = " UNION ALL ".join(_reasons(key, dataset) for dataset in DATASETS)
    return queries


def _bytes(expression: str) -> str:
    """SQL: bytes the way PostgreSQL reads them from CSV."""
    return f"'\\x' || lower(hex({expression}))"


def _kasus(key: PartKey, default_day: date) -> str:
    changed = {
        "content_hash": f"{_bytes('content_hash')} AS content_hash",
        "enumerated_on": f"coalesce(enumerated_on, DATE '{default_day}') AS enumerated_on",
    }
    columns = ", ".join(changed.get(column, column) for column in _KASUS_COLUMNS)
    return f"SELECT {key.columns}, keluarga_row AS row_no, {columns} FROM recognised"


def _accepted(dataset: str) -> str:
    """SQL: the rows of ``dataset`` that are loaded, aliased ``t``."""
    row = "row_no" if dataset == "keluarga" else "keluarga_row"
    return f"{dataset} t JOIN recognised c ON c.keluarga_row = t.{row} AND c.status = 'loaded'"


def _core(key: PartKey, dataset: str) -> str:
    family = "t.keluarga_row, " if dataset == "anggota" else ""
    plain = ", ".join(map(kept_answer, answers(dataset, personal=False)))
    hashes = ", ".join(
        f"{_bytes(keyed_hash(f't.{v.name}'))} AS {HASHED[v.name]}" for v in all_variables(dataset) if v.name in HASHED
    )
    return f"SELECT {key.columns}, t.row_no, {family}{plain}, {hashes} FROM {_accepted(dataset)}"


def _identity(key: PartKey, dataset: str) -> str:
    personal = ", ".join(f"t.{v.name}" for v in answers(dataset, personal=True))
    return f"SELECT {key.columns}, t.row_no, {personal} FROM {_accepted(dataset)}"


def _quarantined(key: PartKey, dataset: str) -> str:
    family = "t.row_no" if dataset == "keluarga" else "r.keluarga_row"
    roster = "" if dataset == "keluarga" else "JOIN roster r ON r.anggota_row = t.row_no "
    # Merging into nothing leaves empty cells out (RFC 7396): less to write and to parse on a bad night.
    payload = "json_merge_patch('{}', to_json(t))"
    return (
        f"SELECT {key.columns}, '{dataset}' AS dataset, t.row_no, c.case_id, {payload} AS payload "
        f"FROM {text_table(dataset)} t {roster}"
        f"JOIN recognised c ON c.keluarga_row = {family} AND c.status = 'quarantined'"
    )


def _untyped(key: PartKey, dataset: str) -> str:
    columns = [v.name for v in all_variables(dataset) if can_be_untyped(v)]
    listed = ", ".join(f"{{'variable': '{name}', 'value': t.{untyped_column(name)}}}" for name in columns)
    any_untyped = " OR ".join(f"t.{untyped_column(name)} IS NOT NULL" for name in columns)
    return (
        f"SELECT {key.columns}, '{dataset}' AS dataset, row_no, u.variable, u.value FROM ("
        f"SELECT t.row_no, unnest([{listed}]) AS u FROM {_accepted(dataset)} WHERE {any_untyped}"
        f") WHERE u.value IS NOT NULL"
    )


def _reasons(key: PartKey, dataset: str) -> str:
    family = "t.row_no" if dataset == "keluarga" else "t.keluarga_row"
    member = "NULL::INTEGER" if dataset == "keluarga" else "t.r401_no_urut"
    return (
        f"SELECT {key.columns}, '{dataset}' AS dataset, t.row_no, r.rule_id, r.severity, c.case_id, "
        f"{member} AS r401_no_urut FROM {dataset}_reasons r JOIN {dataset} t USING (row_no) "
        f"JOIN recognised c ON c.keluarga_row = {family} AND c.status IN ('loaded', 'quarantined')"
    )
