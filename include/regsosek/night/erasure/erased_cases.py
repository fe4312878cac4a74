"""Erased cases that are delivered again: emptied before anything is staged, and archived so.

They count as ever, by place, result and day; no rule is asked of answers that are not there.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.errors import ObjectStoreError
from regsosek.landing.intake import FetchedFile
from regsosek.night.erasure.redacting import TAGS, Emptied, read_documents, read_tags, redact_part, redact_tags
from regsosek.privacy.erasure.tombstones import (
    ErasedFamily,
    ErasedTag,
    Tombstone,
    case_hash,
    list_tombstones,
    new_mark,
    number_name,
    tag_name,
    write_tombstone,
)
from regsosek.release.rereading.archived_text import UNREADABLE
from regsosek.resources import Resources
from regsosek.staging.pseudonyms import HashKeys, hashed_on

log = logging.getLogger(__name__)
# No rule is asked of an emptied row.
VERDICT = "clean"
_COUNT = re.compile("[0-9]{1,9}")


@dataclass
class ErasedCases:
    """The erased cases of a province, and what comes of them tonight.

    Attributes:
        keys: those that the hashes of the province are made with.
    """

    tombstones: list[Tombstone] = field(default_factory=list)
    keys: HashKeys = ()
    _unsearched: set[str] = field(default_factory=set)

    def emptied(
        self, resources: Resources, manifest: Manifest, files: Sequence[FetchedFile], scratch: Path
    ) -> Sequence[FetchedFile]:
        """The files of a delivery without answers of erased cases; they are archived so, and never otherwise."""
        if not self.tombstones or manifest.datasets not in (DATASETS, (TAGS,)):
            return files
        try:
            if manifest.datasets == (TAGS,):
                return [self._tag_file(resources, manifest, file, scratch) for file in files]
            found = self._search(resources, manifest, files)
        except UNREADABLE:
            # What cannot be read breaks the contract, which the reading of the night finds and words.
            self._unsearched.add(manifest.delivery_id)
            return files
        now = [self._part(resources, manifest, part, files, found, scratch) for part in manifest.parts]
        return [file for part in now for file in part]

    def require_searched(self, manifest: Manifest) -> None:
        """Lets no delivery be loaded that was not searched.

        Raises:
            ObjectStoreError: it was not, though the night could read it.
        """
        if manifest.delivery_id in self._unsearched:
            raise ObjectStoreError(
                f"delivery {manifest.delivery_id} of province {manifest.province} cannot be searched for erased cases; "
                "nothing of it counts (tell who maintains the pipeline)"
            )

    def _search(
        self, resources: Resources, manifest: Manifest, files: Sequence[FetchedFile]
    ) -> dict[int, list[tuple[Tombstone, Emptied]]]:
        """By part, the rows that hold an erased case."""
        known = {(each.generation, each.known_by): each for each in self.tombstones}
        keys = {each.generation: resources.settings.hash_keys[: each.generation] for each in self.tombstones}
        found: dict[int, list[tuple[Tombstone, Emptied]]] = {}
        for file in (each for each in files if each.delivered.dataset == "keluarga"):
            for row, named in enumerate(read_documents(manifest, file), start=1):
                asked = (
                    (number, case_hash(manifest.province, _case_id(*named, own), own)) for number, own in keys.items()
                )
                for tombstone in (known[each] for each in asked if each in known):
                    emptied = Emptied(row, tombstone.mark, new_mark(), placeless=False)
                    found.setdefault(file.delivered.part, []).append((tombstone, emptied))
        return found

    def _tag_file(self, resources: Resources, manifest: Manifest, file: FetchedFile, scratch: Path) -> FetchedFile:
        """A file of tags without what they say of an erased case's house."""
        done = {(tag.delivery_id, tag.part, tag.row_no, tag.mark) for each in self.tombstones for tag in each.tags}
        found: dict[int, Tombstone] = {}
        for row, (tag, *number, mark) in enumerate(read_tags(manifest, file), start=1):
            tombstone = self._of_tag(resources, manifest.province, tag, number)
            if tombstone is not None and (manifest.delivery_id, file.delivered.part, row, mark) not in done:
                found[row] = tombstone
        return self._tags_emptied(resources, manifest, file, found, scratch) if found else file

    def _of_tag(self, resources: Resources, province: str, tag: str, number: Sequence[str]) -> Tombstone | None:
        """The erased case that a tag belongs to, by the tag's id or by its number of building and family."""
        subsls, building, family = number
        names = [tag_name(tag)]
        if _COUNT.fullmatch(building) and _COUNT.fullmatch(family):
            names.append(number_name(subsls, int(building), int(family)))
        for each in self.tombstones:
            keys = resources.settings.hash_keys[: each.generation]
            if not each.tags_known_by.isdisjoint(case_hash(province, name, keys) for name in names):
                return each
        return None

    def _tags_emptied(
        self, resources: Resources, manifest: Manifest, file: FetchedFile, found: Mapping[int, Tombstone], scratch: Path
    ) -> FetchedFile:
        marks = {row: new_mark() for row in found}
        redacted = redact_tags(manifest, file, marks, self.keys, scratch)
        changed = {file.delivered.sha256: resources.archive.keep(redacted.file.path)}
        for row, tombstone in found.items():
            tag = ErasedTag(
                delivery_id=manifest.delivery_id, part=file.delivered.part, row_no=row, mark=marks[row],
                verdict=VERDICT, content_hash=redacted.hashes[row],
            )  # fmt: skip
            self._note(resources, tombstone.mark, "tags", tag, changed)
        file.path.unlink()
        return redacted.file

    def _part(
        self,
        resources: Resources,
        manifest: Manifest,
        part: int,
        files: Sequence[FetchedFile],
        found: dict[int, list[tuple[Tombstone, Emptied]]],
        scratch: Path,
    ) -> Sequence[FetchedFile]:
        own = [each for each in files if each.delivered.part == part]
        if part not in found:
            return own
        redacted = redact_part(manifest, own, [emptied for _, emptied in found[part]], self.keys, scratch)
        changed = {
            former.delivered.sha256: resources.archive.keep(now.path)
            for former, now in zip(own, redacted.files, strict=True)
            if now.path != former.path
        }
        for tombstone, emptied in found[part]:
            family = ErasedFamily(
                delivery_id=manifest.delivery_id, part=part, row_no=emptied.row_no, mark=emptied.mark,
                verdict=VERDICT, content_hash=redacted.hashes[emptied.row_no],
            )  # fmt: skip
            self._note(resources, tombstone.mark, "families", family, changed)
        for former, now in zip(own, redacted.files, strict=True):
            if now.path != former.path:
                former.path.unlink()
        log.warning("delivery %s: %d rows of erased cases were emptied", manifest.delivery_id, len(found[part]))
        return redacted.files

    def _note(
        self, resources: Resources, mark: str, field_: str, row: ErasedFamily | ErasedTag, files: dict[str, str]
    ) -> None:
        """Writes it into the tombstone, before the contents that were delivered are refused for good."""
        [place] = [number for number, each in enumerate(self.tombstones) if each.mark == mark]
        former = self.tombstones[place]
        here = (row.delivery_id, row.part, row.row_no)
        rows: tuple[ErasedFamily | ErasedTag, ...] = getattr(former, field_)
        others = tuple(each for each in rows if (each.delivery_id, each.part, each.row_no) != here)
        update = {field_: (*others, row), "files": former.files | files}
        self.tombstones[place] = former.model_copy(update=update)
        write_tombstone(resources.store, resources.settings.archive_bucket, self.tombstones[place])
        for sha256, now in files.items():
            resources.archive.destroy(sha256, request=former.request, at=former.at, replaced_by=now)


def _case_id(document: str, unshown: str, keys: HashKeys) -> str:
    """The id of a case as the warehouse had it under ``keys``."""
    return f"?{hashed_on(unshown.encode(), keys).hex()}" if unshown else document


def erased_cases(resources: Resources, province: str, keys: HashKeys) -> ErasedCases:
    """Those of ``province``, as the archive knows them."""
    found = list_tombstones(resources.store, resources.settings.archive_bucket, province)
    return ErasedCases(list(found), keys)
