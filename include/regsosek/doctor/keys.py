"""The keys: well-formed, and those that the warehouse and the releases were made with."""

import hashlib
import hmac

from sqlalchemy import Connection, text

from regsosek.doctor.finding import Check, Finding, fail, ok, skip, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import SignatureError
from regsosek.minisign import SIGNATURE_SUFFIX, check_signature
from regsosek.release.manifest import MANIFEST, MAX_MANIFEST_BYTES
from regsosek.release.publish import current_prefix
from regsosek.release.signing import signer_of
from regsosek.settings import variable
from regsosek.staging.pseudonyms import HASH_BYTES

HMAC_KEY, SIGNING_KEY = variable("hmac_key"), variable("release_signing_key")
LEAST_DIFFERENT = 10  # characters: a key typed by hand repeats itself
_ENDS = "SELECT min(night), max(night) FROM ledger.delivery WHERE state = 'accepted'"
# Of one delivery each, because a key that was changed half-way hashed the older ones otherwise.
_HASHED = """
SELECT i.r403_nik, a.nik_hash
FROM (SELECT province, delivery_id FROM ledger.delivery WHERE state = 'accepted' AND night = :night) d
JOIN core.anggota a ON a.province = d.province AND a.night = :night AND a.delivery_id = d.delivery_id
JOIN restricted.anggota_identity i ON i.province = a.province AND i.night = :night
 AND i.delivery_id = a.delivery_id AND i.part = a.part AND i.row_no = a.row_no
WHERE a.nik_hash IS NOT NULL LIMIT 1
"""


def _hmac_form(surroundings: Surroundings) -> Finding:
    if surroundings.settings.hmac_key is None:
        return warn("not set here, as befits the API server and the watchdog", f"set {HMAC_KEY} where tasks run")
    key = surroundings.settings.hmac_key.get_secret_value()
    if len(set(key)) < LEAST_DIFFERENT:
        fix = f"before the first night, set {HMAC_KEY} to what `openssl rand -hex 32` prints"
        return fail(f"the key has {len(set(key))} different characters: it can be guessed", fix)
    return ok(f"{len(key)} characters")


def _hmac_use(surroundings: Surroundings) -> Finding:
    if surroundings.settings.hmac_key is None:
        return skip("not set here")
    key = surroundings.settings.hash_key
    with surroundings.engine.connect() as connection:
        ends = [night for night in connection.execute(text(_ENDS)).one() if night]
        fits = {str(night): _fits(connection, night, key) for night in dict.fromkeys(ends)}
    other = [night for night, fitting in fits.items() if fitting is False]
    if other:
        fix = f"bring the old {HMAC_KEY} back (from the safe copy of .env): no hash compares across two keys"
        return fail(f"night {' and '.join(other)} was loaded with another key", fix)
    same = [night for night, fitting in fits.items() if fitting]
    return ok(
        f"the key that night {' and '.join(same)} was loaded with" if same else "no hash is loaded to compare with"
    )


def _fits(connection: Connection, night: object, key: bytes) -> bool | None:
    """Whether a hash of ``night`` was made with ``key``; None where it has none.

    The one number stays in here, and the key outside of the warehouse.
    """
    found = connection.execute(text(_HASHED), {"night": night}).first()
    if found is None:
        return None
    return hmac.digest(key, found[0].encode(), hashlib.sha256)[:HASH_BYTES] == bytes(found[1])


def _signing(surroundings: Surroundings) -> Finding:
    try:
        signer = signer_of(surroundings.settings)
    except (OSError, UnicodeDecodeError) as error:
        return fail(f"the file of the key cannot be read: {type(error).__name__}", f"correct {SIGNING_KEY}_FILE")
    if signer is None:
        return warn("releases are not signed", f"set {SIGNING_KEY} (`regsosek release new-key` makes one)")
    return ok(f"releases are signed with key {signer.public.id}")


def _signed(surroundings: Surroundings) -> Finding:
    signer, store, bucket = signer_of(surroundings.settings), surroundings.store, surroundings.settings.release_bucket
    prefix = current_prefix(store, surroundings.settings)
    if signer is None or prefix is None:
        return ok("nothing to compare yet")
    content = store.get_bytes(bucket, prefix + MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
    signature = store.get_bytes(bucket, prefix + MANIFEST + SIGNATURE_SUFFIX, max_bytes=MAX_MANIFEST_BYTES)
    if content is None or signature is None:
        return warn(f"release {prefix} has no signature", "it was published before there was a key; the next one is")
    try:
        check_signature(content, signature, [signer.public])
    except SignatureError as error:
        fix = f"bring the old key back, or publish the new public key {signer.public.id} (docs/release.md)"
        return fail(f"what readers see is not signed by our key: {error}", fix)
    return ok(f"what readers see is signed by {signer.public.id}")


CHECKS = (
    Check("HMAC key", _hmac_form, settings=("hmac_key",)),
    Check("HMAC key in use", _hmac_use, settings=("hmac_key",), after=("migration", "warehouse rights")),
    Check("signing key", _signing, settings=("release_signing_key", "release_signing_key_file")),
    Check("signature in use", _signed, settings=("release_signing_key",), after=("signing key", "release bucket")),
)
