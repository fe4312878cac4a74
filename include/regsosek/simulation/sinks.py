"""Where simulated files go: a directory, or a bucket of an object store."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Protocol


class Sink(Protocol):
    """Takes files under keys such as ``landing/prov=35/...``."""

    def put_file(self, key: str, path: Path) -> None:
        """Takes the file at ``path``, which may be gone afterwards."""

    def put_bytes(self, key: str, content: bytes) -> None:
        """Takes a small file from memory."""


class ObjectWriter(Protocol):
    """The writing half of an object store, as ``regsosek.landing.object_store.ObjectStore`` has it."""

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Writes an object from a local file."""

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None:
        """Writes an object from memory."""


@dataclass(frozen=True)
class DirectorySink:
    """Keys are paths below ``root``."""

    root: Path

    def put_file(self, key: str, path: Path) -> None:
        """Copies the file."""
        copyfile(path, self._place(key))

    def put_bytes(self, key: str, content: bytes) -> None:
        """Writes the file."""
        self._place(key).write_bytes(content)

    def _place(self, key: str) -> Path:
        place = self.root / key
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


@dataclass(frozen=True)
class BucketSink:
    """Keys are those of one bucket."""

    store: ObjectWriter
    bucket: str

    def put_file(self, key: str, path: Path) -> None:
        """Uploads the file."""
        self.store.put_file(self.bucket, key, path)

    def put_bytes(self, key: str, content: bytes) -> None:
        """Uploads the content."""
        self.store.put_bytes(self.bucket, key, content)
