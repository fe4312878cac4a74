"""The keys: well-formed, and those that the warehouse and the releases were made with."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, skip, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import ArchiveKeyError, ConfigurationError, SignatureError
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.landing.encrypted import EncryptedArchive, archive_identity
from regsosek.landing.producer_keys import producer_keys
from regsosek.minisign import SIGNATURE_SUFFIX, check_signature
from regsosek.release.lifecycle.key_list import release_keys, require_signer
from regsosek.release.lifecycle.manifest import MANIFEST, MAX_MANIFEST_BYTES
from regsosek.release.lifecycle.signing import signer_of
from regsosek.release.publish import current_prefix
from regsosek.settings import variable
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.hashes.hash_keys import keys_in_use
from regsosek.wording.nouns import counted

HMAC_KEY, SIGNING_KEY = variable("hmac_key"), variable("release_signing_key")
ARCHIVE_KEY = variable("archive_key")
LONGEST_DAYS, ENDING_DAYS = 400, 30
LEAST_DIFFERENT = 10  # characters: a key typed by hand repeats itself
_ENDS = "SELECT min(night), max(night) FROM ledger.delivery WHERE state = 'accepted'"
# Of one delivery each, because a key that was changed half-way hashed the older ones otherwise.
_HASHED = """
SELECT a.province, i.r403_nik, a.nik_hash
FROM (SELECT province, delivery_id FROM ledger.delivery WHERE state = 'accepted' AND night = :night) d
JOIN core.anggota a ON a.province = d.province AND a.night = :night AND a.delivery_id = d.delivery_id
JOIN restricted.anggota_identity i ON i.province = a.province AND i.night = :night
 AND i.delivery_id = a.delivery_id AND i.part = a.part AND i.row_no = a.row_no
WHERE a.nik_hash IS NOT NULL LIMIT 1
"""
_BEHIND = """
SELECT DISTINCT d.province FROM ledger.delivery d LEFT JOIN ledger.hash_key h USING (province)
WHERE coalesce(h.generation, 1) < :newest OR h.rebuild_from IS NOT NULL ORDER BY 1
"""


def _hmac_form(surroundings: Surroundings) -> CheckResult:
    if surroundings.settings.hmac_key is None:
        return warn("not set here, as befits the API server and the watchdog", f"set {HMAC_KEY} where tasks run")
    keys = surroundings.settings.hash_keys
    least = min(len(set(key)) for key in keys)
    if least < LEAST_DIFFERENT:
        fix = f"before the first night, set {HMAC_KEY} to what `openssl rand -hex 32` prints"
        return fail(f"the key has {least} different characters: it can be guessed", fix)
    if len(set(keys)) < len(keys):
        return fail("a key stands twice in the chain", f"write a new key behind the others in {HMAC_KEY}")
    return ok(f"{len(keys[-1])} characters" + (f", key {len(keys)} of a chain" if len(keys) > 1 else ""))


def _hmac_use(surroundings: Surroundings) -> CheckResult:
    if surroundings.settings.hmac_key is None:
        return skip("not set here")
    keys = surroundings.settings.hash_keys
    with surroundings.engine.connect() as connection:
        ends = [night for night in connection.execute(text(_ENDS)).one() if night]
        fits = {str(night): _fits(connection, night, keys) for night in dict.fromkeys(ends)}
        behind = list(connection.execute(text(_BEHIND), {"newest": len(keys)}).scalars())
    other = [night for night, fitting in fits.items() if fitting is False]
    if other:
        fix = f"bring the old {HMAC_KEY} back (from the safe copy of .env): no hash compares across two keys"
        return fail(f"night {' and '.join(other)} was loaded with another key", fix)
    if behind:
        fix = "`regsosek keys rotate hmac` tells what is left, and does it with --apply (docs/security.md)"
        return warn(
            f"{counted(len(behind), 'province is', 'provinces are')} not at the newest key yet: {', '.join(behind)}",
            fix,
        )
    same = [night for night, fitting in fits.items() if fitting]
    return ok(
        f"the key that night {' and '.join(same)} was loaded with" if same else "no hash is loaded to compare with"
    )


def _fits(connection: Connection, night: object, keys: HashKeys) -> bool | None:
    """Whether a hash of ``night`` was made with ``keys``, or those of them that its province has; None: it has none.

    The one number stays in here, and the keys outside of the warehouse.
    """
    found = connection.execute(text(_HASHED), {"night": night}).first()
    if found is None:
        return None
    try:
        used = keys_in_use(connection, found.province, keys)
    except ConfigurationError:
        return False
    return hashed_on(found.r403_nik.encode(), used) == bytes(found.nik_hash)


def _archive_form(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    if settings.archive_key is None:
        return warn("not set here, as befits the API server and the watchdog", f"set {ARCHIVE_KEY} where tasks run")
    try:
        archive_identity(settings.archive_secret)
    except ConfigurationError as error:
        return fail("no identity of age", str(error))
    return ok("an identity of age")


def _archive_use(surroundings: Surroundings) -> CheckResult:
    settings, store = surroundings.settings, surroundings.store
    if settings.archive_key is None:
        return skip("not set here")
    archive = EncryptedArchive(store, settings.archive_bucket, settings.archive_secret)
    newest = next(archive.keys(), None)
    if newest is None:
        return ok("no file is archived to try it on")
    try:
        archive.current(newest)
    except ArchiveKeyError as error:
        return fail("files were archived with another key", str(error))
    return ok("opens the keys of archived files")


def _signing(surroundings: Surroundings) -> CheckResult:
    try:
        signer = signer_of(surroundings.settings)
    except (OSError, UnicodeDecodeError) as error:
        return fail(f"the file of the key cannot be read: {type(error).__name__}", f"correct {SIGNING_KEY}_FILE")
    if signer is None:
        return warn("releases are not signed", f"set {SIGNING_KEY} (`regsosek release new-key` makes one)")
    told, today = f"releases are signed with key {signer.public.id}", _today()
    if surroundings.settings.release_keys_file is None:
        return ok(told)
    keys = release_keys(surroundings.settings.release_keys_file)
    require_signer(keys, signer, today)
    [since] = [each.valid_from for each in keys if each.key.raw == signer.public.raw]
    if (today - since).days > LONGEST_DAYS:
        return warn(f"{told} since {since}", "go over to a new one (docs/release.md#keys)")
    return ok(f"{told} since {since}")


def _today() -> date:
    return datetime.now(UTC).astimezone(NIGHT_ZONE).date()


def _producers(surroundings: Surroundings) -> CheckResult:
    """A province whose last key ends delivers nothing from that night on."""
    own: dict[str, date] = {}
    for each in producer_keys(surroundings.settings.producer_keys_file):
        own[each.province] = max(each.valid_to, own.get(each.province, date.min))
    ending = {code: day for code, day in sorted(own.items()) if day < _today() + timedelta(days=ENDING_DAYS)}
    if ending:
        told = ", ".join(f"{code} on {day}" for code, day in ending.items())
        return warn(f"the last keys of provinces end: {told}", "take in new ones (docs/landing-contract.md#signature)")
    return ok(counted(len(own), "province signs its manifests", "provinces sign their manifests"))


def _signed(surroundings: Surroundings) -> CheckResult:
    signer, store, bucket = signer_of(surroundings.settings), surroundings.store, surroundings.settings.release_bucket
    prefix = current_prefix(store, surroundings.settings)
    if signer is None or prefix is None:
        return ok("nothing to compare yet")
    content = store.get_bytes(bucket, prefix + MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
    signature = store.get_bytes(bucket, prefix + MANIFEST + SIGNATURE_SUFFIX, max_bytes=MAX_MANIFEST_BYTES)
    if content is None or signature is None:
        return warn(f"release {prefix} has no signature", "it was published before there was a key; the next one is")
    listed = surroundings.settings.release_keys_file
    former = [each.key for each in release_keys(listed) if not each.revoked_on] if listed else []
    try:
        check_signature(content, signature, [signer.public, *former])
    except SignatureError as error:
        fix = f"bring the old key back, or publish the new public key {signer.public.id} (docs/release.md)"
        return fail(f"what readers see is not signed by our key: {error}", fix)
    return ok(f"what readers see is signed by {signer.public.id}")


CHECKS = (
    Check("HMAC key", _hmac_form, settings=("hmac_key",)),
    Check("HMAC key in use", _hmac_use, settings=("hmac_key",), after=("migration", "warehouse rights")),
    Check("archive key", _archive_form, settings=("archive_key",)),
    Check("archive key in use", _archive_use, settings=("archive_key",), after=("archive key", "archive bucket")),
    Check("signing key", _signing, settings=("release_signing_key", "release_signing_key_file")),
    Check("keys of producers", _producers, settings=("producer_keys_file",)),
    Check("signature in use", _signed, settings=("release_signing_key",), after=("signing key", "release bucket")),
)
