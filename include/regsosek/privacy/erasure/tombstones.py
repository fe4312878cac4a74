"""The archive's record of an erased case: which rows held it, what they are now, and by what its next arrival is known.

It names the case by a mark drawn at random, and knows it again by a keyed hash of its id: the id itself stands nowhere.
A warehouse that is rebuilt, or restored from a dump of before, is brought up to it.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from regsosek.contract.manifest import ProvinceCode, Sha256, Ulid
from regsosek.landing.archive import canonical_json, read_records
from regsosek.landing.store import Store
from regsosek.staging.pseudonyms import HashKeys, hashed_on

TOMBSTONES = "tombstones/"
Row = Annotated[int, Field(ge=1)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ErasedFamily(_Value):
    """A family row of the case, and what stands in its place.

    Attributes:
        mark: what tells this content from other erased ones of the case; it says nothing of it.
        verdict: as it was judged; ``None`` of a withdrawal.
        content_hash: of the row as it is now, in hex.
    """

    delivery_id: Ulid
    part: Row
    row_no: Row
    mark: str
    verdict: str | None
    content_hash: str


class ErasedTag(_Value):
    """A tag of a house at the case's number, likewise: what it says of the place is gone."""

    delivery_id: Ulid
    part: Row
    row_no: Row
    mark: str
    verdict: str
    content_hash: str


class BrokenRule(_Value):
    """A rule that a row breaks."""

    dataset: str
    row_no: Row
    rule_id: str
    severity: str


class Neighbour(_Value):
    """A family that shared a number with the erased one: what was found of it stays as it was judged."""

    delivery_id: Ulid
    part: Row
    row_no: Row
    verdict: str
    reasons: tuple[BrokenRule, ...]


class Counted(_Value):
    """What a delivery's judgement counted before it was rewritten: those counts stay."""

    delivery_id: Ulid
    violations: tuple[tuple[str, str, str, int], ...]
    shares: tuple[tuple[str, int, int], ...]


class Tombstone(_Value):
    """An erased case.

    Attributes:
        mark: the case's id from now on, in a form that ids of documents may have.
        known_by: keyed hash of province and id, by the first ``generation`` keys of the deployment.
        tags_known_by: the same hash of each tag and of each number of building and family that it had.
        files: each rewritten file by the hash of its former content, to the hash of what it is now.
    """

    province: ProvinceCode
    mark: str
    known_by: str
    generation: int
    request: str
    by: str
    at: datetime
    reason: str
    files: dict[Sha256, Sha256] = Field(default_factory=dict)
    families: tuple[ErasedFamily, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    counted: tuple[Counted, ...] = ()
    tags: tuple[ErasedTag, ...] = ()
    tags_known_by: frozenset[str] = frozenset()

    @field_serializer("tags_known_by")
    def _in_one_order(self, given: frozenset[str]) -> list[str]:
        return sorted(given)

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"{_prefix(self.province)}{self.mark}.json"

    def is_of(self, case_id: str, keys: HashKeys) -> bool:
        """Whether it is the tombstone of that case; ``keys`` are all of the deployment."""
        return self.known_by == case_hash(self.province, case_id, keys[: self.generation])


def new_mark() -> str:
    """An id for an erased case, of a form that ids may have and never all digits."""
    return f"er-e{secrets.token_hex(8)[1:]}"


def case_hash(province: str, case_id: str, keys: Sequence[bytes]) -> str:
    """What a case is known again by; who has not all of ``keys`` finds no id by trying."""
    return hashed_on(f"erased/{province}/{case_id}".encode(), keys).hex()


def tag_name(tag: str) -> str:
    """What a tag is known again by, as a case is by its id."""
    return f"tag/{tag}"


def number_name(id_subsls: str, building: int, family: int) -> str:
    """The same of a family's number, whatever tag stands at it."""
    return f"number/{id_subsls}/{building}/{family}"


def write_tombstone(store: Store, bucket: str, tombstone: Tombstone) -> None:
    """Keeps a tombstone, over an earlier one of the same case."""
    store.put_bytes(bucket, tombstone.key, canonical_json(tombstone))


def tombstone_marks(store: Store, bucket: str, province: str) -> set[str]:
    """The marks of all erased cases of ``province``: one listing, nothing is read."""
    listed = store.list_objects(bucket, _prefix(province))
    return {found.key.rpartition("/")[2].removesuffix(".json") for found in listed if found.key.endswith(".json")}


def list_tombstones(store: Store, bucket: str, province: str) -> tuple[Tombstone, ...]:
    """All erased cases of ``province``, by time.

    Raises:
        ObjectStoreError: one cannot be read: leaving it out would bring the case back.
    """
    found = read_records(store, bucket, _prefix(province), Tombstone)
    return tuple(sorted(found, key=lambda each: (each.at, each.mark)))


def mark_of(tombstones: Sequence[Tombstone], case_id: str, keys: HashKeys) -> str | None:
    """The name that a case has since it was erased; none where it was not."""
    return next((each.mark for each in tombstones if each.is_of(case_id, keys)), None)


def _prefix(province: str) -> str:
    return f"{TOMBSTONES}prov={province}/"
