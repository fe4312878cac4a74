"""Erasure of a case on request: in the archive, in the warehouse, and whenever it comes again.

First every file that holds the case is written anew beside the old one; then one tombstone says all that is to happen.
From there on it happens, whatever becomes of this process: the keys of the old contents are destroyed, and the rows
wiped, by the next run of the province at the latest.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.errors import DecisionError
from regsosek.faults import edge
from regsosek.landing.archive import fetch_archived
from regsosek.landing.intake import FetchedFile
from regsosek.night.discovery.sealing import require_all_nights
from regsosek.night.erasure.redacting import Emptied, Numbers, families_sharing, redact_part, redact_tags
from regsosek.privacy.erasure.erased_rows import (
    ERASED,
    HeldRow,
    HeldTag,
    all_requests,
    counted,
    entered,
    folders_of,
    held_deliveries,
    neighbour,
    numbers_of,
    rival_hashes,
    rows_of,
    tags_of,
    wipe,
)
from regsosek.privacy.erasure.tombstones import (
    ErasedFamily,
    ErasedTag,
    Neighbour,
    Tombstone,
    case_hash,
    list_tombstones,
    new_mark,
    number_name,
    tag_name,
    tombstone_marks,
    write_tombstone,
)
from regsosek.resources import Resources
from regsosek.staging.pseudonyms import HashKeys
from regsosek.warehouse.hashes.hash_keys import keys_in_use
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights.reason import stated

LEGAL_LIMIT = timedelta(hours=72)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """Who asks that a case be erased, and on whose behalf."""

    request: str
    by: str
    reason: str


@dataclass(frozen=True)
class Found:
    """What holds a case.

    Attributes:
        rows: family rows of accepted deliveries.
        tags: tags of houses at its number.
        held: deliveries that wait for a decision: what they hold is not known until then.
        landing: objects of the landing bucket that hold it.
    """

    province: str
    rows: tuple[HeldRow, ...]
    tags: tuple[HeldTag, ...]
    held: tuple[str, ...]
    landing: tuple[str, ...]


def find_case(resources: Resources, province: str, case_id: str) -> Found:
    """What would be erased; nothing is changed.

    Raises:
        DecisionError: no accepted delivery of the province holds the case.
    """
    with edge(f"case of province {province}"), resources.loader.begin() as connection:
        rows = rows_of(connection, province, case_id)
        if not rows:
            raise DecisionError(f"no delivery that was accepted of province {province} holds that case")
        tags, held = tags_of(connection, province, case_id), held_deliveries(connection, province)
        folders = folders_of(
            connection, province, {row.delivery_id for row in rows} | {tag.delivery_id for tag in tags}
        )
    return Found(province, tuple(rows), tuple(tags), tuple(held), tuple(_objects(resources, folders)))


def _objects(resources: Resources, folders: Iterable[str]) -> Iterable[str]:
    for folder in folders:
        yield from (found.key for found in resources.store.list_objects(resources.settings.landing_bucket, folder))


def clear_landing(resources: Resources, keys: Iterable[str]) -> None:
    """Deletes objects from landing, with the key that this process has.

    Raises:
        ObjectStoreError: the key may not, as the pipeline's should not.
    """
    for key in keys:
        resources.store.delete(resources.settings.landing_bucket, key)


@dataclass(frozen=True)
class RequestMade:
    """A request as it stands.

    Attributes:
        due: the law's limit, three times 24 hours after it was entered.
        left: objects of landing that hold an erased case still.
        lost: the archive lacks the tombstone, as one that was restored from an older copy does: a replay would bring
            the case back.
    """

    province: str
    case_id: str
    kind: str
    request: str
    at: datetime
    due: datetime
    left: int
    lost: bool


def requests_made(resources: Resources) -> list[RequestMade]:
    """Every request that was entered, by time; of erased cases also what landing still holds."""
    with resources.loader.begin() as connection:
        found = all_requests(connection)
    tombstones = {
        each.mark: each
        for province in sorted({row.province for row in found if row.kind == ERASED})
        for each in list_tombstones(resources.store, resources.settings.archive_bucket, province)
    }
    return [
        RequestMade(
            row.province, row.case_id, row.kind, row.request, row.at, row.at + LEGAL_LIMIT,
            len(_landed(resources, tombstones[row.case_id])) if row.case_id in tombstones else 0,
            row.kind == ERASED and row.case_id not in tombstones,
        )
        for row in found
    ]  # fmt: skip


def _landed(resources: Resources, tombstone: Tombstone) -> list[str]:
    with resources.loader.begin() as connection:
        of_case = {each.delivery_id for each in tombstone.families} | {each.delivery_id for each in tombstone.tags}
        folders = folders_of(connection, tombstone.province, of_case)
    return list(_objects(resources, folders))


def erase_case(resources: Resources, province: str, case_id: str, asked: Request) -> Tombstone:
    """Erases a case; whatever was begun before by a process that was killed is completed first.

    Raises:
        DecisionError: no accepted delivery holds it, it is erased already, or there is no reason.
        ObjectStoreError: a file of it cannot be read or written anew; nothing is erased.
        SealedNightError: the warehouse lacks nights, whose deliveries may hold it too.
    """
    request, reason = stated(asked.request), stated(asked.reason)
    with edge(f"erasure in province {province}"), province_lock(resources.loader, province) as held:
        locked = resources.under(held)
        complete_erasures(locked, province)
        require_all_nights(locked, province)
        tombstone = _written(locked, find_case(locked, province, case_id), case_id, request, asked.by, reason)
        complete_erasures(locked, province)
    log.warning("a case of province %s was erased for request %s; it is %s now", province, request, tombstone.mark)
    return tombstone


def complete_erasures(resources: Resources, province: str) -> None:
    """Carries out what tombstones say that the warehouse has not entered: after a kill, a rebuild or a restored dump.

    One listing, and nothing else where all are entered.
    """
    bucket = resources.settings.archive_bucket
    marks = tombstone_marks(resources.store, bucket, province)
    if not marks:
        return
    with resources.loader.begin() as connection:
        missing = marks - entered(connection, province, ERASED)
        keys = keys_in_use(connection, province, resources.settings.hash_keys)
    for tombstone in list_tombstones(resources.store, bucket, province) if missing else ():
        if tombstone.mark in missing:
            _carry_out(resources, tombstone, keys)


def _carry_out(resources: Resources, tombstone: Tombstone, keys: HashKeys) -> None:
    for former, now in tombstone.files.items():
        if resources.archive.current(former) == former:
            resources.archive.destroy(former, request=tombstone.request, at=tombstone.at, replaced_by=now)
    with resources.loader.begin() as connection:
        wipe(connection, tombstone, keys)


def _written(resources: Resources, found: Found, case_id: str, request: str, by: str, reason: str) -> Tombstone:
    """Writes files and tombstone; nothing that there was is touched yet."""
    with resources.loader.begin() as connection:
        keys = keys_in_use(connection, found.province, resources.settings.hash_keys)
    draft = _Draft(resources, found.province, new_mark(), keys)
    of_delivery: dict[str, list[HeldRow]] = defaultdict(list)
    for row in found.rows:
        of_delivery[row.delivery_id].append(row)
    for rows in of_delivery.values():
        with resources.scratch("erase") as scratch:
            draft.add(rows, scratch)
    for tags in _by_file(found.tags):
        with resources.scratch("erase") as scratch:
            draft.add_tags(tags, scratch)
    names = {*_names(resources, found, case_id)}
    known = frozenset(case_hash(found.province, name, keys) for name in names)
    tombstone = draft.tombstone(case_hash(found.province, case_id, keys), known, request, by, reason)
    write_tombstone(resources.store, resources.settings.archive_bucket, tombstone)
    return tombstone


def _by_file(tags: Iterable[HeldTag]) -> list[list[HeldTag]]:
    of_file: dict[tuple[str, int], list[HeldTag]] = defaultdict(list)
    for tag in tags:
        of_file[tag.delivery_id, tag.part].append(tag)
    return list(of_file.values())


def _names(resources: Resources, found: Found, case_id: str) -> Iterator[str]:
    """What a tag of the case is known by when it comes again."""
    with resources.loader.begin() as connection:
        numbers = numbers_of(connection, found.province, case_id)
    yield from (number_name(*number) for number in numbers)
    yield from (tag_name(tag.id_tag) for tag in found.tags if tag.id_tag)


class _Draft:
    """Gathers what a tombstone says, delivery by delivery."""

    def __init__(self, resources: Resources, province: str, mark: str, keys: HashKeys) -> None:
        self._resources, self._province, self._mark, self._keys = resources, province, mark, keys
        self._marks: dict[str, str] = {}
        self._fit: set[str] = set()
        self._files: dict[str, str] = {}
        self._families: list[ErasedFamily] = []
        self._neighbours: list[Neighbour] = []
        self._tags: list[ErasedTag] = []
        self._counted: list[str] = []

    def add(self, rows: Sequence[HeldRow], scratch: Path) -> None:
        """Writes the files of one delivery anew."""
        manifest = self._manifest(rows[0], scratch)
        of_part: dict[int, list[HeldRow]] = defaultdict(list)
        for row in rows:
            of_part[row.part].append(row)
        numbers = Numbers()
        for part, own in of_part.items():
            numbers |= self._redact(manifest, part, own, scratch)
        for part in manifest.parts if numbers != Numbers() else ():
            self._note_neighbours(manifest, part, numbers, {row.row_no for row in of_part[part]}, scratch)
        self._counted.append(manifest.delivery_id)

    def add_tags(self, tags: Sequence[HeldTag], scratch: Path) -> None:
        """Writes one file of tags anew."""
        manifest, part = self._manifest(tags[0], scratch), tags[0].part
        [file] = self._brought(manifest, part, scratch)
        # What lies in quarantine has no hash; it stands for itself.
        marks = {
            tag.row_no: self._marks.setdefault(tag.content_hash, new_mark()) if tag.content_hash else new_mark()
            for tag in tags
        }
        redacted = redact_tags(manifest, file, marks, self._keys, scratch)
        self._files[self._resources.archive.current(file.delivered.sha256)] = self._resources.archive.keep(
            redacted.file.path
        )
        self._tags += [
            ErasedTag(
                delivery_id=tag.delivery_id, part=part, row_no=tag.row_no, mark=marks[tag.row_no],
                verdict=tag.verdict, content_hash=redacted.hashes[tag.row_no],
            )
            for tag in tags
        ]  # fmt: skip
        if manifest.delivery_id not in self._counted:
            self._counted.append(manifest.delivery_id)

    def _manifest(self, row: HeldRow | HeldTag, scratch: Path) -> Manifest:
        bucket = self._resources.settings.archive_bucket
        path = fetch_archived(self._resources.store, bucket, row.manifest_sha256, scratch / "manifest.json")
        return parse_manifest(path.read_bytes(), province=self._province, delivery_id=row.delivery_id)

    def _redact(self, manifest: Manifest, part: int, rows: Sequence[HeldRow], scratch: Path) -> Numbers:
        files = self._brought(manifest, part, scratch)
        emptied = [self._emptied(row) for row in rows]
        redacted = redact_part(manifest, files, emptied, self._keys, scratch)
        self._marks |= {row.content_hash: redacted.marks[row.row_no] for row in rows}
        self._fit |= {row.content_hash for row in rows}
        for file, now in zip(files, redacted.files, strict=True):
            former = self._resources.archive.current(file.delivered.sha256)
            self._files[former] = self._resources.archive.keep(now.path)
            for path in {now.path, file.path}:
                path.unlink()
        self._families += [
            ErasedFamily(
                delivery_id=row.delivery_id, part=part, row_no=row.row_no, mark=redacted.marks[row.row_no],
                verdict=row.verdict, content_hash=redacted.hashes[row.row_no],
            )
            for row in rows
        ]  # fmt: skip
        return redacted.numbers

    def _emptied(self, row: HeldRow) -> Emptied:
        """Equal contents get equal marks; each keeps its place among those that it may be weighed against."""
        mark, between = self._marks.setdefault(row.content_hash, new_mark()), None
        if row.content_hash not in self._fit:
            with self._resources.loader.begin() as connection:
                between = _between(row.content_hash, rival_hashes(connection, self._province, row))
        return Emptied(row.row_no, self._mark, mark, row.id_subsls is None, between)

    def _note_neighbours(
        self, manifest: Manifest, part: int, numbers: Numbers, emptied: set[int], scratch: Path
    ) -> None:
        files = self._brought(manifest, part, scratch)
        sharing = families_sharing(manifest, files, numbers, emptied)
        for file in files:
            file.path.unlink()
        with self._resources.loader.begin() as connection:
            for row_no, members in sharing.items():
                found = neighbour(connection, self._province, manifest.delivery_id, part, row_no, members)
                self._neighbours += [found] if found else []

    def _brought(self, manifest: Manifest, part: int, scratch: Path) -> list[FetchedFile]:
        listed = [manifest.file(dataset, part) for dataset in manifest.datasets]
        return [FetchedFile(file, self._resources.archive.fetch(file.sha256, scratch / file.name)) for file in listed]

    def tombstone(self, known_by: str, tags_known_by: frozenset[str], request: str, by: str, reason: str) -> Tombstone:
        """The whole."""
        with self._resources.loader.begin() as connection:
            judged = tuple(counted(connection, self._province, each) for each in self._counted)
        return Tombstone(
            province=self._province, mark=self._mark, known_by=known_by, generation=len(self._keys), request=request,
            by=by, at=datetime.now(UTC), reason=reason, files=_changed(self._files), families=tuple(self._families),
            neighbours=tuple(self._neighbours), counted=judged, tags=tuple(self._tags), tags_known_by=tags_known_by,
        )  # fmt: skip


def _between(own: str, rivals: Iterable[str]) -> tuple[str, str] | None:
    """From half-way to the next lower hash to half-way to the next higher one; without others, anywhere."""
    place, others = int(own, 16), sorted(int(each, 16) for each in rivals if each != own)
    if not others:
        return None
    low = max((each for each in others if each < place), default=None)
    high = min((each for each in others if each > place), default=None)
    ends = (0 if low is None else (low + place) // 2 + 1, 1 << 128 if high is None else (place + high) // 2 + 1)
    return f"{ends[0]:032x}", f"{ends[1]:032x}" if ends[1] < 1 << 128 else "g"


def _changed(files: Mapping[str, str]) -> dict[str, str]:
    """Without files that held nothing of the case, such as that of the members of a family without any."""
    return {former: now for former, now in files.items() if former != now}
