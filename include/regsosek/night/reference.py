"""Loading reference data: the packaged region master, and the newest whole version of each reference dataset."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from regsosek.errors import ReferenceDataError
from regsosek.geography.frame import (
    DATASETS,
    OPTIONAL_DATASETS,
    ReferenceDataset,
    ReferenceFile,
    ReferenceManifest,
    file_key,
    manifest_key,
    parse_reference_manifest,
    read_reference_rows,
)
from regsosek.geography.frame_check import CheckedRows, Row, check_reference_rows
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import region_master
from regsosek.landing.archive import archive_bytes, archive_file
from regsosek.landing.store import StoreReader
from regsosek.resources import Resources
from regsosek.statistics.counts.totals import following_frame
from regsosek.statistics.progress import refresh_missing
from regsosek.warehouse.migration import ensure_current
from regsosek.warehouse.reference import (
    forget_version,
    load_frame,
    load_officers,
    load_psls,
    load_regions,
    load_targets,
    loaded_versions,
    note_version,
    version_reports,
)
from regsosek.wording.nouns import counted

log = logging.getLogger(__name__)

MAX_MANIFEST_BYTES = 1 << 20
_ABSENT = "no whole version lies under reference/{}/ of the landing bucket; see docs/reference-files.md"


@dataclass(frozen=True)
class LoadedReference:
    """One dataset as loaded: its version, its rows, and what was left out or doubtful (kind of fault to rows)."""

    dataset: str
    version: str
    rows: int
    faults: dict[str, int]
    missing_provinces: list[str]


def load_reference(resources: Resources) -> list[LoadedReference]:
    """Brings the schema up to date and loads regions, frame, its changes, officers and targets in one transaction.

    Raises:
        ReferenceDataError: a dataset has no version that is whole; what was loaded before stays.
    """
    ensure_current(resources.account("owner"), resources.settings.hash_keys)
    for province in provinces():
        with resources.loader.begin() as connection:
            refresh_missing(connection, province.code)
    with resources.scratch("reference") as scratch:
        landing = resources.store, resources.settings.landing_bucket
        newest = {dataset: newest_whole(*landing, dataset, scratch) for dataset in DATASETS}
        chosen = {dataset: found for dataset, found in newest.items() if found is not None}
        with resources.loader.begin() as connection:
            if loaded_versions(connection) != {d: hashlib.sha256(each[1]).hexdigest() for d, each in chosen.items()}:
                with following_frame(connection):
                    load_regions(connection, region_master(), scratch)
                    for dataset in set(DATASETS) - set(chosen):
                        _LOADERS[dataset](connection, (), "", scratch)
                        forget_version(connection, dataset)
                    for dataset, found in chosen.items():
                        _load(resources, connection, dataset, *found, scratch)
            return [LoadedReference(**each) for each in version_reports(connection)]


def newest_whole(
    store: StoreReader, bucket: str, dataset: ReferenceDataset, scratch: Path
) -> tuple[ReferenceManifest, bytes, Path] | None:
    """The newest version whose files all verify; a broken one is passed over and named. None if there need be none."""
    folders = store.list_level(bucket, f"reference/{dataset}/")
    versions = sorted((folder.rstrip("/").rsplit("/", 1)[-1] for folder in folders), reverse=True)
    if not versions and dataset in OPTIONAL_DATASETS:
        return None
    for version in versions:
        try:
            return _fetch(store, bucket, dataset, version, scratch)
        except ReferenceDataError as fault:
            log.warning("reference %s %s is not used: %s", dataset, version, fault)
    raise ReferenceDataError(_ABSENT.format(dataset))


def _fetch(
    store: StoreReader, bucket: str, dataset: ReferenceDataset, version: str, scratch: Path
) -> tuple[ReferenceManifest, bytes, Path]:
    key = manifest_key(dataset, version)
    document = store.get_bytes(bucket, key, max_bytes=MAX_MANIFEST_BYTES)
    if document is None:
        raise ReferenceDataError(f"{key} is missing: the version is not complete yet")
    manifest = parse_reference_manifest(document, dataset=dataset, version=version)
    directory = scratch / dataset / version
    directory.mkdir(parents=True)
    for file in manifest.files:
        _fetch_file(store, bucket, file_key(dataset, version, file.province), file, directory / file.name)
    return manifest, document, directory


def _fetch_file(store: StoreReader, bucket: str, key: str, file: ReferenceFile, path: Path) -> None:
    found = store.download(bucket, key, path, expected_bytes=file.bytes)
    if found is None:
        raise ReferenceDataError(f"{key} is missing; send the whole version again")
    if (found.size, found.sha256) != (file.bytes, file.sha256):
        raise ReferenceDataError(f"{key} is not the file that its manifest describes; send the whole version again")


def _load(
    resources: Resources,
    connection: Connection,
    dataset: ReferenceDataset,
    manifest: ReferenceManifest,
    document: bytes,
    directory: Path,
    scratch: Path,
) -> None:
    checked = [(file.province, checked_rows(manifest, file, directory)) for file in manifest.files]
    _LOADERS[dataset](connection, checked, manifest.version, scratch)
    for file in manifest.files:
        archive_file(resources.store, resources.settings.archive_bucket, directory / file.name)
    faults: dict[str, int] = {}
    for _, rows in checked:
        for fault in rows.faults:
            faults[f"{fault.kind}:{fault.column}"] = faults.get(f"{fault.kind}:{fault.column}", 0) + len(fault.rows)
    note_version(
        connection,
        dataset=dataset,
        version=manifest.version,
        manifest_sha256=archive_bytes(resources.store, resources.settings.archive_bucket, document),
        scale=manifest.scale,
        note=manifest.note,
        report={
            "rows": sum(len(rows.rows) for _, rows in checked),
            "faults": faults,
            "missing_provinces": list(manifest.missing_provinces),
        },
    )


def checked_rows(manifest: ReferenceManifest, file: ReferenceFile, directory: Path) -> CheckedRows:
    """The rows of one province's fetched file that can be used, and the faults of the others.

    Raises:
        ReferenceDataError: the file cannot be read, or is not what its manifest says.
    """
    with (directory / file.name).open("rb") as content:
        rows: Sequence[Row] = list(read_reference_rows(manifest.dataset, content, province=file.province))
    if len(rows) != file.rows:
        held = counted(len(rows), "row", "rows")
        raise ReferenceDataError(f"{manifest.dataset} {file.name} has {held}, its manifest says {file.rows}")
    return check_reference_rows(
        manifest.dataset, rows, province=file.province, scale=manifest.scale, regions=region_master()
    )


Checked = Sequence[tuple[str, CheckedRows]]

_SLS_COLUMNS = [
    "province", "id_subsls", "valid_from", "valid_to", "id_desa", "name", "kind", "families_load", "code_system",
    "version",
]  # fmt: skip
_PSLS_COLUMNS = ["province", "id_subsls_lama", "id_subsls_baru", "status", "valid_from", "version"]
_OFFICER_COLUMNS = [
    "province", "id_kabkota", "role", "code", "valid_from", "valid_to", "supervisor_code", "version",
]  # fmt: skip


def _load_sls(connection: Connection, checked: Checked, version: str, scratch: Path) -> None:
    rows: Iterator[Sequence[Any]] = (
        (province, row["id_subsls"], row["valid_from"], row["valid_to"], row["id_desa"], row["nama_sls"], row["jenis"],
         row["families_load"], row["code_system"], version)
        for province, each in checked
        for row in each.rows
    )  # fmt: skip
    load_frame(connection, rows, _SLS_COLUMNS, scratch)


def _load_psls(connection: Connection, checked: Checked, version: str, scratch: Path) -> None:
    rows: Iterator[Sequence[Any]] = (
        (province, row["id_subsls_lama"], row["id_subsls_baru"], row["status"], row["valid_from"], version)
        for province, each in checked
        for row in each.rows
    )
    load_psls(connection, rows, _PSLS_COLUMNS, scratch)


def _load_petugas(connection: Connection, checked: Checked, version: str, scratch: Path) -> None:
    rows: Iterator[Sequence[Any]] = (
        (province, row["id_kabkota"], row["peran"], row["kode_petugas"], row["valid_from"], row["valid_to"],
         row["kode_atasan"], version)
        for province, each in checked
        for row in each.rows
    )  # fmt: skip
    load_officers(connection, rows, _OFFICER_COLUMNS, scratch)


def _load_targets(connection: Connection, checked: Checked, version: str, _scratch: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"province": province, "families": int(row["target_families"]), "source": row["source"],
         "scale": row["scale"], "version": version}
        for province, each in checked
        for row in each.rows
    ]  # fmt: skip
    _require_targets({row["province"] for row in rows})
    load_targets(connection, rows)


def _require_targets(given: set[str]) -> None:
    missing = [province.code for province in provinces() if province.code not in given]
    if missing:
        raise ReferenceDataError(f"no target for provinces {', '.join(missing)}; every province needs one")


_LOADERS = {"sls": _load_sls, "psls": _load_psls, "petugas": _load_petugas, "target": _load_targets}
