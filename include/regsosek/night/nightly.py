"""The night as one sentence: receive every province, publish what can be published, notify who must know.

The DAG maps :func:`receive` over the provinces and calls :func:`release`, :func:`regsosek.night.outcome.outcome` and
:func:`notify` after it; the command line calls :func:`run_night`, which calls the same. Around each province, the
publication and each message lies the edge of :mod:`regsosek.faults`: what fails inside stops nothing outside.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from regsosek.alerts.decisions import alert_decisions
from regsosek.alerts.messages.platform_message import OUTSIDE
from regsosek.alerts.nightly import Composed, alert_platform, alert_provinces
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.alerts.weekly import alert_week
from regsosek.errors import NightFailedError, ReferenceDataError, RegsosekError
from regsosek.faults import edge, named
from regsosek.geography.planning import windows_of
from regsosek.geography.provinces import provinces as all_provinces
from regsosek.geography.regions import NATION
from regsosek.landing.discovery import misplaced
from regsosek.night.discovery.applicable_rules import current_suites
from regsosek.night.lineage.reporting import province_lineage, release_lineage
from regsosek.night.outcome import Outcome, keep_fault, keeping_fault, outcome
from regsosek.night.receiving.province_night import ProvinceNight
from regsosek.night.receiving.receiving import receive_locked
from regsosek.night.receiving.stopwatch import Stopwatch
from regsosek.quality.rules import load_suites
from regsosek.release.publish import Published, publish
from regsosek.resources import Resources
from regsosek.scratch import sweep
from regsosek.statistics.nights.conclusion import conclusion
from regsosek.telemetry.context import within
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights import ledger
from regsosek.wording.nouns import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NightReport:
    """What a night came to, and what this process made of it: the provinces that it received, and the release."""

    outcome: Outcome
    provinces: Sequence[ProvinceNight]
    published: Published | None


def receive(resources: Resources, province: str, night: date) -> ProvinceNight:
    """Receives one province under its lock; see :func:`regsosek.night.receiving.receiving.receive_locked`.

    Raises:
        RegsosekError: whatever failed, typed; the ledger keeps it for the night's outcome.
    """
    what = f"province {province}, night {night}"
    with keeping_fault(resources, night, province, what), province_lineage(resources, province, night) as report:
        # A night without deliveries makes no folder of its own, and clears up all the same.
        sweep(resources.settings.scratch)
        suites = current_suites(resources, load_suites(resources.settings.expectations_dir))
        with province_lock(resources.loader, province) as held:
            received = receive_locked(resources.under(held), province, night, suites)
        report(received.outcomes)
    return received


def release(resources: Resources, night: date) -> Published:
    """Builds, audits and publishes the release of ``night``; see :func:`regsosek.release.publish.publish`.

    Raises:
        RegsosekError: whatever failed, typed; the ledger keeps it for the night's outcome.
    """
    what = f"release of night {night}"
    with keeping_fault(resources, night, NATION, what), release_lineage(resources, night) as report_published:
        published = publish(resources.publisher, resources.store, resources.settings, night)
        report_published(published)
    if published.left_out:
        keep_fault(resources, night, NATION, ReferenceDataError(published.left_out))
    return published


def notify(resources: Resources, night: Outcome) -> SendReport:
    """Composes the digests of a night and sends what waits in the outbox; a fault of ours goes to us alone.

    A message that cannot be composed stops no other: the rest is composed and sent, and the platform team hears of it.

    Raises:
        NightFailedError: naming what could not be composed or sent.
    """
    unsent: dict[str, str] = {}
    composed, unrecognised = Composed(), dict[str, int]()
    healthy = [code for code in night.provinces if code not in night.failed]
    with _going_on(unsent, "digests of the provinces"):
        composed = alert_provinces(resources.alerter, resources.settings, night.night, provinces=healthy)
    with _going_on(unsent, "digests after decisions"):
        unsent |= alert_decisions(resources.alerter, resources.settings, night.night, healthy)
    with _going_on(unsent, "weekly report"):
        if {each.code for each in all_provinces()} <= set(night.provinces):
            alert_week(resources.alerter, resources.settings, night.night)
    with _going_on(unsent, "unrecognised keys in landing"):
        unrecognised = _unrecognised(resources, night.night)
    with _going_on(unsent, "message to the platform team"):
        ours = alert_platform(
            resources.alerter,
            resources.settings,
            night.night,
            failed=night.failed,
            publication=night.publication,
            provinces=night.provinces,
            unrecognised=unrecognised,
            told=composed,
            untold=unsent | composed.failed,
        )
        unsent |= ours.failed
    with edge("sending"):
        delivered = deliver(resources.alerter, resources.settings, night=night.night)
    if delivered.unreached:
        raise NightFailedError(
            f"night {night.night}: {counted(delivered.sent, 'delivery', 'deliveries')} of messages made, "
            f"{delivered.unreached} reached no server and wait; see `regsosek alerts outbox`"
        )
    unsent |= composed.failed | composed.stopped
    if unsent:
        faults = "; ".join(f"{group}: {fault}" for group, fault in unsent.items())
        raise NightFailedError(f"night {night.night}: no digest for {faults}")
    return delivered


@contextmanager
def _going_on(unsent: dict[str, str], message: str) -> Iterator[None]:
    """The edge around one message: the others go on, and ``unsent`` names it."""
    try:
        with edge(message):
            yield
    except RegsosekError as error:
        log.exception("%s: not sent", message)
        unsent[message] = named(error)


def _unrecognised(resources: Resources, night: date) -> dict[str, int]:
    """Keys that no delivery is made of: a delivery in a wrong place must not vanish silently. Counts, not names."""
    codes = [province.code for province in all_provinces()]
    outside = len(misplaced(resources.store, resources.settings.landing_bucket, codes))
    with resources.loader.begin() as connection:
        strays = ledger.strays(connection, night)
    return strays | ({OUTSIDE: outside} if outside else {})


def run_night(
    resources: Resources,
    night: date,
    provinces: Sequence[str],
    *,
    alerts: bool = True,
    announce: Callable[[str], None] = lambda _: None,
) -> NightReport:
    """Runs a whole night in this process, province after province; one that fails does not stop the others."""
    with within(night=night):
        done = _receive_each(resources, night, provinces, announce)
        with Stopwatch().step("publish"):
            published = _try_publish(resources, night)
        found = outcome(resources, night, provinces)
        with _going_on({}, "conclusion"):
            log.info("night %s: %s", night, concluded(resources, found))
        if alerts:
            with Stopwatch().step("tell"):
                notify(resources, found)
    return NightReport(found, done, published)


def concluded(resources: Resources, night: Outcome) -> str:
    """How a night went in one sentence; see :func:`regsosek.statistics.nights.conclusion.conclusion`."""
    windows = windows_of(resources.settings)
    with resources.loader.connect() as connection:
        return conclusion(connection, night.night, night.provinces, windows)


def _receive_each(
    resources: Resources, night: date, provinces: Sequence[str], announce: Callable[[str], None]
) -> list[ProvinceNight]:
    done: list[ProvinceNight] = []
    for province in provinces:
        with within(province=province):
            try:
                with Stopwatch().step("receive"):
                    done.append(receive(resources, province, night))
            except RegsosekError as error:
                log.exception("province %s failed on night %s", province, night)
                announce(f"province {province}, night {night}: FAILED: {named(error)}")
            else:
                announce(str(done[-1]))
    return done


def _try_publish(resources: Resources, night: date) -> Published | None:
    try:
        return release(resources, night)
    except RegsosekError:
        log.exception("night %s was not published", night)
        return None
