"""A campaign of one province as the warehouse holds it, night by night, written by SQL: the log, its ledger, the files.

Every officer works through six sub-SLS, five days each, twelve families a day. Of a night's families one in six was
enumerated a day earlier, one in a hundred is in quarantine, one in ten was not interviewed; 2 % as many again are
revisions of families of all earlier nights, of which one in twenty withdraws its family. The files are whole
(``campaign_files.py``). What is not written: answers in the warehouse (their rows are), and reasons.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from ulid import ULID

from campaign_files import VERSION, Archive, archive_files
from regsosek.geography.frame import SIMULATED
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import region_master
from regsosek.landing.archive import archive_bytes
from regsosek.resources import Resources
from regsosek.statistics.progress import refresh_province
from regsosek.warehouse.migration import ensure_night_partitions, migrate
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.reference import load_frame, load_regions, load_targets, note_version

PROVINCE, FIRST = "35", date(2022, 10, 15)
FAMILIES_A_DAY, PLACES_OF_OFFICER, DAYS_A_PLACE, PERSONS = 12, 6, 5, 3
ROWS_A_PART = 50_000
_FRAME = [
    "province", "id_subsls", "valid_from", "valid_to", "id_desa", "name", "kind", "families_load", "code_system",
    "version",
]  # fmt: skip


@dataclass(frozen=True)
class Nights:
    """The campaign: ``officers``, each of whom works every day."""

    resources: Resources
    officers: int

    @property
    def families(self) -> int:
        """New ones a night."""
        return self.officers * FAMILIES_A_DAY

    def prepare(self, scratch: Path) -> None:
        """An empty warehouse with regions, the frame of the officers' sub-SLS, and targets."""
        migrate(self.resources.engine, self.resources.settings.hash_keys)
        desas = [
            code for code, each in region_master().regions.items() if code[:2] == PROVINCE and each.level == "desa"
        ]
        frame = (
            [PROVINCE, _place(desas, k), "2022-01-01", None, desas[k % len(desas)], "RT", 1,
             DAYS_A_PLACE * FAMILIES_A_DAY, "BPS", "bench"]
            for k in range(self.officers * PLACES_OF_OFFICER)
        )  # fmt: skip
        targets = [
            {
                "province": each.code,
                "families": self.families * 30,
                "source": "estimated",
                "scale": 1,
                "version": "bench",
            }
            for each in provinces()
        ]
        with self.resources.engine.begin() as connection:
            load_regions(connection, region_master(), scratch)
            load_frame(connection, frame, _FRAME, scratch)
            load_targets(connection, targets)
            for dataset in ("sls", "petugas", "target"):
                note_version(
                    connection, dataset=dataset, version="bench", manifest_sha256="0" * 64, scale=1,
                    note=f"{SIMULATED} (bench)", report={},
                )  # fmt: skip
            connection.execute(text("CREATE TABLE place (k int PRIMARY KEY, code text NOT NULL)"))
            rows = [{"k": k, "code": _place(desas, k)} for k in range(self.officers * PLACES_OF_OFFICER)]
            connection.execute(text("INSERT INTO place VALUES (:k, :code)"), rows)

    def bring(self, day: int, scratch: Path) -> date:
        """Writes what the night of ``day`` (from 1) brought; its statistics are still to be refreshed."""
        night = FIRST + timedelta(days=day - 1)
        produced = datetime.combine(night, datetime.min.time(), UTC) + timedelta(hours=12)
        own: dict[str, Any] = {
            "province": PROVINCE, "night": night, "day": day, "delivery_id": str(ULID.from_datetime(produced)),
            "produced_at": produced, "families": self.families, "officers": self.officers, "part_rows": ROWS_A_PART,
        }  # fmt: skip
        with self.resources.engine.begin() as connection:
            ensure_night_partitions(connection, PROVINCE, night)
            connection.execute(text(_BROUGHT), own)
            own["sha256"] = self._archived(connection, own, scratch)
            connection.execute(text(_LOG), own)
            connection.execute(text(_DELIVERY), own)
            for dataset, rows in (("keluarga", "1"), ("anggota", "members")):
                connection.execute(text(_COUNTS.format(rows=rows)), own | {"dataset": dataset})
            for statement in _ANSWERS:
                connection.execute(text(statement), own)
        return night

    def refresh(self, night: date) -> None:
        """The statistics of the night, as its task brings them up to date."""
        with self.resources.engine.begin() as connection:
            refresh_province(connection, PROVINCE, night)
            ledger.note_refreshed(connection, PROVINCE, night)

    def settle(self) -> None:
        """What autovacuum does by day."""
        with self.resources.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))

    def _archived(self, connection: Connection, own: dict[str, Any], scratch: Path) -> str:
        """Archives the files and the manifest of what was brought; the address of the manifest."""
        store, bucket = self.resources.store, self.resources.settings.archive_bucket
        files = archive_files(connection, Archive(store, bucket, scratch, self.resources.settings.hash_keys))
        return archive_bytes(store, bucket, json.dumps(_manifest(own, files)).encode())


def _place(desas: list[str], k: int) -> str:
    return f"{desas[k % len(desas)]}{k // len(desas) + 1:04d}00"


def _manifest(own: dict[str, Any], files: list[dict[str, Any]]) -> dict[str, Any]:
    totals = {d: sum(f["rows"] for f in files if f["dataset"] == d) for d in ("keluarga", "anggota")}
    return {
        "contract_version": "1", "instrument": "REGSOSEK22.K", "instrument_version": VERSION, "province": PROVINCE,
        "delivery_id": own["delivery_id"], "produced_at": own["produced_at"].isoformat(), "producer": "bench",
        "enumerated_from": str(FIRST), "enumerated_to": str(own["night"]), "files": files, "totals": totals,
    }  # fmt: skip


_OWN = "province = :province AND night = :night AND delivery_id = :delivery_id"

_BROUGHT = f"""
CREATE TEMPORARY TABLE brought ON COMMIT DROP AS
WITH fresh AS (
    SELECT CAST(:day AS int) AS day, n / {FAMILIES_A_DAY} AS officer, n % {FAMILIES_A_DAY} AS i, 1 AS versi
    FROM generate_series(0, CAST(:families AS int) - 1) n
),
again AS (
    SELECT DISTINCT 1 + c % (CAST(:day AS int) - 1) AS day, (c * 7 + CAST(:day AS int) * 13) % CAST(:officers AS int)
           AS officer, c % {FAMILIES_A_DAY} AS i, 2 AS versi
    FROM generate_series(0, CAST(:families AS int) / 50 - 1) c WHERE CAST(:day AS int) > 1
),
rows AS (
    SELECT *, row_number() OVER (ORDER BY versi, officer, i, day) - 1 AS n,
           versi = 2 AND (officer + i) % 20 = 0 AS withdrawn, versi = 1 AND i = 0 AND officer % 8 = 0 AS error,
           officer * {PLACES_OF_OFFICER} + (day - 1) / {DAYS_A_PLACE} % {PLACES_OF_OFFICER} AS k
    FROM (SELECT * FROM fresh UNION ALL SELECT * FROM again) brought
)
SELECT n / CAST(:part_rows AS int) + 1 AS part, n % CAST(:part_rows AS int) + 1 AS row_no,
       'D' || day * 10000000 + officer * 100 + i AS case_id, versi,
       CASE WHEN withdrawn THEN 'withdrawn' WHEN error THEN 'quarantined' ELSE 'loaded' END AS status,
       CASE WHEN withdrawn THEN NULL WHEN error THEN 'error' ELSE 'clean' END AS verdict,
       p.code AS id_subsls, (day - 1) % {DAYS_A_PLACE} * {FAMILIES_A_DAY} + i + 1 AS r109_no_bangunan,
       1 AS r110_no_keluarga, DATE '{FIRST}' + day - 1 - (i > 9 AND day > 1)::int AS enumerated_on,
       CASE i WHEN 5 THEN 3 ELSE 1 END AS result, CASE WHEN withdrawn THEN 0 ELSE {PERSONS} END AS members
FROM rows JOIN place p USING (k)
"""
_LOG = """
INSERT INTO core.kasus (province, night, delivery_id, part, row_no, case_id, versi, rank_versi, produced_at,
                        content_hash, status, verdict, id_subsls, r109_no_bangunan, r110_no_keluarga, placed_code,
                        enumerated_on, result, ppl, members, persons)
SELECT :province, :night, :delivery_id, part, row_no, case_id, versi, versi, :produced_at,
       decode(content_hash, 'hex'), status, verdict, id_subsls, r109_no_bangunan, r110_no_keluarga, id_subsls,
       enumerated_on, result, NULL, members, members
FROM brought JOIN hashed USING (part, row_no)
"""
_DELIVERY = """
INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, produced_at,
                             manifest_sha256, supersedes, versions, registered_at, instrument_version)
VALUES (:province, :delivery_id, :night, :night, 1, 'bench', 'accepted', :produced_at, :sha256, '[]', '{}', now(), '1')
"""
_COUNTS = f"""
INSERT INTO ledger.delivery_count (province, delivery_id, delivered_on, dataset, received, loaded, quarantined,
                                   withdrawn)
SELECT :province, :delivery_id, :night, :dataset, sum({{rows}}),
       coalesce(sum({{rows}}) FILTER (WHERE status = 'loaded'), 0),
       coalesce(sum({{rows}}) FILTER (WHERE status = 'quarantined'), 0),
       coalesce(sum({{rows}}) FILTER (WHERE status = 'withdrawn'), 0)
FROM core.kasus WHERE {_OWN}
"""
_MEMBERS = f"CROSS JOIN generate_series(1, {PERSONS}) m WHERE {_OWN}"
_KEY = "province, night, delivery_id, part, row_no"
_MEMBER = f"province, night, delivery_id, part, row_no * {PERSONS} + m"
_ANSWERS = (
    f"INSERT INTO core.keluarga ({_KEY}) SELECT {_KEY} FROM core.kasus WHERE {_OWN} AND status = 'loaded'",
    f"INSERT INTO core.anggota ({_KEY}, keluarga_row) SELECT {_MEMBER}, row_no FROM core.kasus {_MEMBERS} "
    "AND status = 'loaded'",
    f"INSERT INTO restricted.quarantined ({_KEY}, dataset, case_id, payload) "
    f"SELECT {_KEY}, 'keluarga', case_id, '{{}}' FROM core.kasus WHERE {_OWN} AND status = 'quarantined'",
    f"INSERT INTO restricted.quarantined ({_KEY}, dataset, case_id, payload) "
    f"SELECT {_MEMBER}, 'anggota', case_id, '{{}}' FROM core.kasus {_MEMBERS} AND status = 'quarantined'",
)
