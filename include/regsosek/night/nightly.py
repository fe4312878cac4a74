"""The night as one sentence: receive every province, publish what can be published, tell who must know.

The DAG maps :func:`receive` over the provinces and calls the other two after it; the command line calls
:func:`run_night`. There is no second composition.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from regsosek.alerts.decisions import alert_decisions
from regsosek.alerts.nightly import alert_platform, alert_provinces
from regsosek.alerts.sending import Delivered, deliver
from regsosek.alerts.weekly import alert_week
from regsosek.errors import EngineFaultError, NightFailedError, RegsosekError
from regsosek.geography.planning import windows_of
from regsosek.geography.provinces import provinces as all_provinces
from regsosek.landing.discovery import misplaced
from regsosek.night.conclusion import conclusion
from regsosek.night.house import House
from regsosek.night.lineage import province_lineage, release_lineage
from regsosek.night.receiving import ProvinceNight, receive_province
from regsosek.night.stopwatch import Stopwatch
from regsosek.quality.rules import load_suites
from regsosek.release.publication import publication_fault
from regsosek.release.publish import Published, publish
from regsosek.scratch import sweep
from regsosek.telemetry.context import within
from regsosek.warehouse import ledger
from regsosek.warehouse.holding import held_deliveries

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NightReport:
    """What a night came to.

    Attributes:
        failed: province code to our own fault; its figures stay those of its last good night.
        publication: why nothing was published, or ``None``.
        held: deliveries that wait for an operator, in words; they are an outcome, not a failure.
    """

    night: date
    provinces: Sequence[ProvinceNight]
    failed: Mapping[str, str]
    published: Published | None
    publication: str | None
    held: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing of ours failed; rejected deliveries are an outcome, not a failure."""
        return not self.failed and self.publication is None


def receive(house: House, province: str, night: date) -> ProvinceNight:
    """Receives one province; see :func:`regsosek.night.receiving.receive_province`.

    Raises:
        EngineFaultError: in place of an error of a database, whose text and traceback may quote personal data.
    """
    sweep(house.settings.scratch)  # a night without deliveries makes no folder of its own, and clears up all the same
    with without_values(f"province {province}, night {night}"), province_lineage(house, province, night):
        return receive_province(house, province, night, load_suites(house.settings.expectations_dir))


def release(house: House, night: date) -> Published:
    """Builds, audits and publishes the release of ``night``; see :func:`regsosek.release.publish.publish`."""
    with without_values(f"release of night {night}"), release_lineage(house, night) as tell_published:
        published = publish(house.engine, house.store, house.settings, night)
        tell_published(published)
    return published


def tell(
    house: House,
    night: date,
    *,
    failed: Mapping[str, str],
    publication: str | None,
    provinces: Sequence[str] | None = None,
) -> Delivered:
    """Composes the digests of the night and sends what waits in the outbox; a fault of ours goes to us alone."""
    healthy = [code for code in provinces if code not in failed] if provinces is not None else None
    composed = alert_provinces(house.engine, house.settings, night, provinces=healthy)
    alert_decisions(house.engine, house.settings, night, healthy)
    told = dict(failed) | {code: f"digest: {fault}" for code, fault in composed.failed.items()}
    alert_platform(
        house.engine,
        house.settings,
        night,
        failed=told,
        publication=publication,
        provinces=provinces,
        astray=_astray(house, night),
        told=composed,
    )
    if provinces is None or {each.code for each in all_provinces()} <= set(provinces):
        alert_week(house.engine, house.settings, night)
    delivered = deliver(house.engine, house.settings, night=night)
    if delivered.unreached:
        raise NightFailedError(
            f"night {night}: {delivered.sent} deliveries of messages made, {delivered.unreached} reached no server and "
            "wait; see `regsosek alerts outbox`"
        )
    untold = composed.failed | composed.stopped
    if untold:
        raise NightFailedError(f"night {night}: no digest for " + "; ".join(f"{c}: {f}" for c, f in untold.items()))
    return delivered


def _astray(house: House, night: date) -> dict[str, int]:
    """Keys that no delivery is made of: a delivery in a wrong place must not vanish silently. Counts, not names."""
    codes = [province.code for province in all_provinces()]
    outside = len(misplaced(house.store, house.settings.landing_bucket, codes))
    with house.engine.begin() as connection:
        strays = ledger.strays(connection, night)
    found = {f"province {code}": count for code, count in strays.items()}
    return found | ({"outside of every province": outside} if outside else {})


def faults(house: House, night: date, provinces: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """What of ours failed on ``night``, by the ledger: unmarked provinces, and what is wrong with its release."""
    with house.engine.begin() as connection:
        refreshed = ledger.refreshed_provinces(connection, night)
        publication = publication_fault(connection, night)
    failed = {code: "not received whole; see the log of its task" for code in provinces if code not in refreshed}
    return failed, publication


def run_night(
    house: House,
    night: date,
    provinces: Sequence[str],
    *,
    alerts: bool = True,
    announce: Callable[[str], None] = lambda _: None,
) -> NightReport:
    """Runs a whole night in this process, province after province; one that fails does not stop the others."""
    with within(night=night):
        done, failed = _receive_each(house, night, provinces, announce)
        with Stopwatch().step("publish"):
            published, publication = _try_publish(house, night)
        windows = windows_of(house.settings)
        with house.engine.connect() as connection:
            log.info("night %s: %s", night, conclusion(connection, night, provinces, windows))
        if alerts:
            with Stopwatch().step("tell"):
                tell(house, night, failed=failed, publication=publication, provinces=provinces)
    held = ", ".join(published.held_back) if published else ""
    if held:
        publication = f"provinces {held} failed conservation or second reading and were held back"
    return NightReport(night, done, failed, published, publication, waiting(house, night, provinces))


def _receive_each(
    house: House, night: date, provinces: Sequence[str], announce: Callable[[str], None]
) -> tuple[list[ProvinceNight], dict[str, str]]:
    done: list[ProvinceNight] = []
    failed: dict[str, str] = {}
    for province in provinces:
        with within(province=province):
            try:
                with Stopwatch().step("receive"):
                    done.append(receive(house, province, night))
                announce(str(done[-1]))
            except (RegsosekError, OSError) as error:
                log.exception("province %s failed on night %s", province, night)
                failed[province] = named(error)
                announce(f"province {province}, night {night}: FAILED: {error}")
    return done, failed


def waiting(house: House, night: date, provinces: Sequence[str]) -> list[str]:
    """A line for each delivery of ``provinces`` that waits for an operator as of ``night``."""
    with house.engine.begin() as connection:
        held = held_deliveries(connection, night=night)
    return [
        f"province {each.province}: delivery {each.delivery_id} is held since night {each.night} "
        f"({each.families:,} families); see `regsosek deliveries show {each.delivery_id}`"
        for each in held
        if each.province in provinces
    ]


def _try_publish(house: House, night: date) -> tuple[Published | None, str | None]:
    try:
        return release(house, night), None
    except (RegsosekError, OSError) as error:
        log.exception("night %s was not published", night)
        return None, named(error)


def named(error: BaseException) -> str:
    """A fault with its kind, which decides whom it is for."""
    return f"{type(error).__name__}: {error}"


@contextmanager
def without_values(what: str) -> Iterator[None]:
    """Turns errors of the databases into one that names ``what``, their kind and their code, and nothing else."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error, duckdb.Error) as error:
        driver = getattr(error, "orig", None) or error
        code = getattr(driver, "sqlstate", None)
        kind = type(driver).__name__ + (f" (SQLSTATE {code})" if code else "")
        raise EngineFaultError(f"{what}: {kind}; the message is withheld, it may quote personal data") from None
