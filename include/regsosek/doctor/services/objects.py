"""The buckets: there, and open for what each is used for."""

from dataclasses import replace
from functools import partial

from botocore.exceptions import ClientError, ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import LostRaceError, ObjectStoreError, PointerError
from regsosek.landing.store import ABSENT
from regsosek.release.lifecycle.agreement import agreed
from regsosek.settings import variable

# One key, so that a probe that may not be deleted is one object for ever; no reader lists below it.
PROBE, CONTENT = "doctor/probe", b"written by `regsosek doctor`; may be deleted\n"
_KEYS = f"{variable('s3_access_key_id')} and {variable('s3_secret_access_key')}"
_REFUSED = {
    "NoSuchBucket": ("there is no such bucket", "make it, or correct {setting}"),
    "AccessDenied": ("the keys have no right to it", "give their owner the right to {right}"),
    "SignatureDoesNotMatch": ("the secret key is wrong", f"correct {variable('s3_secret_access_key')}"),
    "InvalidAccessKeyId": ("the access key is unknown", f"correct {variable('s3_access_key_id')}"),
    "RequestTimeTooSkewed": ("the clocks differ too much", "let this machine and the store follow a time server"),
    "AuthorizationHeaderMalformed": ("the region is another one", f"correct {variable('s3_region')}"),
}


def _bucket(field: str, surroundings: Surroundings, *, writes: bool, deletes: bool) -> CheckResult:
    bucket, store = getattr(surroundings.settings, field), surroundings.store
    try:
        first = next(store.list_objects(bucket, ""), None)
        if first is not None:
            store.get_bytes(bucket, first.key, max_bytes=1)
    except ObjectStoreError as error:
        return _refusal(field, bucket, error, "list and read")
    if not writes:
        return _unwritten(bucket, surroundings, "listed and read" if first else "listed")
    try:
        store.put_bytes(bucket, PROBE, CONTENT)
        back = store.get_bytes(bucket, PROBE, max_bytes=len(CONTENT) + 1)
    except ObjectStoreError as error:
        return _refusal(field, bucket, error, "write")
    if back != CONTENT:
        return fail(f"{bucket} does not give back what was written", "look for a cache or a filter before the store")
    return _with(_conditions(field, surroundings), _deletion(field, surroundings, must=deletes))


def _unwritten(bucket: str, surroundings: Surroundings, may: str) -> CheckResult:
    """What lands is the producers' own: a key that may delete it could make a delivery unsent."""
    try:
        surroundings.store.delete(bucket, PROBE)  # nothing lies there
    except ObjectStoreError:
        return ok(f"{bucket} can be {may}; nothing may be deleted there, and the pipeline writes nothing")
    return warn(f"{bucket} can be {may}, and deleted from", "give our key the policy of `regsosek store policies`")


def _conditions(field: str, surroundings: Surroundings) -> str:
    """What the store makes of a write that must overwrite nothing, where the probe lies already."""
    bucket, store = getattr(surroundings.settings, field), surroundings.store
    try:
        store.put_bytes(bucket, PROBE, CONTENT + b"again\n", over=ABSENT)
    except LostRaceError:
        return "conditional writes are honoured"
    passed = "ignored" if store.takes_conditions else "refused"
    return f"conditional writes are {passed}: the warehouse's locks alone keep two runs apart"


def _with(more: str, finding: CheckResult) -> CheckResult:
    return replace(finding, found=f"{finding.found}; {more}")


def _deletion(field: str, surroundings: Surroundings, *, must: bool) -> CheckResult:
    bucket = getattr(surroundings.settings, field)
    try:
        surroundings.store.delete(bucket, PROBE)
    except ObjectStoreError as error:
        if must:
            return _refusal(field, bucket, error, "delete")
        return ok(f"{bucket} can be read and written; nothing may be deleted there, as befits an archive")
    return ok(f"{bucket} can be listed, read, written and deleted from")


def _refusal(field: str, bucket: str, error: ObjectStoreError, right: str) -> CheckResult:
    cause = error.__cause__
    if isinstance(cause, EndpointConnectionError | ConnectTimeoutError | ConnectionClosedError):
        fix = f"start the store, or correct {variable('s3_endpoint_url')}"
        return fail(f"{bucket}: nothing answers at the endpoint", fix)
    code = cause.response["Error"].get("Code", "") if isinstance(cause, ClientError) else type(cause).__name__
    found, fix = _REFUSED.get(code, (f"the store refuses to {right} ({code})", "give {owner} the right to {right}"))
    filled = fix.format(setting=variable(field), right=f"{right} in {bucket}", owner=f"the owner of {_KEYS}")
    return fail(f"{bucket}: {found}", filled)


def _pointer(surroundings: Surroundings) -> CheckResult:
    bucket = surroundings.settings.release_bucket
    runbook = "see docs/runbooks/release-pointer.md"
    try:
        with surroundings.engine.connect() as connection:
            standing = agreed(connection, surroundings.store, bucket)
    except PointerError as error:
        return fail(str(error), f"do what the message says; {runbook}")
    return ok(f"readers see release {standing.release_id}" if standing else "nothing is published yet")


_STORE = ("s3_endpoint_url", "s3_region", "s3_access_key_id", "s3_secret_access_key")


def _distinct(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    names = (settings.landing_bucket, settings.archive_bucket, settings.release_bucket)
    if len(set(names)) < len(names):
        fix = "give landing, archive and release a bucket each: what is public must not lie beside what is not"
        return fail(f"two uses share a bucket: {', '.join(names)}", fix)
    return ok(", ".join(names))


def _check(use: str, *, writes: bool, deletes: bool) -> Check:
    field = f"{use}_bucket"
    look = partial(_bucket, field, writes=writes, deletes=deletes)
    return Check(f"{use} bucket", look, settings=(*_STORE, field))


CHECKS = (
    Check("buckets", _distinct),
    _check("landing", writes=False, deletes=False),
    _check("archive", writes=True, deletes=False),
    _check("release", writes=True, deletes=True),
    Check("release pointer", _pointer, after=("migration", "release bucket")),
)
