"""Is a release what was published? Signature, hashes and completeness, in any folder or bucket; no warehouse."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from regsosek.errors import SignatureError
from regsosek.landing.store import Store
from regsosek.minisign import SIGNATURE_SUFFIX, PublicKey, check_signature
from regsosek.release.lifecycle.key_list import KeyList
from regsosek.release.lifecycle.manifest import MANIFEST, MAX_MANIFEST_BYTES, content_hash

# A file of the release by name, up to so many bytes; None where there is none.
Read = Callable[[str, int], bytes | None]


@dataclass(frozen=True)
class Verified:
    """What a check of a release found.

    Attributes:
        signed_by: id of the trusted key that signed it; ``None`` where none did, or was asked for.
        faults: what does not hold, in words; nothing for a release that is whole and as published.
    """

    release_id: str
    files: int
    signed_by: str | None
    faults: tuple[str, ...]


def in_folder(folder: Path) -> Read:
    """The files of a folder on this machine."""

    def read(name: str, limit: int) -> bytes | None:
        path = folder / name
        # A link in the folder may lead out of it, whatever the name says.
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            return None
        with path.open("rb") as file:
            return file.read(limit)

    return read


def in_bucket(store: Store, bucket: str, prefix: str) -> Read:
    """The files below a prefix of a bucket."""
    return lambda name, limit: store.get_bytes(bucket, prefix + name, max_bytes=limit)


def verify(read: Read, trusted: Sequence[PublicKey] | None, keys: KeyList | None = None) -> Verified:
    """Checks a release against its manifest, and the manifest against its signature; this not, if no key is given.

    Args:
        keys: a list that one of the trusted keys signed: former keys count for their time.
    """
    document = read(MANIFEST, MAX_MANIFEST_BYTES)
    if document is None:
        return Verified("", 0, None, (f"{MANIFEST} is missing: this is no release, or not all of one",))
    believed = [*(trusted or ()), *(keys.public if keys else ())]
    signed_by, faults = (None, []) if trusted is None else _signature(read, document, believed)
    try:
        content = json.loads(document)
        files = {str(each["name"]): each for each in content["files"]}
        told = [*faults, *_files(read, files), *_identity(content, files)]
        if keys and signed_by in {each.id for each in keys.public}:
            told += keys.faults(signed_by, content)
        return Verified(str(content["release_id"]), len(files), signed_by, tuple(told))
    except (ValueError, KeyError, TypeError):
        return Verified("", 0, signed_by, (*faults, f"{MANIFEST} is no manifest of a release"))


def _signature(read: Read, document: bytes, trusted: Sequence[PublicKey]) -> tuple[str | None, list[str]]:
    signature = read(MANIFEST + SIGNATURE_SUFFIX, MAX_MANIFEST_BYTES)
    if signature is None:
        return None, ["it is not signed"]
    try:
        return check_signature(document, signature, trusted).id, []
    except SignatureError as error:
        return None, [str(error)]


def _files(read: Read, files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, each in files.items():
        # A name that leads elsewhere would have this machine's own files read.
        if not is_inside(name):
            yield f"{name!r} is no file name"
            continue
        found = read(name, int(each["bytes"]) + 1)
        if found is None:
            yield f"{name} is missing"
        elif hashlib.sha256(found).hexdigest() != each["sha256"]:
            yield f"{name} is not the published file"


def is_inside(name: str) -> bool:
    """Whether a name stays in the folder of its release on every system: ``kabkota/3578.html``, no step up, no root."""
    parts = name.split("/")
    plain = all(part not in {"", ".", ".."} and not set(part) & set("\\:\0") for part in parts)
    return plain and str(PurePosixPath(name)) == name


def _identity(content: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    hashed = content_hash({name: str(each["sha256"]) for name, each in files.items()})
    if hashed != content["content_hash"] or not str(content["release_id"]).endswith(f"-{hashed[:12]}"):
        yield "content hash or release id is not that of the files"
