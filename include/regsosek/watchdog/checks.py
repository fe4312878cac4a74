"""The pure decision: what is wrong at this instant, of what a round saw, and what it cannot judge.

A night is judged by the newest one whose deadline has passed, so that a finding stands from one day to the next until
the thing itself has happened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow
from regsosek.geography.provinces import province as province_of
from regsosek.release.lifecycle.agreement import disagreement
from regsosek.watchdog.finding import Finding, FindingKind
from regsosek.watchdog.observing.limits import Limits, limits
from regsosek.watchdog.observing.nights_due import night_due
from regsosek.watchdog.observing.observed import Observed, SeenNight, SeenStore, SeenWarehouse, Unreachable
from regsosek.watchdog.observing.silent_provinces import silent
from regsosek.wording.nouns import counted

NAMED = 5


@dataclass(frozen=True, slots=True)
class RoundFindings:
    """What a round found.

    Attributes:
        blind: kinds that could not be judged: a finding of theirs that stood before is neither seen nor over.
    """

    findings: tuple[Finding, ...]
    blind: frozenset[FindingKind] = frozenset()


# What each part of the world is needed for; a release is judged by either of two. While the store is down no night can
# take a delivery, and the ledger's silence is the store's.
_BY_WAREHOUSE = frozenset({
    FindingKind.NIGHT_NOT_BEGUN, FindingKind.NIGHT_UNFINISHED, FindingKind.NIGHTS_LOST, FindingKind.POINTER_ASTRAY,
    FindingKind.ALERTS_WAITING, FindingKind.NOBODY_TOLD,
})  # fmt: skip
_BY_STORE = frozenset(
    {FindingKind.NIGHTS_LOST, FindingKind.POINTER_ASTRAY, FindingKind.PROVINCE_SILENT, FindingKind.NATION_SILENT}
)
_BY_EITHER = frozenset({FindingKind.RELEASE_LATE})
# A finding that says more than others says nothing of their end.
_INHIBITED: dict[FindingKind, frozenset[FindingKind]] = {
    FindingKind.NATION_SILENT: frozenset({FindingKind.PROVINCE_SILENT}),
    FindingKind.NIGHT_NOT_BEGUN: frozenset({FindingKind.NIGHT_UNFINISHED}),
}  # fmt: skip
_BY_WINDOWS = _BY_EITHER | _BY_STORE | _BY_WAREHOUSE - {FindingKind.ALERTS_WAITING, FindingKind.NIGHTS_LOST}


def findings(observed: Observed, now: datetime, rules: Limits | None = None) -> RoundFindings:
    """What is wrong at ``now``, the gravest part of the world first."""
    rules = rules or limits()
    found = [*_surroundings(observed, now, rules), *_lost(observed), *_nights(observed, now, rules), *_outbox(observed)]
    inhibited: frozenset[FindingKind] = frozenset().union(*(_INHIBITED.get(each.kind, frozenset()) for each in found))
    return RoundFindings(tuple(found), _blind(observed) | inhibited)


def _blind(observed: Observed) -> frozenset[FindingKind]:
    no_warehouse, no_store = (isinstance(each, Unreachable) for each in (observed.warehouse, observed.store))
    blind: frozenset[FindingKind] = frozenset()
    if no_warehouse:
        blind |= _BY_WAREHOUSE
    if no_store:
        blind |= _BY_STORE
    if no_warehouse and no_store:
        blind |= _BY_EITHER
    if isinstance(observed.windows, Unreachable):
        blind |= _BY_WINDOWS
    if isinstance(observed.airflow, Unreachable):
        blind |= {FindingKind.SCHEDULER_DEAD}
    return blind


def _surroundings(observed: Observed, now: datetime, rules: Limits) -> Iterator[Finding]:
    parts = {
        FindingKind.WAREHOUSE_DOWN: observed.warehouse, FindingKind.STORE_DOWN: observed.store,
        FindingKind.MAIL_DOWN: observed.mail, FindingKind.AIRFLOW_DOWN: observed.airflow,
        FindingKind.MEMORY_LOST: observed.memory, FindingKind.PING_DOWN: observed.ping,
        FindingKind.CHECK_FAILED: observed.windows,
    }  # fmt: skip
    for kind, part in parts.items():
        if isinstance(part, Unreachable):
            yield Finding(kind, part.why, "calendar" if kind is FindingKind.CHECK_FAILED else "")
    for check, why in observed.faults.items():
        yield Finding(FindingKind.CHECK_FAILED, why, check)
    yield from _heartbeats(observed, now, rules)


def _heartbeats(observed: Observed, now: datetime, rules: Limits) -> Iterator[Finding]:
    if observed.airflow is not None and not isinstance(observed.airflow, Unreachable):
        for component, at in observed.airflow.heartbeats.items():
            if now - at > timedelta(minutes=rules.waiting.heartbeat_minutes):
                yield Finding(FindingKind.SCHEDULER_DEAD, f"{component}: last heartbeat {_moment(at)}", component)
    for watcher, at in observed.watchers.items():
        away = now - at
        if timedelta(minutes=rules.waiting.watcher_minutes) < away < timedelta(days=rules.waiting.forgotten_days):
            yield Finding(
                FindingKind.WATCHER_SILENT, f"{_WATCHERS.get(watcher, watcher)}: last round {_moment(at)}", watcher
            )


_WATCHERS = {
    "dag": "DAG regsosek_watchdog (the scheduler starts no tasks, or the DAG is paused)",
    "command": "command regsosek watchdog (cron or systemd timer)",
}


def _nights(observed: Observed, now: datetime, rules: Limits) -> Iterator[Finding]:
    if isinstance(observed.windows, Unreachable):
        return
    windows, warehouse, store = observed.windows, observed.warehouse, observed.store
    if isinstance(warehouse, SeenWarehouse):
        yield from _processing(warehouse, now, windows, rules)
    yield from _publication(warehouse, store, now, windows, rules)
    if isinstance(store, SeenStore):
        registered = warehouse.delivered if isinstance(warehouse, SeenWarehouse) else {}
        yield from silent((store.delivered, registered), now, windows, rules.silent_provinces)


def _lost(observed: Observed) -> Iterator[Finding]:
    """Nights of the archive that the ledger lacks, wholly or since they were reopened."""
    warehouse, store = observed.warehouse, observed.store
    if isinstance(warehouse, Unreachable) or isinstance(store, Unreachable):
        return
    lost = [
        (night, code)
        for (code, night), size in store.sealed.items()
        if code not in warehouse.at_work and not _has(warehouse, code, night, size)
    ]
    if lost:
        codes = sorted({code for _, code in lost})
        first = min(night for night, _ in lost)
        of_whom = f"of {counted(len(codes), 'province', 'provinces')}: {_names(codes)}"
        told = f"the archive has sealed nights from {first} on that it lacks, {of_whom}"
        yield Finding(FindingKind.NIGHTS_LOST, f"{told}; run `regsosek replay --from {first}`")


def _has(warehouse: SeenWarehouse, code: str, night: date, size: int) -> bool:
    if (code, night) not in warehouse.sealed:
        return False
    known = warehouse.sealed[code, night]
    return known is None or known >= size


def _processing(
    warehouse: SeenWarehouse, now: datetime, windows: Mapping[str, FieldWindow], rules: Limits
) -> Iterator[Finding]:
    due, days = rules.deadlines, rules.waiting.forgotten_days
    begun, processed, told = (night_due(now, at, windows, days) for at in (due.begun, due.processed, due.told))
    if begun is not None and not _seen(warehouse, begun).sealed:
        yield Finding(FindingKind.NIGHT_NOT_BEGUN, f"night {begun}: no province has begun by {due.begun:%H:%M} WIB")
    # A night that never began is told as such, or, once the next one has begun, is that one's to take up.
    if processed is not None and _seen(warehouse, processed).sealed:
        missing = sorted(windows.keys() - _seen(warehouse, processed).processed)
        if missing:
            told_of = (
                f"{len(missing)} of {counted(len(windows), 'province', 'provinces')} not processed: {_names(missing)}"
            )
            yield Finding(FindingKind.NIGHT_UNFINISHED, f"night {processed}: {told_of}")
    if told is not None and _seen(warehouse, told).processed and not _seen(warehouse, told).told:
        yield Finding(
            FindingKind.NOBODY_TOLD, f"night {told} was processed, and no digest composed by {due.told:%H:%M} WIB"
        )


def _publication(
    warehouse: SeenWarehouse | Unreachable,
    store: SeenStore | Unreachable,
    now: datetime,
    windows: Mapping[str, FieldWindow],
    rules: Limits,
) -> Iterator[Finding]:
    due = night_due(now, rules.deadlines.published, windows, rules.waiting.forgotten_days)
    seen = store.release.night if isinstance(store, SeenStore) and store.release else None
    noted = max(warehouse.published, default=None) if isinstance(warehouse, SeenWarehouse) else None
    newest = max(filter(None, (seen, noted)), default=None)
    both_dead = isinstance(warehouse, Unreachable) and isinstance(store, Unreachable)
    if due is not None and not both_dead and (newest is None or newest < due):
        standing = f"the newest is that of {newest}" if newest else "nothing is published"
        yield Finding(FindingKind.RELEASE_LATE, f"night {due}: due {rules.deadlines.published:%H:%M} WIB; {standing}")
    if isinstance(warehouse, SeenWarehouse) and isinstance(store, SeenStore):
        said = disagreement(store.release, warehouse.releases)
        if said is not None:
            yield Finding(FindingKind.POINTER_ASTRAY, said)


def _outbox(observed: Observed) -> Iterator[Finding]:
    warehouse = observed.warehouse
    if isinstance(warehouse, Unreachable) or not warehouse.waiting or warehouse.waiting_since is None:
        return
    error = f"; last try: {warehouse.waiting_error}" if warehouse.waiting_error else ""
    since = f"the oldest since {_moment(warehouse.waiting_since)}"
    yield Finding(
        FindingKind.ALERTS_WAITING, f"{counted(warehouse.waiting, 'message waits', 'messages wait')}, {since}{error}"
    )


def _seen(warehouse: SeenWarehouse, night: date) -> SeenNight:
    return warehouse.nights.get(night, SeenNight())


def _names(codes: list[str]) -> str:
    more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
    return ", ".join(f"{code} {province_of(code).name}" for code in codes[:NAMED]) + more


def _moment(at: datetime) -> str:
    return f"{at.astimezone(NIGHT_ZONE):%Y-%m-%d %H:%M} WIB"
