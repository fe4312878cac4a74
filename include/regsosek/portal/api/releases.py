"""Releases as the API reads them: by id from object storage, checked by hash, and kept as long as there is room."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from regsosek.errors import ObjectStoreError
from regsosek.portal.api.problems import not_there
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.portal.views.published import CODE, MISSING, named_missing, province_of_region
from regsosek.release.figures.renamed import former_tables, with_names_of_today
from regsosek.release.figures.schema import typed
from regsosek.release.figures.words import night_states
from regsosek.release.lifecycle.manifest import MANIFEST, MAX_MANIFEST_BYTES
from regsosek.release.lifecycle.pointer import FOLDER, seen

# Asked for like a column, though tables have none of this name: the province that a region lies in.
PROVINCE = "provinsi"
KEPT_BYTES = 192 * 1024 * 1024
KEPT_MANIFESTS = 64
T = TypeVar("T")


@dataclass(frozen=True)
class PublishedTable:
    """A table of a release: what its CSV bytes say, and the province of each row ("" where none is known)."""

    sha256: str
    rows: pa.Table

    @cached_property
    def provinces(self) -> pa.DictionaryArray:
        """The province of each row, "00" of the nation."""
        codes = self.rows[CODE].combine_chunks().dictionary_encode()
        found = pa.array([province_of_region(code) or "" for code in codes.dictionary.to_pylist()], pa.string())
        return found.take(codes.indices).dictionary_encode()

    def chosen(self, viewer: Viewer, equal: Mapping[str, Any]) -> pa.UInt64Array:
        """Places of the rows that an account is shown, of those whose columns equal what was asked for."""
        readable = viewer.readable(self.provinces.dictionary.to_pylist())
        mask = pc.is_in(self.provinces, pa.array(readable, pa.string()))
        for column, value in equal.items():
            own = self.provinces.cast(pa.string()) if column == PROVINCE else self.rows[column].combine_chunks()
            mask = pc.and_(mask, pc.equal(own, pa.scalar(value, own.type)))
        return pc.indices_nonzero(mask)


@dataclass(frozen=True)
class Release:
    """A published release by its manifest."""

    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> dict[str, Any]:
        """What its figures are as of."""
        own = self.manifest
        return {"malam": own["night"], "rilis": own["release_id"], "versi": own["content_hash"]}

    def missing(self, viewer: Viewer) -> list[dict[str, Any]]:
        """The provinces whose figures have a gap, of those that an account is shown."""
        return [
            missing_line(each["code"], each["name"], each["state"], each["held_families"])
            for each in self.manifest["missing"]
            if viewer.reads(each["code"])
        ]


def missing_line(code: str, name: str, state: str, held_families: int) -> dict[str, Any]:
    """A province that has a gap, under the published names."""
    told = night_states()[state].label.id
    return {"kode": code, "nama": name, "keadaan_malam_ini": told, "keluarga_ditahan": held_families}


@dataclass
class Releases:
    """The releases of a deployment."""

    sources: Sources
    _manifests: "ReadCache[Release]" = field(default_factory=lambda: ReadCache(KEPT_MANIFESTS, lambda _: 1))
    _tables: "ReadCache[PublishedTable]" = field(
        default_factory=lambda: ReadCache(KEPT_BYTES, lambda table: table.rows.nbytes)
    )

    def find(self, release_id: str | None) -> Release:
        """The release of that id, by default the one that readers see.

        Raises:
            ProblemError: there is none.
        """
        store, bucket = self.sources.store, self.sources.settings.release_bucket
        if release_id is None:
            position = seen(store, bucket)
            if position is None:
                raise not_there("release", "nothing is published yet; the first night ends with a release")
            release_id = position.release_id
        return self._manifests.get(release_id, lambda: self._read_manifest(release_id))

    def table(self, release: Release, name: str) -> PublishedTable:
        """A table of a release.

        Raises:
            ProblemError: the release has no such table, or not any more.
            ObjectStoreError: the file is not the one that was published.
        """
        known = {file["name"]: file for file in release.manifest["files"]}
        file = known.get(name) or known.get(former_tables().get(name, name))
        if file is None:
            raise not_there("release", "ask for a release that holds this table")
        return self._tables.get(f"{file['sha256']} {name}", lambda: self._read_table(release, name, file))

    def _read_manifest(self, release_id: str) -> Release:
        bucket = self.sources.settings.release_bucket
        found = self.sources.store.get_bytes(bucket, f"{FOLDER}{release_id}/{MANIFEST}", max_bytes=MAX_MANIFEST_BYTES)
        if found is None:
            raise not_there("release", "take the id of a release from releases")
        return Release(json.loads(found))

    def _read_table(self, release: Release, name: str, file: Mapping[str, Any]) -> PublishedTable:
        bucket, folder = self.sources.settings.release_bucket, f"{FOLDER}{release.manifest['release_id']}/"
        content = self.sources.store.get_bytes(bucket, folder + file["name"], max_bytes=file["bytes"] + 1)
        if content is None:
            raise not_there("release", "its tables are no longer kept; ask for a newer one")
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise ObjectStoreError(f"{folder}{file['name']} is not the published file; see regsosek release verify")
        return PublishedTable(file["sha256"], typed(name, with_names_of_today(name, content)))


def told_rows(viewer: Viewer, rows: pa.Table) -> list[dict[str, Any]]:
    """Rows as an account is told them: whose gaps they name, too, is cut to its provinces."""
    found: list[dict[str, Any]] = rows.to_pylist()
    if viewer.of_provinces and MISSING in rows.column_names:
        for row in found:
            row[MISSING] = named_missing(viewer, row[MISSING]) or None
    return found


class ReadCache(Generic[T]):
    """What was read and never changes, up to a size; what was not asked for longest goes first."""

    def __init__(self, room: int, size: Callable[[T], int]) -> None:
        self._room, self._size = room, size
        self._values: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, read: Callable[[], T]) -> T:
        """The value of ``key``, read where it is not kept; one reader at a time, so that nothing is read twice."""
        with self._lock:
            if key not in self._values:
                self._values[key] = read()
            self._values.move_to_end(key)
            while len(self._values) > 1 and sum(map(self._size, self._values.values())) > self._room:
                self._values.popitem(last=False)
            return self._values[key]
