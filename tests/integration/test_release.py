"""A release from delivered files to the pointer: audited, repeatable, never backwards, never half."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from delivered import DESA, PROVINCE, SUBSLS, Row, anggota_row, csv_gz, keluarga_row
from sqlalchemy import Engine, text

from regsosek.errors import AuditError
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION, RawRegion, place_regions
from regsosek.landing.object_store import ObjectStore
from regsosek.night.house import House, open_house
from regsosek.night.receiving import receive_province
from regsosek.quality.rules import load_suites
from regsosek.release import publish as publishing
from regsosek.release.publish import POINTER, Published, publish
from regsosek.settings import Settings
from regsosek.warehouse import ledger
from regsosek.warehouse.migration import migrate
from regsosek.warehouse.reference import load_frame, load_regions, load_targets, note_version

NIGHTS = [date(2022, 10, 21), date(2022, 10, 22), date(2022, 10, 23)]
OTHER_SUBSLS = DESA + "000200"
SUITES = load_suites(Settings.model_fields["expectations_dir"].default)


def family(document: str, building: int, **changes: str) -> tuple[Row, list[Row]]:
    """A family of two under its own key."""
    key = {"id_dokumen": document, "r109_no_bangunan": f"{building:03d}"}
    members = {name: value for name, value in changes.items() if name in ("versi", "id_dokumen")}
    return keluarga_row(**key, **changes), [anggota_row(n, **key, **members) for n in (1, 2)]


def deliver(house: House, night: date, number: int, families: list[tuple[Row, list[Row]]], *supersedes: str) -> str:
    """Puts a delivery into the landing bucket, its manifest last."""
    delivery_id = f"01GFX{number:021d}"
    prefix = f"landing/prov={PROVINCE}/tanggal={night}/{delivery_id}/"
    rows = {"keluarga": [f for f, _ in families], "anggota": [m for _, members in families for m in members]}
    files = []
    for dataset, listed in rows.items():
        content, name = csv_gz(dataset, listed), f"{dataset}-00001.csv.gz"
        house.store.put_bytes(house.settings.landing_bucket, prefix + name, content)
        described = {"name": name, "dataset": dataset, "part": 1, "format": "csv.gz", "rows": len(listed)}
        files.append(described | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    manifest = {
        "contract_version": "1", "instrument": "REGSOSEK22.K", "instrument_version": "1", "province": PROVINCE,
        "delivery_id": delivery_id, "produced_at": f"{night}T20:{number:02d}:00+08:00", "producer": "test",
        "enumerated_from": "2022-10-20", "enumerated_to": str(night), "files": files,
        "totals": {dataset: len(listed) for dataset, listed in rows.items()}, "supersedes": list(supersedes),
    }  # fmt: skip
    house.store.put_bytes(house.settings.landing_bucket, prefix + "manifest.json", json.dumps(manifest).encode())
    return delivery_id


def load_reference(house: House) -> None:
    """All provinces; below East Kalimantan one chain down to a desa with two sub-SLS."""
    rows = [RawRegion("provinsi", each.code, NATION, each.name) for each in provinces()]
    rows += [
        RawRegion("kabkota", "6403", "64", "BERAU"), RawRegion("kecamatan", "6403010", "6403", "KELAY"),
        RawRegion("desa", DESA, "6403010", "SATU"),
    ]  # fmt: skip
    master = place_regions(rows, {each.code: int(each.code == PROVINCE) for each in provinces()})
    frame = [
        (PROVINCE, code, "2022-01-01", "", DESA, "RT", 1, 60, "BPS", "frame-1") for code in (SUBSLS, OTHER_SUBSLS)
    ]
    columns = ["province", "id_subsls", "valid_from", "valid_to", "id_desa", "name", "kind", "families_load"]
    targets = [
        {"province": each.code, "families": 100, "source": each.target_source, "scale": "0.5", "version": "t-1"}
        for each in provinces()
    ]
    with house.scratch("reference") as scratch, house.engine.begin() as connection:
        load_regions(connection, master, scratch)
        load_frame(connection, frame, [*columns, "code_system", "version"], scratch)
        load_targets(connection, targets)
        note_version(
            connection, dataset="sls", version="frame-1", manifest_sha256="0" * 64, scale="0.5", note="", report={}
        )


def process(house: House, night: date) -> None:
    """Receives the province with data, and lets the others have delivered nothing."""
    receive_province(house, PROVINCE, night, SUITES)
    with house.engine.begin() as connection:
        for each in provinces():
            ledger.note_refreshed(connection, each.code, night)


FAMILIES = [family(f"D{n}", n) for n in range(1, 9)]


@pytest.fixture(scope="module")
def house(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})
    with open_house(settings) as opened:
        migrate(opened.engine)
        load_reference(opened)
        deliver(opened, NIGHTS[0], 1, FAMILIES[:4])
        process(opened, NIGHTS[0])
        changed = [
            family("D1", 1, versi="2", r205_hasil="4"),  # completion falls
            family("D2", 2, versi="2", status_dokumen="9"),  # withdrawn
            family("D3", 3, versi="2", id_subsls=OTHER_SUBSLS),  # code and digits differ: quarantined, pending
            family("D5", 5), family("D6", 6), family("D9", 6),  # two documents claim one key
            family("D7", 7, r104_desa="999"),  # placed no lower than its kecamatan
        ]  # fmt: skip
        deliver(opened, NIGHTS[1], 2, changed)
        process(opened, NIGHTS[1])
        yield opened


def release(house: House, night: date, store: Any = None) -> Published:
    return publish(house.engine, store or house.store, house.settings, night)


def pointer(house: House) -> dict[str, Any] | None:
    found = house.store.get_bytes(house.settings.release_bucket, POINTER, max_bytes=10_000)
    return None if found is None else json.loads(found)


def table(house: House, published: Published, name: str) -> str:
    content = house.store.get_bytes(house.settings.release_bucket, published.prefix + name, max_bytes=10**7)
    assert content is not None
    return content.decode()


def test_a_night_is_published_audited_and_said_what_it_restated(house: House) -> None:
    first = release(house, NIGHTS[0])
    second = release(house, NIGHTS[1])
    print(table(house, first, "nasional.csv"), table(house, second, "nasional.csv"), table(house, second, "revisi.csv"))
    print(table(house, second, "kecamatan.csv"), table(house, second, "desa.csv"))
    print(table(house, second, "manifest.json"))
    assert pointer(house)["release_id"] == second.release_id
