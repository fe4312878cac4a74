"""Erased cases that are delivered again: emptied before anything is staged, and archived so.

They count as ever, by place, result and day; no rule is asked of answers that are not there.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.errors import ObjectStoreError
from regsosek.landing.intake import FetchedFile
from regsosek.night.house import House
from regsosek.night.redacting import Emptied, read_documents, redact_part
from regsosek.privacy.tombstones import (
    ErasedFamily,
    Tombstone,
    case_hash,
    list_tombstones,
    new_mark,
    write_tombstone,
)
from regsosek.release.reading_again import UNREADABLE
from regsosek.staging.pseudonyms import HashKeys

log = logging.getLogger(__name__)
# No rule is asked of an emptied row.
VERDICT = "clean"


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
        self, house: House, manifest: Manifest, files: Sequence[FetchedFile], scratch: Path
    ) -> Sequence[FetchedFile]:
        """The files of a delivery without answers of erased cases; they are archived so, and never otherwise."""
        if not self.tombstones or manifest.datasets != DATASETS:
            return files
        try:
            found = self._search(house, manifest, files)
        except UNREADABLE:
            # What cannot be read breaks the contract, which the reading of the night finds and words.
            self._unsearched.add(manifest.delivery_id)
            return files
        now = [self._part(house, manifest, part, files, found, scratch) for part in manifest.parts]
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
        self, house: House, manifest: Manifest, files: Sequence[FetchedFile]
    ) -> dict[int, list[tuple[Tombstone, Emptied]]]:
        """By part, the rows that hold an erased case."""
        known = {(each.generation, each.known_by): each for each in self.tombstones}
        keys = {each.generation: house.settings.hash_keys[: each.generation] for each in self.tombstones}
        found: dict[int, list[tuple[Tombstone, Emptied]]] = {}
        for file in (each for each in files if each.delivered.dataset == "keluarga"):
            for row, document in enumerate(read_documents(manifest, file), start=1):
                asked = ((number, case_hash(manifest.province, document, own)) for number, own in keys.items())
                for tombstone in (known[each] for each in asked if each in known):
                    emptied = Emptied(row, tombstone.mark, new_mark(), placeless=False)
                    found.setdefault(file.delivered.part, []).append((tombstone, emptied))
        return found

    def _part(
        self,
        house: House,
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
            former.delivered.sha256: house.archive.keep(now.path)
            for former, now in zip(own, redacted.files, strict=True)
            if now.path != former.path
        }
        for tombstone, emptied in found[part]:
            family = ErasedFamily(
                delivery_id=manifest.delivery_id, part=part, row_no=emptied.row_no, mark=emptied.mark,
                verdict=VERDICT, content_hash=redacted.hashes[emptied.row_no],
            )  # fmt: skip
            self._note(house, tombstone.mark, family, changed)
        for former, now in zip(own, redacted.files, strict=True):
            if now.path != former.path:
                former.path.unlink()
        log.warning("delivery %s: %d rows of erased cases were emptied", manifest.delivery_id, len(found[part]))
        return redacted.files

    def _note(self, house: House, mark: str, family: ErasedFamily, files: dict[str, str]) -> None:
        """Writes it into the tombstone, before the contents that were delivered are refused for good."""
        [place] = [number for number, each in enumerate(self.tombstones) if each.mark == mark]
        former = self.tombstones[place]
        row = (family.delivery_id, family.part, family.row_no)
        others = tuple(each for each in former.families if (each.delivery_id, each.part, each.row_no) != row)
        update = {"families": (*others, family), "files": former.files | files}
        self.tombstones[place] = former.model_copy(update=update)
        write_tombstone(house.store, house.settings.archive_bucket, self.tombstones[place])
        for sha256, now in files.items():
            house.archive.destroy(sha256, request=former.request, at=former.at, replaced_by=now)


def erased_cases(house: House, province: str, keys: HashKeys) -> ErasedCases:
    """Those of ``province``, as the archive knows them."""
    found = list_tombstones(house.store, house.settings.archive_bucket, province)
    return ErasedCases(list(found), keys)
