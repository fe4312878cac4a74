"""A folder on disk read as if it lay in an object store, for what is checked before it is sent."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regsosek.landing.store import Downloaded, StoredObject

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FolderStore:
    """Reads the files below ``root`` under keys that begin with ``prefix``; the bucket is of no account."""

    root: Path
    prefix: str = ""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:  # noqa: ARG002 - there is one bucket
        """Every file whose key begins with ``prefix``, in the order of the keys."""
        for path in sorted(self.root.rglob("*")):
            key = self._key(path)
            if path.is_file() and key.startswith(prefix):
                yield StoredObject(key, path.stat().st_size, "")

    def list_level(self, bucket: str, prefix: str) -> Iterator[str]:  # noqa: ARG002 - there is one bucket
        """What stands directly below ``prefix``: folders (ending in ``/``) and keys."""
        folder = self._path(prefix)
        if folder.is_dir():
            yield from (self._key(path) + "/" * path.is_dir() for path in sorted(folder.iterdir()))

    def get_bytes(
        self,
        bucket: str,  # noqa: ARG002 - there is one bucket
        key: str,
        *,
        max_bytes: int,
        listed: StoredObject | None = None,  # noqa: ARG002 - a disk answers truly
    ) -> bytes | None:
        """The first ``max_bytes`` bytes of a file; ``None`` when there is no such file."""
        path = self._path(key)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(max_bytes)

    def download(
        self,
        bucket: str,  # noqa: ARG002 - there is one bucket
        key: str,
        path: Path,
        *,
        expected_bytes: int,
        listed: StoredObject | None = None,  # noqa: ARG002 - a disk answers truly
    ) -> Downloaded | None:
        """Copies a file to ``path``, one byte beyond ``expected_bytes`` at most; ``None`` when there is none."""
        source = self._path(key)
        if not source.is_file():
            return None
        left, sha256 = expected_bytes + 1, hashlib.sha256()
        with source.open("rb") as file, path.open("wb") as copy:
            while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                left -= copy.write(chunk)
                sha256.update(chunk)
        return Downloaded(expected_bytes + 1 - left, sha256.hexdigest())

    def size(self, bucket: str, key: str) -> int | None:  # noqa: ARG002 - there is one bucket
        """The size of a file in bytes; ``None`` when there is no such file."""
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def _path(self, key: str) -> Path:
        return self.root / key.removeprefix(self.prefix)

    def _key(self, path: Path) -> str:
        return self.prefix + path.relative_to(self.root).as_posix()
