"""What object storage holds: which release readers see, and what provinces delivered lately."""

from datetime import date, datetime

from regsosek.contract.manifest import MANIFEST_NAME
from regsosek.errors import ObjectStoreError, PointerError
from regsosek.geography.provinces import provinces
from regsosek.landing.archive import archived_seals
from regsosek.landing.discovery import place_of, province_prefix
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.landing.store import Store
from regsosek.release.lifecycle.pointer import seen
from regsosek.settings import Settings
from regsosek.watchdog.observing.limits import Limits
from regsosek.watchdog.observing.observed import SeenStore, Unreachable
from regsosek.watchdog.observing.silent_provinces import days_listened

# A store that restarts is no news; a round must end long before the next one begins.
BRIEF = RetryPolicy(connect_timeout=3, read_timeout=15, request_attempts=1, operation_attempts=3, first_wait=2)


def open_store(settings: Settings) -> ObjectStore:
    """A store that is not waited for long."""
    return ObjectStore.connect(settings, BRIEF)


def see_store(store: Store, settings: Settings, now: datetime, rules: Limits) -> SeenStore | Unreachable:
    """Reads pointer, landing area and the names of the seals, or says which operation failed."""
    try:
        position = seen(store, settings.release_bucket)
        delivered = _delivered(store, settings.landing_bucket, now, rules)
        sealed = archived_seals(store, settings.archive_bucket)
    except PointerError:
        return Unreachable("the release pointer cannot be read; see the runbook of POINTER_ASTRAY")
    except ObjectStoreError as error:
        return Unreachable(fault_of(error))
    return SeenStore(release=position, delivered=delivered, sealed=sealed)


def fault_of(error: ObjectStoreError) -> str:
    """Which operation, and the kind of fault: the words of the client quote addresses."""
    operation = str(error).partition(":")[0]
    cause = error.__cause__
    code = getattr(cause, "response", {}).get("Error", {}).get("Code") if cause else None
    return f"{operation}: {code or type(cause).__name__}"


def _delivered(store: Store, bucket: str, now: datetime, rules: Limits) -> dict[str, date]:
    days = days_listened(now, rules.silent_provinces.days)
    last = {each.code: _last_day(store, bucket, each.code, days) for each in provinces()}
    return {code: day for code, day in last.items() if day is not None}


def _last_day(store: Store, bucket: str, province: str, days: tuple[date, ...]) -> date | None:
    """The newest of ``days`` that has a finished delivery: one listing a day, ended at the first manifest."""
    return next((day for day in days if _has_delivery(store, bucket, province, day)), None)


def _has_delivery(store: Store, bucket: str, province: str, day: date) -> bool:
    listed = store.list_objects(bucket, f"{province_prefix(province)}tanggal={day.isoformat()}/")
    return any((place := place_of(each.key)) is not None and place.name == MANIFEST_NAME for each in listed)
