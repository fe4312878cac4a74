"""Write, audit, publish: the release of a night built aside, audited, uploaded, and made current by one small write."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, func
from sqlalchemy.dialects.postgresql import insert

from regsosek.errors import ConfigurationError, ObjectStoreError, ReferenceDataError
from regsosek.geography.boundaries import NO_BOUNDARIES, Boundaries, boundaries
from regsosek.geography.planning import planning
from regsosek.geography.regions import NATION
from regsosek.landing.archive import archived_seals
from regsosek.landing.encrypted import EncryptedArchive
from regsosek.landing.store import Store
from regsosek.minisign import SIGNATURE_SUFFIX, Signer
from regsosek.quality.rules import load_suites
from regsosek.release.audit.audit import SecondReading, audit, read_again, require_passed
from regsosek.release.audit.conservation import conservation_faults
from regsosek.release.audit.published_rules import PublishedRules, load_rules
from regsosek.release.build import build
from regsosek.release.figures.changes import changes_since
from regsosek.release.figures.disclosure import policy
from regsosek.release.figures.figures import Figures, gather
from regsosek.release.figures.imprint import read_imprint
from regsosek.release.figures.previous_release import former_release
from regsosek.release.figures.previously_published import last_told
from regsosek.release.figures.protection import protected
from regsosek.release.lifecycle.agreement import agreed
from regsosek.release.lifecycle.manifest import MANIFEST, MAX_MANIFEST_BYTES, ReleaseFiles, document, manifest
from regsosek.release.lifecycle.pointer import FOLDER, Position, key_address, move_forward, revision_of, seen
from regsosek.release.lifecycle.signing import signer_of
from regsosek.release.lifecycle.withdrawal import require_not_withdrawn
from regsosek.release.rereading.archived_cases import Archive
from regsosek.release.site.addresses import NATION_PAGE
from regsosek.scratch import work_folder
from regsosek.settings import Settings
from regsosek.statistics.definitions.as_of import AsOf, last_refreshed
from regsosek.warehouse.locks import Held, release_lock
from regsosek.warehouse.nights.lost_nights import lost_nights, note_archived, told_lost
from regsosek.warehouse.nights.night_faults import forget_fault
from regsosek.warehouse.tables import published_release

log = logging.getLogger(__name__)

AT_A_TIME = 8  # files on their way to or from the store: most are small, and each waits for its answer

Faults = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Published:
    """A release that passed its audit and lies in the release bucket.

    Attributes:
        page: where the page for readers lies.
        current: readers see it now; False for a night older than the one they see, and for what was rolled back.
        held_back: provinces that failed conservation or the second reading, with what does not hold.
        missing: codes of the provinces that the night's picture lacks, wholly or in part.
        signed_by: id of the key that signed it; ``None`` where nobody did.
        left_out: why the maps are made of tiles although boundaries are named; ``None`` where nothing is left out.
    """

    night: date
    release_id: str
    content_hash: str
    prefix: str
    page: str
    current: bool
    held_back: Faults
    missing: tuple[str, ...]
    signed_by: str | None
    left_out: str | None = None


def publish(engine: Engine, store: Store, settings: Settings, night: date) -> Published:
    """Builds, audits and publishes the release of ``night``; doing it again with the same content changes nothing.

    A province that fails its conservation check, or whose figures the archived files contradict, stays at its last
    good figures and is named.

    Raises:
        AuditError: a check failed; nothing was written and readers go on seeing the last release.
        PointerError: what leads readers to it cannot be read, or says other than the warehouse.
    """
    with release_lock(engine) as held:
        return _publish(engine, held, store, settings, night)


def _publish(engine: Engine, held: Held, store: Store, settings: Settings, night: date) -> Published:
    rules, signer = load_rules(settings.expectations_dir), signer_of(settings)
    drawn, left_out = _boundaries(settings)
    lost = _lost(engine, store, settings.archive_bucket)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        held.watch(connection)
        agreed(connection, store, settings.release_bucket)
        with work_folder(settings.scratch, "audit") as scratch:
            files = EncryptedArchive(store, settings.archive_bucket, settings.archive_secret)
            archive = Archive(files, scratch, settings.hash_keys)
            faults, reading, figures = _gather(connection, archive, store, settings, night)
        shown = _shown(connection, store, settings, figures)
        release = ReleaseFiles(night, build(shown, drawn, settings.page_url))
        require_passed(night, audit(connection, reading, figures, rules, release.files, shown), lost)
    published = _put(held, store, settings.release_bucket, shown, release, rules, faults, signer)
    return replace(published, left_out=left_out)


def _boundaries(settings: Settings) -> tuple[Boundaries, str | None]:
    """The boundaries for the maps; if they cannot be used, none, and why: figures do not wait for a picture."""
    try:
        read = boundaries(settings.boundaries_file)
    except ReferenceDataError as error:
        log.exception("the release goes without boundaries, its maps are made of tiles")
        return NO_BOUNDARIES, f"published with maps of tiles, the boundaries cannot be used: {error}"
    if read.mended:
        log.warning("boundaries: %s", read.told)
    return read, None


def _lost(engine: Engine, store: Store, bucket: str) -> list[str]:
    """Notes what the archive has sealed, and names what of it the warehouse lacks: those provinces are not whole."""
    with engine.begin() as connection:
        note_archived(connection, archived_seals(store, bucket))
        told = [told_lost(province, nights) for province, nights in lost_nights(connection).items()]
    for each in told:
        log.error("%s", each)
    return told


def current_page(store: Store, settings: Settings) -> str | None:
    """The key of the page that readers see now, in the release bucket; ``None`` while nothing is published."""
    prefix = current_prefix(store, settings)
    return None if prefix is None else f"{prefix}{NATION_PAGE}"


def current_prefix(store: Store, settings: Settings) -> str | None:
    """Where the files of the release lie that readers see now; ``None`` while nothing is published."""
    standing = seen(store, settings.release_bucket)
    return None if standing is None else standing.prefix


def _gather(
    connection: Connection, archive: Archive, store: Store, settings: Settings, night: date
) -> tuple[Faults, SecondReading, Figures]:
    """The figures of the night, provinces at fault held back at their last good night."""
    imprint, released = read_imprint(settings.imprint_file), former_release(connection, night)
    last_good = released.as_of.nights if released else {}
    standing = last_refreshed(connection, night)
    former = AsOf(night, last_good) if last_good else standing.night_before()
    unconserved = conservation_faults(connection, standing, last_good)
    reading = read_again(connection, archive, standing.holding_back(unconserved, last_good), former)
    faults: Faults = {code: tuple(told) for code, told in sorted({**reading.faults, **unconserved}.items())}
    for code, told in faults.items():
        log.error("province %s fails its audit and is held back: %s", code, "; ".join(told))
    planned = planning(settings)
    as_of = standing.holding_back(faults, last_good)
    changes_of = partial(changes_since, connection, store, settings.release_bucket, released)
    suites = load_suites(settings.expectations_dir)
    figures = gather(connection, as_of, former, changes_of, planned, suites, imprint, tuple(faults))
    return faults, reading, figures


def _shown(connection: Connection, store: Store, settings: Settings, figures: Figures) -> Figures:
    """What readers may see of the figures: the one place between them and every file.

    Raises:
        ConfigurationError: disclosure control is off, and the families are real.
    """
    if settings.disclosure == "off":
        if not figures.about.simulated:
            raise ConfigurationError(
                "REGSOSEK_DISCLOSURE is off, and no reference file says that the data are simulated: unset it"
            )
        return figures
    return protected(figures, last_told(connection, store, settings.release_bucket, figures.night), policy())


def _put(
    held: Held,
    store: Store,
    bucket: str,
    figures: Figures,
    release: ReleaseFiles,
    rules: PublishedRules,
    faults: Faults,
    signer: Signer | None,
) -> Published:
    prefix = f"{FOLDER}{release.release_id}/"
    require_not_withdrawn(store, bucket, prefix)
    content = _standing_manifest(store, bucket, prefix) or {}
    if content.get("content_hash", release.content_hash) != release.content_hash:
        raise ObjectStoreError(f"{bucket}/{prefix} holds another release; published files are never overwritten")
    if not content:
        content = manifest(figures, release, rules.version, datetime.now(UTC), signer.public.id if signer else None)
        _upload(store, bucket, prefix, release, content, signer)
    else:
        _bring_back(store, bucket, prefix, release)
    _verify(store, bucket, prefix, release)
    _offer_key(store, bucket, signer)
    # In one fenced transaction: who loses the right before it neither moves the pointer nor notes anything.
    with held.engine.begin() as connection:
        standing = agreed(connection, store, bucket)
        rolled_back = standing is not None and release.release_id in standing.rolled_back
        revision = revision_of(connection, release.night, release.release_id, standing)
        position = Position(release.release_id, release.night, revision, release.content_hash, prefix)
        current = move_forward(store, bucket, position, standing)
        _note(connection, position, content, rolled_back=rolled_back)
    kept = "it was rolled back" if rolled_back else "readers see a newer night"
    log.info("release %s is published%s", release.release_id, "" if current else f"; {kept}")
    missing = tuple(each.code for each in figures.missing)
    page = f"s3://{bucket}/{prefix}{NATION_PAGE}"
    signed_by = content.get("signed_by")
    if signed_by is None:
        log.warning("release %s is NOT SIGNED: set REGSOSEK_RELEASE_SIGNING_KEY (docs/release.md)", release.release_id)
    found = (figures.night, release.release_id, release.content_hash, prefix, page, current, faults, missing)
    return Published(*found, signed_by=signed_by)


def _standing_manifest(store: Store, bucket: str, prefix: str) -> dict[str, Any] | None:
    """The manifest of a release that was uploaded before; it is written last, so its files are there."""
    found = store.get_bytes(bucket, prefix + MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
    return None if found is None else dict(json.loads(found))


def _upload(
    store: Store, bucket: str, prefix: str, release: ReleaseFiles, content: Mapping[str, Any], signer: Signer | None
) -> None:
    """The manifest comes last: without it nothing here is a release yet."""
    _each_file(release, lambda name, data: store.put_bytes(bucket, prefix + name, data))
    written = document(content)
    if signer is not None:
        signature = signer.sign(written, f"release {release.release_id}")
        store.put_bytes(bucket, prefix + MANIFEST + SIGNATURE_SUFFIX, signature)
    store.put_bytes(bucket, prefix + MANIFEST, written)


def _offer_key(store: Store, bucket: str, signer: Signer | None) -> None:
    """Puts the public key beside the releases, where readers find it by the id that a manifest names."""
    if signer is None:
        return
    address, content = key_address(signer.public.id), signer.public.file
    if store.get_bytes(bucket, address, max_bytes=len(content) + 1) != content:
        store.put_bytes(bucket, address, content)


def _bring_back(store: Store, bucket: str, prefix: str, release: ReleaseFiles) -> None:
    """Writes what retention took away; what is there is never written again."""

    def bring_back(name: str, data: bytes) -> None:
        if store.size(bucket, prefix + name) is None:
            store.put_bytes(bucket, prefix + name, data)

    _each_file(release, bring_back)


def _verify(store: Store, bucket: str, prefix: str, release: ReleaseFiles) -> None:
    """Reads every file back before anyone is pointed at it."""

    def require_same(name: str, data: bytes) -> None:
        read = partial(store.get_bytes, bucket, prefix + name, max_bytes=len(data) + 1)
        # A reading that came short once says nothing of what lies there.
        if read() != data and read() != data:
            raise ObjectStoreError(
                f"{bucket}/{prefix}{name} was read twice and is not what was written; if readers do not see this "
                f"release, delete {prefix} and release again, else restore the file from a copy of the bucket"
            )

    _each_file(release, require_same)


def _each_file(release: ReleaseFiles, do: Callable[[str, bytes], None]) -> None:
    """Does it with every file, some at a time; all are done, or the first fault is raised and no more are begun."""
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="release") as pool:
        found = [pool.submit(copy_context().run, do, name, data) for name, data in release.files.items()]
        try:
            for each in found:
                each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _note(connection: Connection, position: Position, content: Mapping[str, Any], *, rolled_back: bool) -> None:
    """Keeps the release in the warehouse; its manifest tells later nights where each province stood."""
    values = {
        "release_id": position.release_id,
        "night": position.night,
        "revision": position.revision,
        "content_hash": position.content_hash,
        "prefix": position.prefix,
        "manifest": dict(content),
        "built_at": datetime.fromisoformat(content["built_at"]),
        "published_at": func.now(),
        # What the pointer says; the warehouse itself may have been lost since.
        "rolled_back_at": func.now() if rolled_back else None,
    }
    again = {"published_at": func.now(), "revision": position.revision}
    connection.execute(
        insert(published_release).values(**values).on_conflict_do_update(index_elements=["release_id"], set_=again)
    )
    forget_fault(connection, NATION, position.night)
