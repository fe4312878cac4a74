"""Clean messages of the streams, to be changed one value at a time; deliveries and a delivery's path made of them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from ulid import ULID

from regsosek.contract.instruments import first_version, instrument_of
from regsosek.geography.calendar import PossibleDays, field_windows
from regsosek.geography.provinces import clock_offset
from regsosek.staging.reading.files import read_part
from regsosek.staging.stream_parts import stage_stream
from support.deliveries.families import DELIVERED_ON, PROVINCE, SUBSLS, WRITERS, Row, delivered_file
from support.worlds.field_world import FieldWorld

PRODUCED = datetime.fromisoformat("2022-10-21T12:00:00+00:00")
# Where the tags lie: a position that no other column of a test holds, to be looked for everywhere.
LATITUDE, LONGITUDE = "-1.2654321", "116.8312345"
PHOTO = "foto/64/secret-house-0001.jpg"


def report(**changes: str) -> Row:
    """A clean daily report of an officer: four families and thirteen members."""
    row = {
        "id_subsls": SUBSLS, "tanggal": "2022-10-20", "kode_petugas": "0007", "jumlah_kk_verifikasi": "12",
        "jumlah_kk_cacah": "4", "jumlah_art": "13", "jumlah_asn": "1", "dikirim_pada": "2022-10-20T18:00:00+08:00",
    }  # fmt: skip
    return row | changes


def tag(id_tag: str = "TAG-1", **changes: str) -> Row:
    """A clean tag of the house of a poor family, with its photo."""
    row = {
        "id_tag": id_tag, "versi": "1", "status_dokumen": "1", "id_subsls": SUBSLS, "r109_no_bangunan": "1",
        "r110_no_keluarga": "1", "ditandai_pada": "2022-10-20T09:10:00+08:00", "kode_petugas": "0007", "kelas_vk": "2",
        "ada_foto": "1", "lintang": LATITUDE, "bujur": LONGITUDE, "akurasi_m": "8.5", "kunci_foto": PHOTO,
    }  # fmt: skip
    return row | changes


def recap(**changes: str) -> Row:
    """A clean line of the recap: an unchanged SLS of sixty families."""
    row = {
        "id_subsls": SUBSLS, "id_subsls_baru": "", "nama_sls_baru": "", "status": "", "flag_tidak_ditemukan": "0",
        "jumlah_keluarga_verifikasi": "60", "nonrespon": "2", "sangat_miskin": "5", "miskin": "10",
        "tidak_miskin": "45", "dientri_pada": "2022-10-20T15:00:00+08:00",
    }  # fmt: skip
    return row | changes


CLEAN = {"progres": report, "geotag": tag, "rekap_vk": recap}


def deliver_stream(
    world: FieldWorld,
    day: date,
    dataset: str,
    messages: Sequence[Row] | Sequence[list[Row]],
    *,
    produced_at: datetime,
    province: str = PROVINCE,
    supersedes: Iterable[str] = (),
    spoil: Mapping[str, Any] | None = None,
    format_: str = "csv.gz",
    body: bytes | None = None,
) -> str:
    """Puts a delivery of one stream into landing: one part, or several if ``messages`` is a list of lists.

    Args:
        spoil: what the manifest says otherwise.
        body: the bytes of the (one) file, if it is not made of the messages.
    """
    parts = messages if messages and isinstance(messages[0], list) else [messages]
    delivery_id = str(ULID.from_datetime(produced_at))
    folder = f"landing/prov={province}/tanggal={day}/{delivery_id}/"
    bucket, files = world.resources.settings.landing_bucket, []
    for number, rows in enumerate(parts, start=1):
        content = WRITERS[format_](dataset, rows) if body is None else body
        name = f"{dataset}-{number:05d}.{format_}"
        world.resources.store.put_bytes(bucket, folder + name, content)
        files.append(
            {"name": name, "dataset": dataset, "part": number, "format": format_, "rows": len(rows),
             "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        )  # fmt: skip
    manifest = {
        "contract_version": "1", "instrument": instrument_of(dataset), "instrument_version": "1", "province": province,
        "delivery_id": delivery_id, "produced_at": produced_at.isoformat(), "producer": "test",
        "enumerated_from": "2022-10-15", "enumerated_to": str(day), "files": files,
        "totals": {dataset: sum(len(rows) for rows in parts)}, "supersedes": list(supersedes),
    }  # fmt: skip
    world.resources.store.put_bytes(bucket, folder + "manifest.json", json.dumps(manifest | dict(spoil or {})).encode())
    return delivery_id


def stage_messages(connection: duckdb.DuckDBPyConnection, directory: Path, dataset: str, messages: list[Row]) -> None:
    """Reads and stages messages as the one part of a delivery of the province and day of ``delivered``."""
    version = first_version(instrument_of(dataset))
    read_part(connection, *delivered_file(dataset, messages, directory), version=version)
    stage_stream(
        connection,
        dataset,
        province=PROVINCE,
        on=DELIVERED_ON,
        version=version,
        days=PossibleDays.of(field_windows()[PROVINCE], latest=DELIVERED_ON),
        produced_at=PRODUCED,
        offset=clock_offset(PROVINCE, PRODUCED),
    )
