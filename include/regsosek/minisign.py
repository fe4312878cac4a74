"""Signatures of manifests, which name the SHA-256 of every file: Ed25519, as minisign writes them.

Releases are signed by us and deliveries by their producers; anyone can check and sign without this project:
``minisign -Vm manifest.json -P <public key>``, ``minisign -Sm manifest.json``.

By hand over ``cryptography``: Python has no kept library of the format. A test holds it to what the tool itself wrote.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from regsosek.errors import ConfigurationError, SignatureError

SIGNATURE_SUFFIX = ".minisig"
MAX_SIGNATURE_BYTES = 4096
# minisign's names: a key, and a signature over the BLAKE2b hash of a file.
_KEY, _HASHED = b"Ed", b"ED"
_ID_BYTES, _SEED_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 32, 64
_SIGNATURE_LINES = 4


@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are checked with; minisign draws its id at random, ours follows from the key."""

    raw: bytes
    id_bytes: bytes

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """A key of ours: nobody has to keep its id."""
        return cls(raw, hashlib.sha256(raw).digest()[:_ID_BYTES])

    @property
    def id(self) -> str:
        """As minisign shows it: 16 hex digits."""
        return _shown(self.id_bytes)

    @property
    def text(self) -> str:
        """One line, to be published."""
        return _encoded(_KEY + self.id_bytes + self.raw)

    @property
    def file(self) -> bytes:
        """A public key file as minisign reads it."""
        return f"untrusted comment: public key {self.id} of Regsosek releases\n{self.text}\n".encode()

    @classmethod
    def read(cls, text: str) -> Self:
        """A key from its line, or from a file of minisign with a comment above it.

        Raises:
            ConfigurationError: it is no public key.
        """
        decoded = _decoded(text.strip().rpartition("\n")[2])
        if len(decoded) != len(_KEY) + _ID_BYTES + _KEY_BYTES or not decoded.startswith(_KEY):
            raise ConfigurationError("not a public key (give the line that `new-key` printed, or that of minisign -G)")
        return cls(decoded[-_KEY_BYTES:], decoded[len(_KEY) : -_KEY_BYTES])


@dataclass(frozen=True)
class Signer:
    """The secret key of who signs."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """What others check with."""
        return PublicKey.of(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def secret_text(self) -> str:
        """One line of hex digits, to be kept secret."""
        return self.key.private_bytes_raw().hex()

    @classmethod
    def new(cls) -> Self:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, text: str) -> Self:
        """The key from its line.

        Raises:
            ConfigurationError: it is no secret key; the text is not repeated.
        """
        try:
            seed = bytes.fromhex(text.strip())
        except ValueError:
            seed = b""
        if len(seed) != _SEED_BYTES:
            raise ConfigurationError("not a secret key (`regsosek release new-key` makes one)")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, content: bytes, told: str) -> bytes:
        """The signature file of ``content``; ``told`` is a comment that is signed with it."""
        signature = self.key.sign(_hash(content))
        whole = self.key.sign(signature + told.encode())
        lines = (
            "untrusted comment: signature of a Regsosek manifest",
            _encoded(_HASHED + self.public.id_bytes + signature),
            f"trusted comment: {told}",
            _encoded(whole),
        )
        return ("\n".join(lines) + "\n").encode()


def signed_by(signature: bytes) -> str:
    """The id of the key that a signature says it is of; whether it is, only :func:`check_signature` knows.

    Raises:
        SignatureError: it is no signature as minisign writes them.
    """
    return _shown(_parts(signature)[0])


def check_signature(content: bytes, signature: bytes, trusted: Sequence[PublicKey]) -> PublicKey:
    """The one of the ``trusted`` keys that signed ``content``: of old and new keys, while one replaces the other.

    Raises:
        SignatureError: it is signed by none of them, or has changed since.
    """
    key_id, signed, told, whole = _parts(signature)
    found = next((each for each in trusted if each.id_bytes == key_id), None)
    if found is None:
        raise SignatureError(f"signed by key {_shown(key_id)}, which is none of the trusted keys")
    try:
        key = Ed25519PublicKey.from_public_bytes(found.raw)
        key.verify(signed, _hash(content))
        key.verify(whole, signed + told)
    except InvalidSignature:
        raise SignatureError(f"manifest and signature of key {found.id} do not fit: one of them was changed") from None
    return found


def _parts(signature: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Key id, signature of the content, trusted comment, and the signature over both."""
    lines = signature.decode("utf-8", "replace").splitlines()
    parts = _decoded(lines[1]) if len(lines) == _SIGNATURE_LINES else b""
    kind, key_id, signed = parts[:2], parts[2 : 2 + _ID_BYTES], parts[2 + _ID_BYTES :]
    if kind != _HASHED or len(signed) != _SIGNATURE_BYTES:
        raise SignatureError("the signature file is not one of minisign's over the hash of a file")
    return key_id, signed, lines[2].removeprefix("trusted comment: ").encode(), _decoded(lines[3])


def _shown(key_id: bytes) -> str:
    return f"{int.from_bytes(key_id, 'little'):016X}"


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content).digest()


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(text: str) -> bytes:
    """The bytes of a line; none where it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
