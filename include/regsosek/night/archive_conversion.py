"""Delivered files that an earlier version left in the archive in clear, encrypted where they lie."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regsosek.contract.manifest import DeliveredFile, parse_manifest
from regsosek.landing.archive import Receipt, fetch_archived, list_receipts, list_seals
from regsosek.resources import Resources

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Converted:
    """How many files were looked at, and how many of them were encrypted now, with their plain bytes."""

    files: int
    encrypted: int
    encrypted_bytes: int


def encrypt_archive(resources: Resources) -> Converted:
    """Encrypts what lies in clear; may be interrupted and run again, and while nights run.

    Raises:
        ObjectStoreError: a file no longer has its hash; those before it are encrypted.
    """
    done = Converted(0, 0, 0)
    with resources.scratch("encrypt") as scratch:
        for file in _files(resources, scratch):
            is_plain = resources.archive.is_plain(file.sha256, file.bytes)
            if is_plain:
                path = resources.archive.fetch(file.sha256, scratch / file.name)
                resources.archive.keep(path)
                path.unlink()
            done = Converted(
                done.files + 1, done.encrypted + is_plain, done.encrypted_bytes + (file.bytes if is_plain else 0)
            )
    log.info("%d of %d archived files were in clear, and are encrypted now", done.encrypted, done.files)
    return done


def _files(resources: Resources, scratch: Path) -> Iterator[DeliveredFile]:
    """The files of every delivery that was archived, manifest by manifest."""
    store, bucket = resources.store, resources.settings.archive_bucket
    for night in sorted({seal.night for seal in list_seals(store, bucket)}):
        for receipt in list_receipts(store, bucket, night=night):
            if receipt.manifest_sha256 is not None and receipt.outcome is None:
                yield from _of_manifest(resources, receipt, receipt.manifest_sha256, scratch)


def _of_manifest(resources: Resources, receipt: Receipt, sha256: str, scratch: Path) -> tuple[DeliveredFile, ...]:
    path = fetch_archived(resources.store, resources.settings.archive_bucket, sha256, scratch / "manifest.json")
    return parse_manifest(path.read_bytes(), province=receipt.province, delivery_id=receipt.delivery_id).files
