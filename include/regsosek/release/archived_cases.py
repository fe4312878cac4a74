"""The cases that a night touched, read from the archived files themselves, beside what the log says of each row.

Personal data in those files is never kept: only the columns that say which case, which revision and what result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.errors import AuditError
from regsosek.landing.archive import fetch_archived
from regsosek.landing.store import Store
from regsosek.release.reading_again import COLUMNS, UNREADABLE, read_columns

KEY = ["id_subsls", "r109_no_bangunan", "r110_no_keluarga"]
PLACE_OF_ROW = ["delivery_id", "part", "row_no"]
WITHDRAWN = 9

# Besides the touched cases, those that ever claimed a family key which one of them ever claimed.
_LOG = """
WITH touched AS (
    SELECT DISTINCT k.case_id FROM core.kasus k
    JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
    WHERE k.province = :province AND k.night > :after AND k.night <= :night
),
keys AS (
    SELECT DISTINCT id_subsls, r109_no_bangunan, r110_no_keluarga
    FROM core.kasus JOIN touched USING (case_id) WHERE province = :province
),
asked AS (
    SELECT case_id FROM touched
    UNION
    SELECT k.case_id FROM core.kasus k JOIN keys USING (id_subsls, r109_no_bangunan, r110_no_keluarga)
    WHERE k.province = :province
)
SELECT k.night, k.delivery_id, k.part, k.row_no, k.case_id, encode(k.content_hash, 'hex') AS content_hash,
       k.status <> 'duplicate' AND k.verdict IS NOT DISTINCT FROM 'error' AS in_error
FROM core.kasus k JOIN asked USING (case_id)
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night <= :night AND k.part > 0
ORDER BY k.delivery_id, k.part, k.row_no
"""

_DELIVERIES = """
SELECT delivery_id, coalesce(decided_night, night) AS night, manifest_sha256, supersedes FROM ledger.delivery
WHERE province = :province AND state = 'accepted' AND coalesce(decided_night, night) <= :night
ORDER BY coalesce(decided_night, night), CASE WHEN decided_night IS NOT NULL THEN decided_at END NULLS FIRST, position,
         delivered_on, delivery_id
"""


@dataclass(frozen=True)
class Archive:
    """Where delivered files are kept, and a private directory to read them in."""

    store: Store
    bucket: str
    scratch: Path


@dataclass(frozen=True)
class Delivered:
    """An accepted delivery as its archived manifest tells it, and the night from which it counts."""

    night: date
    manifest: Manifest


@dataclass(frozen=True)
class ArchivedCases:
    """Revisions of the cases in question, one per delivered row, and all accepted deliveries in their order.

    ``revisions``: ``night, delivery_id, part, row_no, case_id, content_hash`` (hex), ``in_error``, ``versi``,
    ``withdrawn``, the family key, ``result``, ``produced_at``.
    """

    revisions: pd.DataFrame
    deliveries: tuple[Delivered, ...]


def read_cases(connection: Connection, archive: Archive, province: str, after: date, night: date) -> ArchivedCases:
    """Reads the revisions up to ``night`` of every case that the nights after ``after`` touched.

    Raises:
        AuditError: the archived files do not hold a row or case that the log names.
    """
    values: dict[str, Any] = {"province": province, "after": after, "night": night}
    log = pd.read_sql_query(text(_LOG), connection, params=values)
    deliveries = _deliveries(connection, archive, values) if len(log) else ()
    documents = [_documents(archive, deliveries, delivery, part) for delivery, part in _parts(log)]
    read = pd.concat(documents) if documents else typed_rows(pd.DataFrame(columns=list(COLUMNS), dtype=str), "", 0)
    rows = log.merge(read, on=PLACE_OF_ROW, how="left", validate="one_to_one", indicator="found")
    _require_agreement(rows, province)
    produced = {each.manifest.delivery_id: each.manifest.produced_at for each in deliveries}
    rows["produced_at"] = pd.to_datetime(rows["delivery_id"].map(produced), utc=True)
    return ArchivedCases(rows.drop(columns=["found", "id_dokumen"]), deliveries)


def _parts(log: pd.DataFrame) -> Iterator[tuple[str, int]]:
    for delivery_id, part in log[["delivery_id", "part"]].drop_duplicates().itertuples(index=False, name=None):
        yield str(delivery_id), int(part)


def _deliveries(connection: Connection, archive: Archive, values: dict[str, Any]) -> tuple[Delivered, ...]:
    return tuple(
        Delivered(row.night, _manifest(archive, values["province"], row))
        for row in connection.execute(text(_DELIVERIES), values)
    )


def _manifest(archive: Archive, province: str, line: Any) -> Manifest:
    """The manifest, superseding what the ledger says: with a held delivery also what that would have superseded."""
    path = fetch_archived(archive.store, archive.bucket, line.manifest_sha256, archive.scratch / "manifest.json")
    manifest = parse_manifest(path.read_bytes(), province=province, delivery_id=line.delivery_id)
    return manifest.model_copy(update={"supersedes": tuple(line.supersedes)})


def _documents(archive: Archive, deliveries: tuple[Delivered, ...], delivery_id: str, part: int) -> pd.DataFrame:
    manifest = next(each.manifest for each in deliveries if each.manifest.delivery_id == delivery_id)
    file = manifest.file("keluarga", part)
    path = fetch_archived(archive.store, archive.bucket, file.sha256, archive.scratch / file.name)
    try:
        given = read_columns(path, file.format)
    except UNREADABLE as error:
        # The kind of error is enough: its text may quote a value.
        raise AuditError(
            f"delivery {delivery_id}: {file.name} cannot be read a second time ({type(error).__name__})"
        ) from None
    finally:
        path.unlink()
    if len(given) != file.rows:
        raise AuditError(f"delivery {delivery_id}: {file.name} has {len(given)} rows when read a second time")
    return typed_rows(given, delivery_id, part)


def typed_rows(given: pd.DataFrame, delivery_id: str, part: int) -> pd.DataFrame:
    """Types what a delivered file says; what is no number counts as not given."""
    code = given["id_subsls"]
    return pd.DataFrame(
        {
            "delivery_id": delivery_id,
            "part": part,
            "row_no": range(1, len(given) + 1),
            "id_dokumen": given["id_dokumen"],
            "versi": _whole(given["versi"]).fillna(0).astype("int64"),
            "withdrawn": (_whole(given["status_dokumen"]) == WITHDRAWN).fillna(value=False).astype(bool),
            "id_subsls": code.where(code.str.fullmatch("[0-9]+")),
            "r109_no_bangunan": _whole(given["r109_no_bangunan"]),
            "r110_no_keluarga": _whole(given["r110_no_keluarga"]),
            "result": _whole(given["r205_hasil"]),
        }
    )


def _whole(column: "pd.Series[str]") -> "pd.Series[Any]":
    return pd.to_numeric(column.where(column.str.fullmatch("[0-9]{1,9}"))).astype("Int64")


def _require_agreement(rows: pd.DataFrame, province: str) -> None:
    """The log must speak of rows that were delivered, under the document id they were delivered with."""
    absent = int((rows["found"] != "both").sum())
    if absent:
        raise AuditError(f"province {province}: {absent} rows of the log are in no archived file; load its night again")
    # A document id that is missing or malformed has been replaced by one that starts with "?".
    named = rows[~rows["case_id"].str.startswith("?")]
    differing = int((named["case_id"] != named["id_dokumen"]).sum())
    if differing:
        raise AuditError(f"province {province}: {differing} rows of the log name another case than the archived file")
