"""Delivered files in the archive: encrypted, each with a key of its own that can be destroyed.

A file lies under the sha256 of its plain bytes, in the format of age. The identity that opens it is drawn at random and
lies beside it under ``keys/``, itself encrypted for the archive key of the deployment. Whoever destroys that small
object makes the content and every copy of it unreadable. In an emergency the tool ``age`` opens both by itself.

In place of an identity stands what became of it: a content that was rewritten names the one that took its place.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyrage
from pydantic import BaseModel, ConfigDict, ValidationError
from pyrage import x25519

from regsosek.contract.manifest import Sha256
from regsosek.errors import ArchiveKeyError, ConfigurationError, DestroyedContentError, LostRaceError, ObjectStoreError
from regsosek.landing.store import ABSENT, Store

log = logging.getLogger(__name__)
# How every file in the format of age begins.
AGE_MAGIC = b"age-encryption.org/v1\n"
KEYS = "keys/"
_CHUNK, _TAG = 64 * 1024, 16
# The least and the most that a header takes; it holds a line of random length.
_LEAST_HEADER, _MOST_HEADER = 184, 1024
_MAX_KEY_BYTES = 64 * 1024


class Destroyed(BaseModel):
    """What stands in place of a key: when it was destroyed, for which request, and what took the content's place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    at: datetime
    replaced_by: Sha256 | None = None


def object_key(sha256: str) -> str:
    """Where content with that hash is kept."""
    return f"objects/sha256/{sha256[:2]}/{sha256}"


def key_of(sha256: str) -> str:
    """Where the key of that content is kept."""
    return f"{KEYS}sha256/{sha256[:2]}/{sha256}"


def sha256_of(path: Path) -> str:
    """The hash of a local file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def archive_identity(secret: str) -> x25519.Identity:
    """The archive key of the deployment.

    Raises:
        ConfigurationError: it is none; its text is not repeated.
    """
    try:
        return x25519.Identity.from_str(secret)
    except pyrage.IdentityError:
        raise ConfigurationError(
            "REGSOSEK_ARCHIVE_KEY is no identity of age (AGE-SECRET-KEY-1...); `age-keygen` or `make env` makes one"
        ) from None


@dataclass(frozen=True)
class EncryptedArchive:
    """Keeps and brings delivered files.

    Attributes:
        secret: the archive key of the deployment, as age writes it.
    """

    store: Store
    bucket: str
    secret: str = field(repr=False)

    def keep(self, path: Path) -> str:
        """Keeps the contents of a local file; doing it again changes nothing. Returns their sha256.

        Raises:
            DestroyedContentError: this very content was erased; it is not kept again.
        """
        sha256, size = sha256_of(path), path.stat().st_size
        found = self._key(sha256)
        if isinstance(found, Destroyed):
            raise _destroyed(sha256, found)
        if found is None or not self._is_encrypted(sha256, size):
            self._write(path, sha256, found or self._new_key(sha256))
        return sha256

    def has(self, sha256: str, size: int) -> bool:
        """Whether content of ``size`` plain bytes is kept under that hash, encrypted or from before there were keys.

        What was rewritten is kept as long as that is which took its place.
        """
        current = self.current(sha256)
        if current != sha256:
            return self.store.size(self.bucket, object_key(current)) is not None
        return self.store.size(self.bucket, object_key(sha256)) == size or self._is_encrypted(sha256, size)

    def fetch(self, sha256: str, path: Path) -> Path:
        """Brings content back to ``path``, verified: of what was rewritten, that which took its place.

        On error nothing stands there that did not before.

        Raises:
            DestroyedContentError: its key was destroyed, and nothing took its place.
            ArchiveKeyError: its key is lost, or of another deployment.
            ObjectStoreError: the archive has no such content, or it no longer has its hash.
        """
        while isinstance(found := self._key(sha256), Destroyed):
            if found.replaced_by is None:
                raise _destroyed(sha256, found)
            sha256 = found.replaced_by
        arriving = path.with_name(f"{path.name}.arriving")
        try:
            self._download(sha256, arriving)
            opened = self._opened(sha256, arriving, found)
            if sha256_of(opened) != sha256:
                raise self._unfit(sha256, "damaged")
            return opened.replace(path)
        finally:
            for left in (arriving, _opened_beside(arriving)):
                left.unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """The hashes of all contents that have a key or had one."""
        return (found.key.rpartition("/")[2] for found in self.store.list_objects(self.bucket, KEYS))

    def current(self, sha256: str) -> str:
        """The hash of what holds a content's place today: its own, until it is rewritten."""
        found = self._key(sha256)
        if isinstance(found, Destroyed) and found.replaced_by is not None:
            return self.current(found.replaced_by)
        return sha256

    def destroy(self, sha256: str, *, request: str, at: datetime, replaced_by: str | None = None) -> None:
        """Destroys the key of a content, then the content: nobody reads it any more, nor any copy of it.

        Both are written over, which needs no right to delete, and which a copy of the bucket follows.
        """
        gone = Destroyed(request=request, at=at, replaced_by=replaced_by)
        self.store.put_bytes(self.bucket, key_of(sha256), gone.model_dump_json().encode())
        self.store.put_bytes(self.bucket, object_key(sha256), b"")

    def is_plain(self, sha256: str, size: int) -> bool:
        """Whether content lies there as an earlier version left it: in clear."""
        return self.store.size(self.bucket, object_key(sha256)) == size

    def _key(self, sha256: str) -> x25519.Identity | Destroyed | None:
        wrapped = self.store.get_bytes(self.bucket, key_of(sha256), max_bytes=_MAX_KEY_BYTES)
        if wrapped is None:
            return None
        return self._unwrapped(sha256, wrapped) if wrapped.startswith(AGE_MAGIC) else _record(self, sha256, wrapped)

    def _unwrapped(self, sha256: str, wrapped: bytes) -> x25519.Identity:
        try:
            return x25519.Identity.from_str(pyrage.decrypt(wrapped, [archive_identity(self.secret)]).decode())
        except (pyrage.DecryptError, pyrage.IdentityError):
            raise ArchiveKeyError(
                f"archive {self.bucket}/{key_of(sha256)} cannot be opened with REGSOSEK_ARCHIVE_KEY: bring the key "
                "back that it was written with (the safe copy of .env), or restore it from a copy of the bucket"
            ) from None

    def _new_key(self, sha256: str) -> x25519.Identity:
        """Draws a key and keeps it, before anything is encrypted with it; of two that draw, the first one's holds."""
        drawn = x25519.Identity.generate()
        wrapped = pyrage.encrypt(str(drawn).encode(), [archive_identity(self.secret).to_public()])
        try:
            self.store.put_bytes(self.bucket, key_of(sha256), wrapped, over=ABSENT)
        except LostRaceError:
            log.info("another run keeps the same content at this moment; its key holds")
        # A store that knows no conditions lets the last one win: what lies there is what counts.
        kept = self._key(sha256)
        if not isinstance(kept, x25519.Identity):
            raise ObjectStoreError(f"archive {self.bucket}/{key_of(sha256)} is not there after the upload (run again)")
        return kept

    def _write(self, path: Path, sha256: str, key: x25519.Identity) -> None:
        encrypted = path.with_name(f"{path.name}.age")
        try:
            pyrage.encrypt_file(str(path), str(encrypted), [key.to_public()])
            size = encrypted.stat().st_size
            self.store.put_file(self.bucket, object_key(sha256), encrypted)
        finally:
            encrypted.unlink(missing_ok=True)
        stored = self.store.size(self.bucket, object_key(sha256))
        if stored != size:
            raise ObjectStoreError(
                f"archive {self.bucket}/{object_key(sha256)} holds {stored} bytes of {size} after the upload "
                "(run again)"
            )

    def _is_encrypted(self, sha256: str, size: int) -> bool:
        """Whether the object has the size of the encrypted content: another one is an upload that went wrong."""
        stored = self.store.size(self.bucket, object_key(sha256))
        if stored is None:
            return False
        payload = size + _TAG * max(1, -(-size // _CHUNK))
        return _LEAST_HEADER <= stored - payload <= _MOST_HEADER

    def _download(self, sha256: str, arriving: Path) -> None:
        key = object_key(sha256)
        size = self.store.size(self.bucket, key)
        got = None if size is None else self.store.download(self.bucket, key, arriving, expected_bytes=size)
        if got is None:
            raise self._unfit(sha256, "missing")

    def _opened(self, sha256: str, arriving: Path, key: x25519.Identity | None) -> Path:
        """The plain bytes; content from before there were keys lies there in clear."""
        with arriving.open("rb") as file:
            is_encrypted = file.read(len(AGE_MAGIC)) == AGE_MAGIC
        if not is_encrypted:
            return arriving
        if key is None:
            raise ArchiveKeyError(
                f"archive {self.bucket}/{key_of(sha256)} is lost, and the content with it: restore it from a copy of "
                "the bucket"
            )
        opened = _opened_beside(arriving)
        try:
            pyrage.decrypt_file(str(arriving), str(opened), [key])
        except (pyrage.DecryptError, OSError):
            raise self._unfit(sha256, "damaged") from None
        return opened

    def _unfit(self, sha256: str, state: str) -> ObjectStoreError:
        return ObjectStoreError(
            f"archive {self.bucket}/{object_key(sha256)} is {state} (restore it from a copy of the bucket)"
        )


def _opened_beside(arriving: Path) -> Path:
    return arriving.with_name(f"{arriving.name}.opened")


def _record(archive: EncryptedArchive, sha256: str, document: bytes) -> Destroyed:
    try:
        return Destroyed.model_validate_json(document)
    except ValidationError:
        raise ArchiveKeyError(
            f"archive {archive.bucket}/{key_of(sha256)} is neither a key nor the record of one that was destroyed: "
            "restore it from a copy of the bucket"
        ) from None


def _destroyed(sha256: str, gone: Destroyed) -> DestroyedContentError:
    return DestroyedContentError(
        f"content {sha256} was destroyed at {gone.at:%Y-%m-%d %H:%M} UTC for request {gone.request}; nothing brings it "
        "back"
    )
