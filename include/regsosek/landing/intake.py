"""Brings one delivery in: its manifest, then every file it names, verified before anything is used."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from regsosek.contract.manifest import (
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    SIGNATURE_NAME,
    DeliveredFile,
    Manifest,
    parse_manifest,
)
from regsosek.errors import ContractBreachError, ObjectStoreError
from regsosek.landing.discovery import DeliveryFolder
from regsosek.landing.producer_keys import require_signature
from regsosek.landing.store import Downloaded, Store, StoredObject, StoreReader
from regsosek.minisign import MAX_SIGNATURE_BYTES, PublicKey

DOWNLOADS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file of a delivery as the manifest describes it, and the verified local copy."""

    delivered: DeliveredFile
    path: Path


@dataclass(frozen=True, slots=True)
class DeliveredManifest:
    """A manifest that may be believed, its bytes as delivered, and those of its signature where one was demanded."""

    manifest: Manifest
    document: bytes
    signature: bytes | None = None


def read_manifest(
    store: Store, bucket: str, folder: DeliveryFolder, *, trusted: Sequence[PublicKey] | None = None
) -> DeliveredManifest:
    """The manifest of a delivery.

    Args:
        trusted: one of these keys must have signed it; ``None`` if it need not be signed.

    Raises:
        ContractBreachError: it is gone, too large, not signed as it must be, not JSON, invalid, or speaks of another
            province or delivery.
    """
    document = _read_listed(store, bucket, folder, MANIFEST_NAME, MAX_MANIFEST_BYTES + 1)
    if document is None:
        raise ContractBreachError("manifest_unreadable", f"{MANIFEST_NAME} was taken away after it was listed")
    signature = None
    if trusted is not None:
        signature = _read_listed(store, bucket, folder, SIGNATURE_NAME, MAX_SIGNATURE_BYTES)
        require_signature(document, signature, trusted)
    manifest = parse_manifest(document, province=folder.province, delivery_id=folder.delivery_id)
    return DeliveredManifest(manifest, document, signature)


def _read_listed(store: Store, bucket: str, folder: DeliveryFolder, name: str, max_bytes: int) -> bytes | None:
    key = folder.prefix + name
    listed = _listed(store, bucket, folder, {key}).get(key)
    return store.get_bytes(bucket, key, max_bytes=max_bytes, listed=listed)


def fetch(
    store: Store, bucket: str, folder: DeliveryFolder, manifest: Manifest, directory: Path
) -> tuple[FetchedFile, ...]:
    """Downloads and verifies every file of a delivery into ``directory/<delivery_id>/``, all or nothing.

    The folder appears in one rename once every file is verified, and replaces what an earlier attempt left there.

    Returns:
        the files in the order of the manifest.

    Raises:
        ContractBreachError: ``file_size`` before anything is fetched, else ``file_missing``, ``file_size`` or
            ``file_altered``; of the first file in the order of the manifest that breaks the contract.
        ObjectStoreError: the store gave up; the delivery is not to blame.
    """
    target = directory / manifest.delivery_id
    with TemporaryDirectory(dir=directory, prefix=".fetch-") as aside:
        arriving = Path(aside, manifest.delivery_id)
        arriving.mkdir(mode=0o700)
        listed = _listed(store, bucket, folder, {folder.prefix + file.name for file in manifest.files})
        for file in manifest.files:
            _refuse_other_size(store, bucket, file, listed.get(folder.prefix + file.name))
        _fetch_all(partial(fetch_file, store, bucket, folder, arriving, listed=listed), manifest.files)
        if target.exists():
            shutil.rmtree(target)
        arriving.rename(target)
    return tuple(FetchedFile(file, target / file.name) for file in manifest.files)


def _refuse_other_size(store: StoreReader, bucket: str, file: DeliveredFile, listed: StoredObject | None) -> None:
    """Refuses a file that is not as long as its manifest says, if listing and object agree about that."""
    if listed is None or listed.size == file.bytes or (size := store.size(bucket, listed.key)) is None:
        return
    if size != listed.size:
        raise ObjectStoreError(
            f"{bucket}/{listed.key} is listed with {listed.size} bytes and has {size} (look after the store)"
        )
    _verify_size(file, size)


def _fetch_all(fetch_one: Callable[[DeliveredFile], None], files: Iterable[DeliveredFile]) -> None:
    pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="fetch")
    try:
        # map answers in the order given: the same broken delivery always names the same file
        for _ in pool.map(lambda each: each[0].run(fetch_one, each[1]), [(copy_context(), file) for file in files]):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _listed(store: StoreReader, bucket: str, folder: DeliveryFolder, keys: Set[str]) -> dict[str, StoredObject]:
    """What the listing of the folder says of ``keys`` now; what is not listed is read all the same."""
    return {each.key: each for each in store.list_objects(bucket, folder.prefix) if each.key in keys}


def fetch_file(
    store: StoreReader,
    bucket: str,
    folder: DeliveryFolder,
    directory: Path,
    file: DeliveredFile,
    *,
    listed: Mapping[str, StoredObject] = MappingProxyType({}),
) -> None:
    """Downloads and verifies one file of a delivery into ``directory``; ``listed``: what its listing said, by key.

    Raises:
        ContractBreachError: ``file_missing``, ``file_size`` or ``file_altered``.
    """
    key, path = folder.prefix + file.name, directory / file.name
    _verify(file, store.download(bucket, key, path, expected_bytes=file.bytes, listed=listed.get(key)))


def _verify(file: DeliveredFile, downloaded: Downloaded | None) -> None:
    if downloaded is None:
        raise ContractBreachError("file_missing", f"{file.name} is not in the folder of the delivery")
    _verify_size(file, downloaded.size)
    if downloaded.sha256 != file.sha256:
        raise ContractBreachError(
            "file_altered", f"{file.name} has sha256 {downloaded.sha256}, the manifest says {file.sha256}"
        )


def _verify_size(file: DeliveredFile, size: int) -> None:
    if size > file.bytes:  # of what was downloaded one byte more is known, not how many
        raise ContractBreachError("file_size", f"{file.name} has more than the {file.bytes} bytes of the manifest")
    if size < file.bytes:
        raise ContractBreachError("file_size", f"{file.name} has {size} bytes, the manifest {file.bytes}")
