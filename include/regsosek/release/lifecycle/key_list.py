"""The keys that releases were and are signed with: a table of ours, and the list made of it that readers are given.

The list is signed with the key of today, which readers know from elsewhere. It says when each key was in use, and which
one is believed no more. Of a revoked key whoever has it could sign anything under any day, so its releases are
believed by name alone: the list vouches for those that the warehouse knows, by their content hashes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from regsosek.errors import ConfigurationError, ReferenceDataError, SignatureError
from regsosek.geography.reference_table import read_table
from regsosek.landing.store import Store
from regsosek.minisign import SIGNATURE_SUFFIX, PublicKey, Signer, check_signature
from regsosek.release.lifecycle.pointer import KEYS, key_address

KEY_LIST = f"{KEYS}kunci.json"
MAX_LIST_BYTES = 4 << 20
COLUMNS = ("public_key", "valid_from", "valid_to", "revoked_on", "note")
_VOUCHED = """
SELECT content_hash, release_id FROM release.release WHERE manifest ->> 'signed_by' = ANY(:revoked) ORDER BY release_id
"""


@dataclass(frozen=True)
class ReleaseKey:
    """A key, the days on which releases were built with it (both included), and since when it is believed no more."""

    key: PublicKey
    valid_from: date
    valid_to: date
    revoked_on: date | None
    note: str

    def signs_on(self, day: date) -> bool:
        """Whether releases may be built with it on ``day``."""
        return self.valid_from <= day <= self.valid_to and (self.revoked_on is None or day < self.revoked_on)


@dataclass(frozen=True)
class KeyList:
    """All keys, and the releases of revoked ones that are vouched for: release id by content hash."""

    keys: tuple[ReleaseKey, ...]
    vouched: Mapping[str, str]

    @property
    def public(self) -> list[PublicKey]:
        """What signatures are looked up by."""
        return [each.key for each in self.keys]

    @property
    def document(self) -> bytes:
        """As readers are given it."""
        keys = [
            {
                "id": each.key.id,
                "public_key": each.key.text,
                "valid_from": str(each.valid_from),
                "valid_to": str(each.valid_to),
                "revoked_on": str(each.revoked_on) if each.revoked_on else None,
                "note": each.note,
            }
            for each in self.keys
        ]
        vouched = [{"content_hash": each, "release_id": name} for each, name in self.vouched.items()]
        return (json.dumps({"keys": keys, "vouched": vouched}, indent=2, ensure_ascii=False) + "\n").encode()

    def faults(self, key_id: str, manifest: Mapping[str, Any]) -> Iterator[str]:
        """What speaks against a release that ``key_id`` signed, beside the signature."""
        [own] = [each for each in self.keys if each.key.id == key_id]
        if own.revoked_on is not None:
            if manifest["content_hash"] not in self.vouched:
                yield f"key {key_id} was revoked on {own.revoked_on}, and the list of keys vouches not for this release"
            return
        built = datetime.fromisoformat(manifest["built_at"]).date()
        if not own.signs_on(built):
            yield f"key {key_id} signed from {own.valid_from} to {own.valid_to}, and this was built on {built}"


def release_keys(path: Path) -> tuple[ReleaseKey, ...]:
    """The keys of a file, in its order.

    Args:
        path: CSV with the columns public_key, valid_from, valid_to (empty while it is in use), revoked_on (empty but
            where somebody else may have it), note.

    Raises:
        ReferenceDataError: the file cannot be read, or a line is malformed.
    """
    found = tuple(_key(path.name, row) for row in read_table(path, COLUMNS))
    ids = [each.key.id for each in found]
    if len(set(ids)) < len(ids):
        raise ReferenceDataError(f"{path.name}: a key stands twice")
    return found


def read_list(document: bytes, signature: bytes | None, trusted: Sequence[PublicKey]) -> KeyList:
    """The list, if one of the ``trusted`` keys signed it.

    Raises:
        SignatureError: it is signed by none of them, or was changed.
    """
    if signature is None:
        raise SignatureError("the list of keys is not signed")
    check_signature(document, signature, trusted)
    try:
        content = json.loads(document)
        keys = tuple(_listed(each) for each in content["keys"])
        return KeyList(keys, {each["content_hash"]: each["release_id"] for each in content["vouched"]})
    except (ValueError, KeyError, TypeError, ConfigurationError):
        raise SignatureError("the list of keys is signed and cannot be read") from None


def list_of(connection: Connection, keys: Sequence[ReleaseKey]) -> KeyList:
    """The list of today: the keys, and what was published with those that are revoked."""
    revoked = [each.key.id for each in keys if each.revoked_on]
    rows = connection.execute(text(_VOUCHED), {"revoked": revoked})
    return KeyList(tuple(keys), {row.content_hash: row.release_id for row in rows})


def require_signer(keys: Sequence[ReleaseKey], signer: Signer | None, today: date) -> Signer:
    """The key that the night signs with, if the table lets it sign today.

    Raises:
        ConfigurationError: there is none, or it may not.
    """
    if signer is None:
        raise ConfigurationError("releases are not signed here: set REGSOSEK_RELEASE_SIGNING_KEY")
    if not any(each.key.raw == signer.public.raw and each.signs_on(today) for each in keys):
        raise ConfigurationError(
            f"key {signer.public.id} signs releases here, and the table of keys does not let it sign on {today}: enter "
            "it, or give the night the newer key"
        )
    return signer


def offer(store: Store, bucket: str, keys: KeyList, signer: Signer) -> None:
    """Puts list and keys beside the releases; the list comes last, and its signature before it."""
    for each in keys.public:
        store.put_bytes(bucket, key_address(each.id), each.file)
    store.put_bytes(bucket, KEY_LIST + SIGNATURE_SUFFIX, signer.sign(keys.document, "keys of Regsosek releases"))
    store.put_bytes(bucket, KEY_LIST, keys.document)


def _listed(each: Mapping[str, Any]) -> ReleaseKey:
    begins, ends = (date.fromisoformat(each[name]) for name in ("valid_from", "valid_to"))
    revoked = date.fromisoformat(each["revoked_on"]) if each["revoked_on"] else None
    return ReleaseKey(PublicKey.read(each["public_key"]), begins, ends, revoked, str(each["note"]))


def _key(file_name: str, row: Mapping[str, str]) -> ReleaseKey:
    try:
        return _listed({**row, "valid_to": row["valid_to"] or "9999-12-31"})
    except ConfigurationError as error:
        raise ReferenceDataError(f"{file_name}: {error}") from None
    except ValueError:
        raise ReferenceDataError(f"{file_name}: valid_from, valid_to and revoked_on are days, as 2022-10-15") from None
