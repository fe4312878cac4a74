"""The cases that some nights touched: what came in them read from the archived files themselves, beside the log.

What came before those nights was read from its files on its own night, and is taken from the log: a night costs what
it brought. The weekly audit reads everything from the files (``full_reading.py``).

Personal data in those files is never kept: only the columns that say which case, which revision and what result, and
a hash of all columns, which must be that of the log: so that no value was read into another column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.codebook import DATASETS, variables
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.contract.manifest import DeliveredFile, Manifest, parse_manifest
from regsosek.errors import AuditError
from regsosek.geography.provinces import clock_offset
from regsosek.landing.archive import fetch_archived
from regsosek.landing.encrypted import EncryptedArchive
from regsosek.release.rereading.archived_text import UNREADABLE, read_columns
from regsosek.release.rereading.contents import contents
from regsosek.staging.pseudonyms import HashKeys
from regsosek.warehouse.database import step_tables
from regsosek.warehouse.hashes.hash_keys import keys_in_use

COLUMNS = ("id_dokumen", "versi", "status_dokumen", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "r205_hasil")
KEY = ["id_subsls", "r109_no_bangunan", "r110_no_keluarga"]
PLACE_OF_ROW = ["delivery_id", "part", "row_no"]
WITHDRAWN = 9

# Columns of the log, of ``core.kasus k``. A withdrawn document is not judged, and all others are.
LOGGED = """
       k.night, k.delivery_id, k.part, k.row_no, k.case_id, encode(k.content_hash, 'hex') AS content_hash,
       k.status <> 'duplicate' AND k.verdict IS NOT DISTINCT FROM 'error' AS in_error,
       k.status <> 'duplicate' AND coalesce(k.verdict <> 'error', false) AS accepted,
       k.versi, k.verdict IS NULL AS withdrawn, k.id_subsls IS NULL AS placeless, k.id_subsls, k.r109_no_bangunan,
       k.r110_no_keluarga, k.result"""
_OF_LOG = ["night", "delivery_id", "part", "row_no", "case_id", "content_hash", "in_error", "accepted", "placeless"]
_GIVEN = ["versi", "withdrawn", *KEY, "result"]

# The cases that the nights touched, every family key that one of them ever claimed, and all that ever claimed those.
_STEPS = {
    "touched": """
SELECT DISTINCT k.case_id FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night > :after AND k.night <= :night
""",
    "keys": """
SELECT DISTINCT k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga
FROM core.kasus k JOIN touched USING (case_id) WHERE k.province = :province
""",
    "asked": """
SELECT case_id FROM touched
UNION
SELECT k.case_id FROM core.kasus k JOIN keys USING (id_subsls, r109_no_bangunan, r110_no_keluarga)
WHERE k.province = :province
""",
}
_ANYTHING = """
SELECT EXISTS (SELECT FROM core.kasus WHERE province = :province AND night > :after AND night <= :night)
"""
_LOG = f"""
SELECT {LOGGED}
FROM core.kasus k JOIN asked USING (case_id)
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night <= :night AND k.part > 0
ORDER BY k.delivery_id, k.part, k.row_no
"""

_DELIVERIES = """
SELECT delivery_id, coalesce(decided_night, night) AS night, produced_at, manifest_sha256, supersedes
FROM ledger.delivery
WHERE province = :province AND state = 'accepted' AND coalesce(decided_night, night) <= :night
      AND coalesce(instrument, :instrument) = :instrument
ORDER BY coalesce(decided_night, night), CASE WHEN decided_night IS NOT NULL THEN decided_at END NULLS FIRST, position,
         delivered_on, delivery_id
"""


@dataclass(frozen=True)
class Archive:
    """Where delivered files are kept, a private directory to read them in, and the keys of the hashes of contents."""

    files: EncryptedArchive
    scratch: Path
    keys: HashKeys = field(repr=False)

    def of(self, connection: Connection, province: str) -> Self:
        """The same with the keys that the hashes of ``province`` are made with now."""
        return replace(self, keys=keys_in_use(connection, province, self.keys))


@dataclass(frozen=True)
class AcceptedDelivery:
    """An accepted delivery: the night from which it counts, and what it supersedes.

    With a held delivery it also supersedes what that would have superseded: so says the ledger.
    """

    night: date
    delivery_id: str
    produced_at: datetime
    supersedes: tuple[str, ...]
    manifest_sha256: str


@dataclass(frozen=True)
class ArchivedCases:
    """Revisions of the cases in question, one per delivered row, and all accepted deliveries in their order.

    ``revisions``: ``night, delivery_id, part, row_no, case_id, content_hash`` (hex), ``in_error``, ``accepted``,
    ``versi``, ``withdrawn``, the family key, ``result``, ``produced_at``.
    """

    revisions: pd.DataFrame
    deliveries: tuple[AcceptedDelivery, ...]


def read_cases(connection: Connection, archive: Archive, province: str, after: date, night: date) -> ArchivedCases:
    """Brings the revisions up to ``night`` of every case that the nights after ``after`` touched.

    Raises:
        AuditError: the archived files do not hold a row or case that the log names.
    """
    values: dict[str, Any] = {"province": province, "after": after, "night": night}
    if not connection.execute(text(_ANYTHING), values).scalar_one():  # most provinces, where a night is published again
        return ArchivedCases(pd.DataFrame({"night": []}), ())
    with step_tables(connection, _STEPS, values):
        log = typed_log(pd.read_sql_query(text(_LOG), connection, params=values))
    if log.empty:
        return ArchivedCases(log, ())
    deliveries, archive = accepted_deliveries(connection, province, night), archive.of(connection, province)
    news = log["night"] > after
    read = read_rows(archive, province, deliveries, log[news])
    rows = pd.concat([log[~news], read], ignore_index=True)
    produced = {each.delivery_id: each.produced_at for each in deliveries}
    rows["produced_at"] = pd.to_datetime(rows["delivery_id"].map(produced), utc=True)
    return ArchivedCases(rows, deliveries)


def typed_log(log: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``LOGGED`` with whole numbers that may be missing."""
    whole = dict.fromkeys(("r109_no_bangunan", "r110_no_keluarga", "result"), "Int64")
    said = dict.fromkeys(("withdrawn", "placeless", "in_error", "accepted"), bool)
    return log.astype({**whole, **said, "versi": "int64"})


def accepted_deliveries(connection: Connection, province: str, night: date) -> tuple[AcceptedDelivery, ...]:
    """The deliveries of questionnaire K that count as of ``night``, in their order."""
    values = {"province": province, "night": night, "instrument": QUESTIONNAIRE}
    return tuple(
        AcceptedDelivery(row.night, row.delivery_id, row.produced_at, tuple(row.supersedes), row.manifest_sha256)
        for row in connection.execute(text(_DELIVERIES), values)
    )


def read_rows(
    archive: Archive, province: str, deliveries: Sequence[AcceptedDelivery], log: pd.DataFrame
) -> pd.DataFrame:
    """The rows of ``log`` with all that they say read from their archived files.

    Raises:
        AuditError: the files do not hold a row or case that the log names.
    """
    known = {each.delivery_id: each for each in deliveries}
    read = [typed_rows(pd.DataFrame(columns=list(COLUMNS), dtype=str), "", 0).assign(contents="")]
    for delivery_id, parts in log.groupby("delivery_id")["part"]:
        manifest = _manifest(archive, province, known[str(delivery_id)])
        read += [_documents(archive, manifest, int(part)) for part in sorted(parts.unique())]
    given = pd.concat(read)
    rows = log[_OF_LOG].merge(given, on=PLACE_OF_ROW, how="left", validate="one_to_one", indicator="found")
    _require_agreement(rows, province)
    # Sixteen digits that lie in no known desa are no sub-SLS, which the file alone does not say.
    rows["id_subsls"] = rows["id_subsls"].mask(rows["placeless"])
    return rows[[*_OF_LOG, *_GIVEN]]


def _manifest(archive: Archive, province: str, delivery: AcceptedDelivery) -> Manifest:
    path = fetch_archived(
        archive.files.store, archive.files.bucket, delivery.manifest_sha256, archive.scratch / "manifest.json"
    )
    return parse_manifest(path.read_bytes(), province=province, delivery_id=delivery.delivery_id)


def _documents(archive: Archive, manifest: Manifest, part: int) -> pd.DataFrame:
    """The families of a part, with the hash of all that its files say of each."""
    families, members = (_texts(archive, manifest, manifest.file(dataset, part)) for dataset in DATASETS)
    try:
        hashed = contents(families, members, archive.keys)
    except KeyError:
        raise AuditError(f"delivery {manifest.delivery_id}: part {part} holds members without their family") from None
    return typed_rows(families, manifest.delivery_id, part).assign(contents=hashed)


def _texts(archive: Archive, manifest: Manifest, file: DeliveredFile) -> pd.DataFrame:
    path = archive.files.fetch(file.sha256, archive.scratch / file.name)
    expected = variables(file.dataset, manifest.instrument_version)
    try:
        given = read_columns(path, file.format, expected, clock_offset(manifest.province, manifest.produced_at))
    except UNREADABLE as error:
        # The kind of error is enough: its text may quote a value.
        raise AuditError(
            f"delivery {manifest.delivery_id}: {file.name} cannot be read a second time ({type(error).__name__})"
        ) from None
    finally:
        path.unlink()
    if len(given) != file.rows:
        raise AuditError(f"delivery {manifest.delivery_id}: {file.name} has {len(given)} rows when read a second time")
    return given


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
    other = int((rows["contents"] != rows["content_hash"]).sum())
    if other:
        raise AuditError(
            f"province {province}: {other} families of the log hold other answers than the archived files, all columns "
            "compared; load their night again"
        )
