"""What a province's key may do, tried on the store itself: put below its prefix and list that, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from regsosek.errors import ObjectStoreError
from regsosek.landing.discovery import LANDING, province_prefix
from regsosek.landing.policies import Buckets
from regsosek.landing.store import Store

# A name that tools leave beside files: where it may be written, it is passed over for ever.
REFERENCE = "reference/"
PROBE, CONTENT = "_started_rights", b"written by `regsosek store rights`; may be deleted\n"
_REFUSED = {"AccessDenied", "403", "Forbidden"}
# What is tried: a name, whether it must be allowed, and the request itself.
Trial = tuple[str, bool, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One right: what was tried, whether it must be allowed, and whether it was."""

    what: str
    due: bool
    allowed: bool

    @property
    def sound(self) -> bool:
        """Whether the store did what it must."""
        return self.due == self.allowed


def try_rights(store: Store, buckets: Buckets, province: str, other: str) -> Iterator[Tried]:
    """Tries every right that the key of ``province`` has and must not have; ``other`` is any other province.

    The key deletes nothing, so that an empty object below its prefix stays.

    Raises:
        ObjectStoreError: the store answers neither yes nor no.
    """
    for what, due, request in _trials(store, buckets, province, other):
        yield Tried(what, due, _allowed(request))


def _trials(store: Store, buckets: Buckets, province: str, other: str) -> Iterator[Trial]:
    landing, own, foreign = buckets.landing, province_prefix(province), province_prefix(other)
    yield f"put below {own}", True, partial(store.put_bytes, landing, own + PROBE, CONTENT)
    yield f"list {own}", True, partial(_listed, store, landing, own)
    # Of a place that it may not list a store refuses to read what is not there, whatever the right to read.
    yield f"read below {own}", False, partial(store.get_bytes, landing, own + PROBE, max_bytes=1)
    yield f"delete below {own}", False, partial(store.delete, landing, own + PROBE)
    for prefix in (foreign, REFERENCE, LANDING, f"{own.rstrip('/')}0/"):
        yield f"put below {prefix}", False, partial(store.put_bytes, landing, prefix + PROBE, CONTENT)
    for prefix in (foreign, REFERENCE, LANDING, own.rstrip("/"), ""):
        yield f"list {prefix or landing}", False, partial(_listed, store, landing, prefix)
    for bucket in (buckets.archive, buckets.release):
        yield f"list {bucket}", False, partial(_listed, store, bucket, "")
        yield f"put into {bucket}", False, partial(store.put_bytes, bucket, PROBE, CONTENT)


def _listed(store: Store, bucket: str, prefix: str) -> object:
    return next(store.list_objects(bucket, prefix), None)


def _allowed(request: Callable[[], object]) -> bool:
    try:
        request()
    except ObjectStoreError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and cause.response["Error"].get("Code", "") in _REFUSED:
            return False
        raise
    return True
