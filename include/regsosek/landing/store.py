"""What this room asks of an object store: a protocol that S3 fulfils, and the values that come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One entry of a listing; ``size`` in bytes, ``etag`` without its quotes (not an MD5 for multipart uploads)."""

    key: str
    size: int
    etag: str


# The ETag of what is not there, for a write that must overwrite nothing.
ABSENT = ""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What was read from one object: ``size`` in bytes and ``sha256`` in hex, of the bytes on disk."""

    size: int
    sha256: str


class StoreReader(Protocol):
    """What can be read of an object store. Every method raises ``ObjectStoreError`` once its retries are used up."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object below ``prefix``, page by page, in the order of the store."""

    def list_level(self, bucket: str, prefix: str) -> Iterator[str]:
        """What stands directly below ``prefix``: folders (ending in ``/``) and keys, whole names."""

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int, listed: StoredObject | None = None) -> bytes | None:
        """The first ``max_bytes`` bytes of an object; ``None`` when there is no such object.

        Raises ``ObjectStoreError`` if it stays another one than ``listed``, what a listing said of it.
        """

    def download(
        self, bucket: str, key: str, path: Path, *, expected_bytes: int, listed: StoredObject | None = None
    ) -> Downloaded | None:
        """Streams an object to ``path``, one byte beyond ``expected_bytes`` at most; ``None`` when there is none.

        Raises ``ObjectStoreError`` if it stays another one than ``listed``.
        """

    def size(self, bucket: str, key: str) -> int | None:
        """The size of an object in bytes; ``None`` when there is no such object."""


class Store(StoreReader, Protocol):
    """An object store that can be written to as well."""

    def etag(self, bucket: str, key: str) -> str:
        """The ETag of an object, without quotes; ``ABSENT`` when there is no such object."""

    def put_bytes(self, bucket: str, key: str, content: bytes, *, over: str | None = None) -> None:
        """Writes an object from memory, over whatever is there, or only over what has the ETag ``over``.

        Raises ``LostRaceError`` if something else is there, from a store that knows conditions; others write.
        """

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Writes an object from a local file."""

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object; nothing happens when there is none."""
