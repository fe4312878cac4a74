"""Which deliveries belong to a night: decided once per province, by the first discovery that completes."""

import logging
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import Connection

from regsosek.contract.codebook import codebook_document, codebook_version
from regsosek.errors import ReferenceDataError, SealedNightError, TooManyDeliveriesError
from regsosek.geography.calendar import NIGHT_ZONE, calendar_document
from regsosek.landing.archive import (
    Receipt,
    Reopening,
    Seal,
    archive_bytes,
    archived_seals,
    canonical_json,
    list_receipts,
    read_seal,
    write_receipt,
    write_seal,
)
from regsosek.landing.discovery import Discovery, discover
from regsosek.night.discovery.applicable_rules import named_versions
from regsosek.night.discovery.fetching import archive_manifest, archived_totals
from regsosek.night.discovery.measuring import measure_decided
from regsosek.quality.hold_limits import Limits, hold_limits
from regsosek.quality.rules import Suite
from regsosek.resources import Resources
from regsosek.settings import variable
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome
from regsosek.warehouse.nights.ledger import ID_REUSED, Delivery
from regsosek.warehouse.nights.lost_nights import ArchivedSeals, lost_nights, note_archived, told_lost
from regsosek.warehouse.reference import loaded_versions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SealedNight:
    """What belongs to a night of a province when its reception begins.

    Attributes:
        deliveries: as the ledger has them, in their order; those of earlier nights that were decided for it among them.
        receipts: by folder, those that were written or restored just now.
        refused: what became of the folders among them whose id was used before.
    """

    deliveries: tuple[Delivery, ...]
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    refused: tuple[DeliveryOutcome, ...] = ()


def seal_night(resources: Resources, province: str, night: date, suites: Mapping[str, Suite]) -> SealedNight:
    """The deliveries of ``province`` that belong to ``night``, discovered now if nobody did before.

    Night D takes every folder up to D that the ledger does not know yet. Reruns work on the sealed list; what arrives
    later belongs to the next night, unless an operator reopens D. A warehouse that lost a sealed night, or was stopped
    between the archive's seal and its own, takes the list from the archive. :func:`require_nights_before` comes first.
    """
    with resources.loader.begin() as connection:
        sealed = ledger.sealed(connection, province, night)
        known = SealedNight(tuple(ledger.deliveries_of(connection, province, night)))
    seal = read_seal(resources.store, resources.settings.archive_bucket, province=province, night=night)
    listed = {entry.delivery_id for entry in known.deliveries if entry.night == night}
    if seal is not None and not (sealed and listed.issuperset(seal.delivery_ids)):
        return _restore(resources, seal)
    return known if sealed else _discover(resources, province, night, suites)


def reopen_night(resources: Resources, province: str, night: date, suites: Mapping[str, Suite], reason: str) -> None:
    """Adds to a sealed night what has arrived since; waits for a run of the province that is under way.

    The night counts as unfinished until it is received again.
    """
    with province_lock(resources.loader, province) as held:
        resources = resources.under(held)
        require_all_nights(resources, province)
        sealed = seal_night(resources, province, night, suites)
        _discover_late(resources, province, night, suites, sealed, reason)


def require_nights_before(resources: Resources, province: str, night: date) -> None:
    """Lets ``night`` be received only on top of all that came before it.

    What a night brings depends on the nights before. A night that is discovered only now would, besides, take the
    deliveries of any lost night for its own news.

    Raises:
        SealedNightError: the archive has sealed nights that the warehouse lacks; names them and the replay.
    """
    archived, lost = _lost(resources, province)
    concerned = [each for each in lost if each < night] if (province, night) in archived else lost
    if concerned:
        raise SealedNightError(f"{told_lost(province, concerned)} before night {night}")


def require_all_nights(resources: Resources, province: str) -> None:
    """Lets something new be decided only in a warehouse that has all sealed nights; raises as above."""
    if lost := _lost(resources, province)[1]:
        raise SealedNightError(told_lost(province, lost))


def _lost(resources: Resources, province: str) -> tuple[ArchivedSeals, list[date]]:
    """The seals of the archive, noted in the warehouse, and the nights that it lacks."""
    archived = archived_seals(resources.store, resources.settings.archive_bucket, province)
    with resources.loader.begin() as connection:
        note_archived(connection, archived, province)
        return archived, lost_nights(connection, province).get(province, [])


@dataclass(frozen=True)
class _Arrivals:
    """What discovery found in landing for a night of a province, and the versions that new receipts name."""

    province: str
    night: date
    found: Discovery
    versions: Mapping[str, str]
    at: datetime

    @property
    def misdated(self) -> int:
        """Delivery folders of a day that no clock has reached."""
        return len(self.found.misdated(self.at.astimezone(NIGHT_ZONE).date()))

    def log(self) -> None:
        """Logs what in landing belongs to no delivery."""
        if self.found.stray_count:
            log.warning(
                "province %s: keys in the landing area that belong to no delivery: %d",
                self.province, self.found.stray_count,
            )  # fmt: skip
        if self.misdated:
            log.warning(
                "province %s: delivery folders of a day that no clock has reached: %d", self.province, self.misdated
            )
        if self.found.debris:
            log.info(
                "province %s: %d files that tools left in the landing area are passed over",
                self.province, self.found.debris,
            )  # fmt: skip


def _arrivals(resources: Resources, province: str, night: date, suites: Mapping[str, Suite]) -> _Arrivals:
    found = discover(resources.store, resources.settings.landing_bucket, province, night)
    return _Arrivals(province, night, found, archive_versions(resources, suites), datetime.now(UTC))


def _discover(resources: Resources, province: str, night: date, suites: Mapping[str, Suite]) -> SealedNight:
    """Discovers and seals ``night``."""
    arrivals = _arrivals(resources, province, night, suites)
    with resources.loader.begin() as connection:
        new = _register(resources, connection, arrivals, position=0)
        _seal(resources, connection, arrivals, new, reopenings=())
    return _discovered(arrivals, new)


def _discover_late(
    resources: Resources, province: str, night: date, suites: Mapping[str, Suite], sealed: SealedNight, reason: str
) -> None:
    """Adds to a sealed night what has arrived since, for ``reason``."""
    arrivals = _arrivals(resources, province, night, suites)
    with resources.loader.begin() as connection:
        own = [entry for entry in sealed.deliveries if entry.night == night]
        new = _register(resources, connection, arrivals, position=len(own))
        ledger.note_begun(connection, province, night)
        reopenings: tuple[Reopening, ...] = ()
        if new.deliveries or not _noted_before(connection, province, night, reason):
            reopenings = (Reopening(at=arrivals.at, reason=reason, new=len(new.deliveries)),)
        _note_reopenings(connection, province, night, reopenings)
        _seal(resources, connection, arrivals, new, reopenings)
    _discovered(arrivals, new)


def _register(resources: Resources, connection: Connection, arrivals: _Arrivals, *, position: int) -> SealedNight:
    """Enters the new folders of a night into the ledger, from ``position`` in its list on."""
    province, night, versions, now = arrivals.province, arrivals.night, arrivals.versions, arrivals.at
    entries = _new_entries(connection, province, night, arrivals.found, position=position)
    _require_few(entries, province, night, resources.settings.most_deliveries)
    ledger.register(connection, entries, versions, now)
    manifests = {each.prefix: archive_manifest(resources, each) for each in entries if each.reason == ID_REUSED}
    refused = tuple(
        _refuse(resources, connection, each, manifests[each.prefix]) for each in entries if each.prefix in manifests
    )
    limits = hold_limits(province, resources.settings.hold_limits_file)
    receipts = {each.prefix: receipt(each, now, versions, limits, manifests.get(each.prefix)) for each in entries}
    return SealedNight(tuple(entries), receipts, refused)


def _seal(
    resources: Resources,
    connection: Connection,
    arrivals: _Arrivals,
    new: SealedNight,
    reopenings: tuple[Reopening, ...],
) -> None:
    """Seals the night in the archive, then in the ledger: if the archive does not take it, the ledger does not."""
    seal = Seal(
        province=arrivals.province,
        night=arrivals.night,
        sealed_at=arrivals.at,
        delivery_ids=tuple(entry.delivery_id for entry in new.deliveries),
        unfinished=tuple(folder.prefix for folder in arrivals.found.unfinished),
        strays=arrivals.found.stray_count + arrivals.misdated,
        reopened=reopenings,
    )
    _note_seal(connection, _archive_seal(resources, seal, tuple(new.receipts.values())))


def _discovered(arrivals: _Arrivals, new: SealedNight) -> SealedNight:
    """Measures and logs what was discovered, once it is sealed."""
    for outcome in new.refused:
        measure_decided(outcome)
    arrivals.log()
    return new


def _new_entries(
    connection: Connection, province: str, night: date, found: Discovery, *, position: int
) -> list[Delivery]:
    """Ledger lines for the folders nobody registered yet; a second folder of one delivery id is rejected at once."""
    known = ledger.registered_folders(connection, province)
    used = {delivery_id for delivery_id, _ in known}
    entries: list[Delivery] = []
    for folder in found.deliveries:
        if (folder.delivery_id, folder.delivered_on) in known:
            continue
        place = (province, folder.delivery_id, folder.delivered_on, night, position + len(entries), folder.prefix)
        if folder.delivery_id in used:
            entries.append(Delivery(*place, "rejected", ID_REUSED, f"folder of {folder.delivered_on}"))
        else:
            entries.append(Delivery(*place, "registered"))
        used.add(folder.delivery_id)
    return entries


def _require_few(entries: Sequence[Delivery], province: str, night: date, most: int) -> None:
    """Stops a province that would keep the nation's release waiting: each delivery takes seconds, a faulty one ten.

    Raises:
        TooManyDeliveriesError: it names how many there are, and what to do.
    """
    if len(entries) > most:
        raise TooManyDeliveriesError(
            f"province {province} has {len(entries)} new deliveries in night {night}, and {most} are taken up at most: "
            f"move aside what a producer that runs wild has put there, or raise {variable('most_deliveries')}"
        )


def _refuse(
    resources: Resources, connection: Connection, entry: Delivery, manifest_sha256: str | None
) -> DeliveryOutcome:
    """Counts a folder whose id was used before as rejected: its rows were received, though nobody reads them.

    Args:
        manifest_sha256: of its archived manifest; None if it breaks the contract, and names no rows then.
    """
    totals = {} if manifest_sha256 is None else archived_totals(resources, entry, manifest_sha256)
    rows = {
        dataset: ledger.set_counts(connection, entry, dataset, {"received": amount, "rejected": amount})
        for dataset, amount in totals.items()
    }
    return DeliveryOutcome(entry, entry.state, entry.reason, entry.detail, rows=rows)


def _noted_before(connection: Connection, province: str, night: date, reason: str) -> bool:
    """Whether the last reopening had the same reason: a killed one that is repeated brings nothing new."""
    last = ledger.last_event(connection, province, night, "reopened")
    return last is not None and last["reason"] == reason


def _note_reopenings(connection: Connection, province: str, night: date, reopenings: Sequence[Reopening]) -> None:
    for each in reopenings:
        detail = {"reason": each.reason, "new": each.new}
        ledger.note_event(connection, province, night, "reopened", detail, at=each.at)


def _note_seal(connection: Connection, seal: Seal) -> None:
    ledger.write_seal(
        connection,
        province=seal.province,
        night=seal.night,
        sealed_at=seal.sealed_at,
        unfinished=seal.unfinished,
        strays=seal.strays,
        archived_bytes=len(canonical_json(seal)),
    )


def _archive_seal(resources: Resources, seal: Seal, receipts: Sequence[Receipt]) -> Seal:
    """Writes receipts, then the seal; a night sealed before keeps its first moment, and its list and history grow."""
    bucket = resources.settings.archive_bucket
    for each in receipts:
        write_receipt(resources.store, bucket, each)
    former = read_seal(resources.store, bucket, province=seal.province, night=seal.night)
    if former is not None:
        grown = {
            "sealed_at": former.sealed_at,
            "delivery_ids": (*former.delivery_ids, *seal.delivery_ids),
            "reopened": (*former.reopened, *seal.reopened),
        }
        seal = seal.model_copy(update=grown)
    write_seal(resources.store, bucket, seal)
    return seal


def _restore(resources: Resources, seal: Seal) -> SealedNight:
    """Enters into the ledger what the archive knows of a sealed night and the ledger does not."""
    bucket = resources.settings.archive_bucket
    listed = dict(_listed(seal, list_receipts(resources.store, bucket, night=seal.night, province=seal.province)))
    refused = []
    with resources.loader.begin() as connection:
        for position, each in listed.items():
            entry = _entry(each, position)
            ledger.register(connection, [entry], each.versions, each.registered_at)
            if each.reason == ID_REUSED:
                refused.append(_refuse(resources, connection, entry, each.manifest_sha256))
        _note_seal(connection, seal)
        noted = ledger.count_events(connection, seal.province, seal.night, "reopened")
        _note_reopenings(connection, seal.province, seal.night, seal.reopened[noted:])
        deliveries = ledger.deliveries_of(connection, seal.province, seal.night)
    return SealedNight(tuple(deliveries), {each.folder: each for each in listed.values()}, tuple(refused))


def _listed(seal: Seal, receipts: Sequence[Receipt]) -> Iterator[tuple[int, Receipt]]:
    """The receipts that the seal lists, with their positions.

    A discovery that failed before its seal was written may have left receipts that no seal lists. An id stands in the
    list once for each of its folders, the one that had it first before those that used it again.
    """
    positions = defaultdict[str, deque[int]](deque)
    for position, delivery_id in enumerate(seal.delivery_ids):
        positions[delivery_id].append(position)
    for each in sorted(receipts, key=lambda receipt: (receipt.reason == ID_REUSED, receipt.delivered_on)):
        if positions[each.delivery_id]:
            yield positions[each.delivery_id].popleft(), each


def _entry(known: Receipt, position: int) -> Delivery:
    """The ledger's line as it was when the delivery was registered."""
    place = (known.province, known.delivery_id, known.delivered_on, known.night, position, known.folder)
    if known.reason == ID_REUSED:
        return Delivery(*place, "rejected", known.reason, known.detail)
    return Delivery(*place, "registered")


def archive_versions(resources: Resources, suites: Mapping[str, Suite]) -> dict[str, str]:
    """Archives what the night is judged by and names it: suites, codebook, calendar, frame; name to SHA-256.

    Raises:
        ReferenceDataError: no frame is loaded.
    """
    bucket = resources.settings.archive_bucket
    archive_bytes(resources.store, bucket, codebook_document())
    calendar = archive_bytes(resources.store, bucket, calendar_document(resources.settings.calendar_file))
    for suite in suites.values():
        archive_bytes(resources.store, bucket, suite.document)
    with resources.loader.begin() as connection:
        reference = loaded_versions(connection)
    if "sls" not in reference:
        raise ReferenceDataError("no sub-SLS frame is loaded; run `regsosek reference` (DAG regsosek_reference) first")
    return {"codebook": codebook_version(), "calendar": calendar, **named_versions(suites), **reference}


def receipt(
    entry: Delivery,
    registered_at: datetime,
    versions: Mapping[str, str],
    limits: Limits,
    manifest_sha256: str | None,
) -> Receipt:
    """What a replay needs to know of a registered delivery."""
    return Receipt(
        province=entry.province,
        night=entry.night,
        delivery_id=entry.delivery_id,
        folder=entry.prefix,
        delivered_on=entry.delivered_on,
        manifest_sha256=manifest_sha256,
        registered_at=registered_at,
        versions=dict(versions),
        hold_limits=dict(limits),
        files_archived=False,
        outcome="rejected" if entry.state == "rejected" else None,
        reason=entry.reason,
        detail=entry.detail,
    )
