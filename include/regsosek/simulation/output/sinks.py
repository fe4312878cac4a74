"""Where simulated files go: a directory, or a bucket of an object store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Protocol, Self

from regsosek.contract.manifest import MANIFEST_NAME, SIGNATURE_NAME
from regsosek.landing.discovery import place_of
from regsosek.landing.producer_keys import COLUMNS
from regsosek.minisign import Signer


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


@dataclass(frozen=True)
class SigningSink:
    """Signs every manifest with the key of its province before it passes it on.

    ``keys`` holds the secret keys, ``prov64.key`` and so on, and ``producer-keys.csv``, as the pipeline reads them.
    """

    sink: Sink
    keys: Path

    @classmethod
    def opened(cls, sink: Sink, keys: Path, provinces: Sequence[str]) -> Self:
        """Makes the keys that are not there yet, and writes the file of all public ones."""
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        signing = cls(sink, keys)
        lines = [f"{code},{signing._signer(code).public.text},2000-01-01,,simulation" for code in provinces]
        (keys / "producer-keys.csv").write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="ascii")
        return signing

    def put_file(self, key: str, path: Path) -> None:
        """Passes the file on."""
        self.sink.put_file(key, path)

    def put_bytes(self, key: str, content: bytes) -> None:
        """Passes it on, a manifest behind its signature."""
        place = place_of(key)
        if place is not None and place.name == MANIFEST_NAME:
            signature = self._signer(place.folder.province).sign(content, place.folder.delivery_id)
            self.sink.put_bytes(key.replace(MANIFEST_NAME, SIGNATURE_NAME), signature)
        self.sink.put_bytes(key, content)

    def _signer(self, province: str) -> Signer:
        path = self.keys / f"prov{province}.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(Signer.new().secret_text, encoding="ascii")
        return Signer.read(path.read_text(encoding="ascii"))
