"""An operator's decision about a delivery: recorded in the archive, then in the ledger, then carried out.

A held one is freed or rejected; a rejection that rests on what the object store said is taken up again (retried).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Protocol

from regsosek.alerts.decisions import kind_after
from regsosek.alerts.nightly import alert_provinces
from regsosek.alerts.sending.send_due import deliver
from regsosek.errors import DecisionError
from regsosek.faults import edge
from regsosek.landing.archive import Decision, list_decisions, write_decision
from regsosek.night.discovery.applicable_rules import current_suites
from regsosek.night.discovery.sealing import archive_versions, require_all_nights
from regsosek.night.nightly import release
from regsosek.night.receiving.receiving import receive_locked
from regsosek.quality.hold_limits import hold_limits
from regsosek.quality.rules import Suite
from regsosek.release.publish import Published
from regsosek.resources import Resources
from regsosek.statistics.definitions.as_of import processed_nights
from regsosek.telemetry.context import within
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.nights.reason import stated

Verdict = Literal["freed", "rejected", "retried"]


@dataclass(frozen=True)
class Decided:
    """A decision that was carried out: ``night`` is the province's night that shows it first."""

    province: str
    delivery_id: str
    night: date
    state: str
    retry: int = 0


class Decide(Protocol):
    """:func:`free` or :func:`reject`."""

    def __call__(  # what both of them take
        self,
        resources: Resources,
        province: str,
        delivery_id: str,
        suites: Mapping[str, Suite],
        *,
        by: str,
        reason: str,
    ) -> Decided:
        """Decides and carries it out."""
        ...


def free(
    resources: Resources, province: str, delivery_id: str, suites: Mapping[str, Suite], *, by: str, reason: str
) -> Decided:
    """Receives a held delivery after all, as of the province's newest sealed night, judged by ``suites``.

    Raises:
        DecisionError: the delivery is unknown or not held, or there is no reason.
        EngineFaultError: in place of an error of a database; the decision stands if it was recorded.
    """
    return _decide(resources, province, delivery_id, "freed", suites, by, reason)


def reject(
    resources: Resources, province: str, delivery_id: str, suites: Mapping[str, Suite], *, by: str, reason: str
) -> Decided:
    """Rejects a held delivery whole; raises as :func:`free` does."""
    return _decide(resources, province, delivery_id, "rejected", suites, by, reason)


def retry(
    resources: Resources, province: str, delivery_id: str, suites: Mapping[str, Suite], *, by: str, reason: str
) -> Decided:
    """Receives a delivery once more from landing that was rejected for what a reading of it said.

    It counts from the province's newest sealed night; the office sends nothing anew. It may be held, or rejected again.

    Raises:
        DecisionError: it is unknown, was not rejected for such a reason, or there is no reason to retry it.
        EngineFaultError: in place of an error of a database; the decision stands if it was recorded.
    """
    return _decide(resources, province, delivery_id, "retried", suites, by, reason)


def record(
    resources: Resources,
    province: str,
    delivery_id: str,
    verdict: Verdict,
    suites: Mapping[str, Suite],
    *,
    by: str,
    reason: str,
) -> Decision:
    """Records a decision in archive and journal and leaves it to the next run of ``province`` to carry it out.

    For a process that must answer at once: freeing takes as long as receiving did. What a rejection changes of the
    ledger is done, but readers and the province learn of it with that run too.

    Raises:
        DecisionError: as :func:`free` does.
        ProvinceBusyError: a run of the province is under way.
        EngineFaultError: in place of an error of a database; the decision stands if it was recorded.
    """
    reason = stated(reason)
    with (
        edge(f"decision on delivery {delivery_id}"),
        province_lock(resources.loader, province, wait=False) as held,
    ):
        resources = resources.under(held)
        decision = _record(resources, _waiting(resources, delivery_id, province, verdict), verdict, suites, by, reason)
        with resources.loader.begin() as connection:
            holding.apply_decision(connection, decision)
    return decision


def publish_newest(resources: Resources) -> Published:
    """Publishes the newest processed night again, which shows what was decided; see :func:`..nightly.release`."""
    with resources.loader.begin() as connection:
        newest = processed_nights(connection)[-1]
    return release(resources, newest)


def notify(resources: Resources, decided: Decided) -> None:
    """Sends the province the digest of the deciding night once more, as it reads after the decision."""
    kind = kind_after(decided.delivery_id, decided.retry)
    alert_provinces(resources.alerter, resources.settings, decided.night, provinces=[decided.province], kind=kind)
    deliver(resources.alerter, resources.settings)


def _decide(
    resources: Resources,
    province: str,
    delivery_id: str,
    verdict: Verdict,
    suites: Mapping[str, Suite],
    by: str,
    reason: str,
) -> Decided:
    reason = stated(reason)
    with (
        within(province=province),
        edge(f"decision on delivery {delivery_id} of province {province}"),
        province_lock(resources.loader, province) as held,
    ):
        locked = resources.under(held)
        waiting = _waiting(locked, delivery_id, province, verdict)
        done = _record(locked, waiting, verdict, suites, by, reason)
        receive_locked(locked, province, done.night, current_suites(locked, suites))
        # An earlier night that was completed first may have replaced the delivery, so that it is none of this night's.
        with locked.loader.begin() as connection:
            entry = holding.find(connection, province, delivery_id)
    return Decided(province, delivery_id, done.night, entry.state if entry else "unknown", done.retry)


def _record(
    resources: Resources, entry: Delivery, verdict: Verdict, suites: Mapping[str, Suite], by: str, reason: str
) -> Decision:
    """Writes the decision into the archive: from here on it stands, whatever happens to this process.

    Raises:
        SealedNightError: the warehouse lacks nights, and the newest one that it has is not the newest one sealed.
    """
    require_all_nights(resources, entry.province)
    with resources.loader.begin() as connection:
        newest = max(ledger.sealed_nights(connection, entry.province))
        number = holding.retries_of(connection, entry) + 1 if verdict == "retried" else 0
    decision = Decision(
        province=entry.province,
        delivery_id=entry.delivery_id,
        night=newest,
        decision=verdict,
        by=by,
        at=datetime.now(UTC),
        reason=reason,
        versions={} if verdict == "rejected" else archive_versions(resources, suites),
        hold_limits=dict(hold_limits(entry.province, resources.settings.hold_limits_file)) if number else {},
        retry=number,
    )
    write_decision(resources.store, resources.settings.archive_bucket, decision)
    return decision


def _waiting(resources: Resources, delivery_id: str, province: str, verdict: Verdict) -> Delivery:
    """The delivery, if it waits for that; asked under the province's lock, so that of two operators one is first."""
    listed = list_decisions(resources.store, resources.settings.archive_bucket, province)
    decisions = [each for each in listed if each.delivery_id == delivery_id]
    with resources.loader.begin() as connection:
        entry = holding.find(connection, province, delivery_id)
        done = 0 if entry is None else holding.retries_of(connection, entry)
        successor = None if entry is None else holding.replacing(connection, entry)
    open_retry = verdict == "retried" and entry is not None and holding.may_be_retried(entry)
    earlier = next((d for d in decisions if (d.retry > done if open_retry else d.decision != "retried")), None)
    if earlier is not None:
        raise DecisionError(
            f"delivery {delivery_id} of province {province} was {earlier.decision} by {earlier.by} at "
            f"{earlier.at:%Y-%m-%d %H:%M} UTC ({earlier.reason}); if that did not go through, run "
            f"`regsosek night --date {earlier.night} -p {province}`"
        )
    if entry is None or not (open_retry or (verdict != "retried" and entry.state == "held")):
        state = entry.state if entry else "unknown"
        why = f" ({entry.reason})" if entry and entry.reason else ""
        needed = "rejected for what a reading of the store said" if verdict == "retried" else "held"
        raise DecisionError(
            f"delivery {delivery_id} of province {province} is {state}{why}, not {needed}; nothing to decide"
        )
    if open_retry and successor is not None:
        raise DecisionError(
            f"delivery {delivery_id} of province {province} was replaced by {successor}; what it says counts no more"
        )
    return entry
