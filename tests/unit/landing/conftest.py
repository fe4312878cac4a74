"""An object store in memory, and deliveries to put into it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regsosek.errors import LostRaceError
from regsosek.landing.store import ABSENT, Downloaded, StoredObject


class MemoryStore:
    """The store protocol on a dictionary; lists in the order of insertion and counts its writes."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.writes = 0

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        for (holder, key), content in list(self.objects.items()):
            if holder == bucket and key.startswith(prefix):
                yield StoredObject(key, len(content), "")

    def list_level(self, bucket: str, prefix: str) -> Iterator[str]:
        for found in self.list_objects(bucket, prefix):
            head, slash, _ = found.key.removeprefix(prefix).partition("/")
            yield prefix + head + slash

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int, listed: StoredObject | None = None) -> bytes | None:
        del listed  # what is in memory is as it was listed
        content = self.objects.get((bucket, key))
        return None if content is None else content[:max_bytes]

    def download(
        self, bucket: str, key: str, path: Path, *, expected_bytes: int, listed: StoredObject | None = None
    ) -> Downloaded | None:
        del listed
        content = self.get_bytes(bucket, key, max_bytes=expected_bytes + 1)
        if content is None:
            return None
        path.write_bytes(content)
        return Downloaded(len(content), hashlib.sha256(content).hexdigest())

    def etag(self, bucket: str, key: str) -> str:
        content = self.objects.get((bucket, key))
        return ABSENT if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()

    def put_bytes(self, bucket: str, key: str, content: bytes, *, over: str | None = None) -> None:
        if over is not None and over != self.etag(bucket, key):
            raise LostRaceError(f"put {bucket}/{key}")
        self.writes += 1
        self.objects[bucket, key] = content

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        self.put_bytes(bucket, key, path.read_bytes())

    def size(self, bucket: str, key: str) -> int | None:
        content = self.objects.get((bucket, key))
        return None if content is None else len(content)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="session")
def new_store() -> type[MemoryStore]:
    """For properties, which need a fresh store for each example."""
    return MemoryStore


@pytest.fixture(scope="session")
def manifest_of() -> Callable[..., dict[str, Any]]:
    """Builds the manifest that belongs to the given files: ``{name: content}``."""

    def build(files: dict[str, bytes], *, province: str, delivery_id: str) -> dict[str, Any]:
        listed = [
            {
                "name": name,
                "dataset": name.partition("-")[0],
                "part": int(name.partition("-")[2][:5]),
                "format": name.partition(".")[2],
                "rows": 1,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in files.items()
        ]
        return {
            "contract_version": "1",
            "instrument": "REGSOSEK22.K",
            "instrument_version": "1",
            "province": province,
            "delivery_id": delivery_id,
            "produced_at": "2022-10-21T20:00:00+07:00",
            "producer": "test",
            "enumerated_from": "2022-10-20",
            "enumerated_to": "2022-10-21",
            "files": listed,
            "totals": {kind: sum(f["dataset"] == kind for f in listed) for kind in ("keluarga", "anggota")},
        }

    return build


@pytest.fixture(scope="session")
def deliver(manifest_of: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Puts a delivery into a store, its manifest last."""

    def put(store: MemoryStore, folder: Any, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            store.put_bytes("landing", folder.prefix + name, content)
        manifest = manifest_of(files, province=folder.province, delivery_id=folder.delivery_id)
        store.put_bytes("landing", folder.prefix + "manifest.json", json.dumps(manifest).encode())

    return put
