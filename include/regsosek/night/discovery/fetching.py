"""A delivery's manifest and files, verified on local disk: from the archive if it has them, else from landing."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from typing import TypeVar

from regsosek.contract.limits import size_breaches
from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.contract.reasons import rests_on_a_reading
from regsosek.errors import ContractBreachError, ObjectStoreError
from regsosek.geography.calendar import FieldWindow, field_windows
from regsosek.landing.archive import (
    Decision,
    Receipt,
    archive_bytes,
    fetch_archived,
    read_receipt,
    read_retry,
    write_receipt,
)
from regsosek.landing.discovery import DeliveryFolder
from regsosek.landing.intake import DeliveredManifest, FetchedFile, fetch, read_manifest
from regsosek.landing.producer_keys import trusted_keys
from regsosek.minisign import PublicKey
from regsosek.resources import Resources
from regsosek.settings import Settings
from regsosek.warehouse.nights.ledger import Delivery

log = logging.getLogger(__name__)
T = TypeVar("T")


def receipt_of(resources: Resources, entry: Delivery) -> Receipt:
    """The receipt that registering wrote.

    Raises:
        ObjectStoreError: the archive has none.
    """
    found = read_receipt(
        resources.store,
        resources.settings.archive_bucket,
        province=entry.province,
        night=entry.night,
        delivery_id=entry.delivery_id,
    )
    if found is None:
        raise ObjectStoreError(
            f"delivery {entry.delivery_id} of province {entry.province} has no receipt of night {entry.night} in "
            f"{resources.settings.archive_bucket} (restore it from a copy of the bucket, then run the night again)"
        )
    return found


def receipt_of_retry(resources: Resources, entry: Delivery, decision: Decision) -> Receipt:
    """The receipt of a rejection taken up again: an earlier run's, or what the decision says, without a manifest."""
    bucket, number = resources.settings.archive_bucket, decision.retry
    found = read_retry(resources.store, bucket, province=entry.province, delivery_id=entry.delivery_id, retry=number)
    return found or Receipt(
        province=entry.province,
        delivery_id=entry.delivery_id,
        retry=number,
        night=entry.night,
        folder=entry.prefix,
        delivered_on=entry.delivered_on,
        manifest_sha256=None,
        registered_at=decision.at,
        versions=decision.versions,
        hold_limits=decision.hold_limits,
        files_archived=False,
    )


def fetch_manifest(resources: Resources, entry: Delivery, receipt: Receipt, scratch: Path) -> tuple[Manifest, Receipt]:
    """The manifest, and the receipt that now names its archived copy.

    Raises:
        ContractBreachError: the manifest breaks the contract.
    """
    bucket = resources.settings.archive_bucket
    if receipt.manifest_sha256 is not None:
        document = fetch_archived(
            resources.store, bucket, receipt.manifest_sha256, scratch / "manifest.json"
        ).read_bytes()
        manifest = parse_manifest(document, province=entry.province, delivery_id=entry.delivery_id)
        return manifest, receipt.model_copy(update=_instrument(manifest))
    read = _looked_at_twice(resources, entry, lambda: _read_manifest(resources, entry))
    known = receipt.model_copy(update=_archived(resources, read) | _instrument(read.manifest))
    write_receipt(resources.store, bucket, known)
    return read.manifest, known


def _archived(resources: Resources, read: DeliveredManifest) -> dict[str, str]:
    """Archives a manifest, and the signature that it was believed for."""
    documents = {"manifest_sha256": read.document, "signature_sha256": read.signature}
    bucket = resources.settings.archive_bucket
    return {name: archive_bytes(resources.store, bucket, each) for name, each in documents.items() if each is not None}


def _instrument(manifest: Manifest) -> dict[str, str]:
    return {"instrument": manifest.instrument, "instrument_version": manifest.instrument_version}


def archive_manifest(resources: Resources, entry: Delivery) -> str | None:
    """Archives the manifest of a delivery that is not received; its hash, or ``None`` if it breaks the contract."""
    try:
        read = _looked_at_twice(resources, entry, lambda: _read_manifest(resources, entry))
    except ContractBreachError:
        return None
    return archive_bytes(resources.store, resources.settings.archive_bucket, read.document)


def archived_totals(resources: Resources, entry: Delivery, manifest_sha256: str) -> dict[str, int]:
    """The rows by dataset that an archived manifest names."""
    with resources.scratch("manifest") as scratch:
        path = fetch_archived(
            resources.store, resources.settings.archive_bucket, manifest_sha256, scratch / "manifest.json"
        )
        manifest = parse_manifest(path.read_bytes(), province=entry.province, delivery_id=entry.delivery_id)
    return {str(dataset): rows for dataset, rows in manifest.totals.items()}


def _looked_at_twice(resources: Resources, entry: Delivery, look: Callable[[], T]) -> T:
    """What ``look`` finds; a breach that rests on what the store said must be found twice, a pause apart.

    Raises:
        ContractBreachError: both looks found the same.
        ObjectStoreError: they found different breaches; the delivery is not to blame.
    """
    try:
        return look()
    except ContractBreachError as breach:
        if not rests_on_a_reading(breach.reason):
            raise
        first = str(breach)
    sleep(resources.settings.second_look_seconds)
    try:
        found = look()
    except ContractBreachError as breach:
        if str(breach) == first:
            raise
        raise ObjectStoreError(
            f"delivery {entry.delivery_id} of province {entry.province}: two readings differ ({first}; then {breach}); "
            "look after the store, then run the night again"
        ) from None
    log.warning(
        "delivery %s of province %s: read again and found whole, after %s", entry.delivery_id, entry.province, first
    )
    return found


def _read_manifest(resources: Resources, entry: Delivery) -> DeliveredManifest:
    settings = resources.settings
    trusted = trusted_by(settings, entry.province, entry.night)
    read = read_manifest(resources.store, settings.landing_bucket, _folder(entry), trusted=trusted)
    check_moment(read.manifest, entry.night)
    return read


def trusted_by(settings: Settings, province: str, night: date) -> tuple[PublicKey, ...] | None:
    """The keys that a manifest of ``province`` must be signed with; ``None`` where it need not be signed."""
    return trusted_keys(settings.producer_keys_file, province, night, demanded=settings.require_signed_manifests)


def check_moment(manifest: Manifest, night: date) -> None:
    """Revisions are ordered by ``produced_at``: one of the year 2099 by a wrong clock could never be corrected again.

    Raises:
        ContractBreachError: it lies more than a day after the ``night`` of arrival.
    """
    latest = datetime.combine(night + timedelta(days=2), time(0), UTC)
    if manifest.produced_at >= latest:
        raise ContractBreachError("manifest_invalid", "produced_at lies more than a day after the night of arrival")


def sizes_beyond(manifest: Manifest, settings: Settings) -> Iterator[ContractBreachError]:
    """What the files are too large for, by what the manifest says and the deployment allows."""
    file_bytes = settings.largest_file_mib << 20
    return size_breaches(manifest, file_bytes=file_bytes, delivery_bytes=settings.largest_delivery_mib << 20)


def fetch_files(
    resources: Resources, entry: Delivery, receipt: Receipt, manifest: Manifest, scratch: Path
) -> Sequence[FetchedFile]:
    """Every file of the delivery, verified: from the archive if its own files lie there, else from landing.

    A manifest may name the hashes of any content. What another delivery brought is never handed out for them.

    Raises:
        ContractBreachError: a file is too large, missing, short or altered.
    """
    if receipt.files_archived is not False and (archived := _from_archive(resources, manifest, scratch)):
        return archived
    for breach in sizes_beyond(manifest, resources.settings):
        raise breach
    landing = resources.settings.landing_bucket
    return _looked_at_twice(
        resources, entry, lambda: fetch(resources.store, landing, _folder(entry), manifest, scratch)
    )


def archive_files(resources: Resources, receipt: Receipt, files: Iterable[FetchedFile]) -> None:
    """Archives the files of a delivery that is not refused, and notes in its receipt that they are its own."""
    if receipt.files_archived:
        return
    for file in files:
        resources.archive.keep(file.path)
    if receipt.files_archived is False:
        write_receipt(
            resources.store, resources.settings.archive_bucket, receipt.model_copy(update={"files_archived": True})
        )


def fetch_window(resources: Resources, receipt: Receipt, scratch: Path) -> FieldWindow:
    """The province's field window as the calendar had it when the delivery was registered.

    An extension that is decided later changes no verdict of a night that is replayed.
    """
    version = receipt.versions.get("calendar")
    if version is None:  # registered before calendars were archived
        return field_windows(resources.settings.calendar_file)[receipt.province]
    path = scratch / f"calendar-{version[:12]}.csv"
    if not path.exists():
        fetch_archived(resources.store, resources.settings.archive_bucket, version, path)
    return field_windows(path)[receipt.province]


def _from_archive(resources: Resources, manifest: Manifest, scratch: Path) -> list[FetchedFile]:
    """The files from the archive, or none if it lacks any of them."""
    archive = resources.archive
    if not all(archive.has(file.sha256, file.bytes) for file in manifest.files):
        return []
    return [FetchedFile(file, archive.fetch(file.sha256, scratch / file.name)) for file in manifest.files]


def _folder(entry: Delivery) -> DeliveryFolder:
    return DeliveryFolder(province=entry.province, delivered_on=entry.delivered_on, delivery_id=entry.delivery_id)
