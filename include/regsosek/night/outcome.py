"""What a night came to: asked of the ledger once, before anybody is notified, by the DAG and the command line alike."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection

from regsosek.errors import NightFailedError, RegsosekError
from regsosek.faults import edge
from regsosek.release.lifecycle.publication import publication_fault
from regsosek.resources import Resources
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.night_faults import WAREHOUSE_NOW, Moment, NightFault, faults_of, note_fault

log = logging.getLogger(__name__)

ENDED_SILENTLY = (
    "NightFailedError: not received whole, and it left no error: its process was ended (memory, time, a kill), or the "
    "warehouse was not there; see the log of its task"
)


@dataclass(frozen=True)
class Outcome:
    """What a night of ``provinces`` came to.

    Attributes:
        failed: by province, our own fault as ``<class>: <message>``; its figures stay those of its last good night.
        publication: what is wrong with the publication, provinces that were held back included; None if nothing is.
        held: deliveries that wait for an operator, in words; they are an outcome, not a failure.
    """

    night: date
    provinces: tuple[str, ...]
    failed: Mapping[str, str]
    publication: str | None
    held: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing of ours failed; rejected deliveries are an outcome, not a failure."""
        return not self.failed and self.publication is None

    def require_whole(self) -> None:
        """Ends the night red if it is.

        Raises:
            NightFailedError: naming every province that failed, and publication if it did.
        """
        if not self.whole:
            faults = [f"province {code}: {fault}" for code, fault in self.failed.items()] + [self.publication or ""]
            raise NightFailedError(f"night {self.night}: " + "; ".join(filter(None, faults)))


@contextmanager
def keeping_fault(resources: Resources, night: date, province: str, what: str) -> Iterator[None]:
    """The edge (:mod:`regsosek.faults`) around one province or the publication; keeps its fault for the outcome.

    Args:
        province: its code, or ``00`` for the publication.
        what: names it in the error.
    """
    begun_at = datetime.now(UTC)
    try:
        with edge(what, work_dir=resources.settings.work_dir):
            yield
    except RegsosekError as error:
        keep_fault(resources, night, province, error, begun_at)
        raise


def keep_fault(
    resources: Resources, night: date, province: str, error: RegsosekError, begun_at: Moment = WAREHOUSE_NOW
) -> None:
    """Keeps a fault for the outcome; a warehouse that is not there cannot, and that is no fault more.

    Args:
        begun_at: when the try began that failed; by default it counts from now, after what the same try brought about.
    """
    try:
        with edge("ledger"), resources.loader.begin() as connection:
            note_fault(connection, province, night, error, begun_at)
    except RegsosekError as unkept:
        log.warning("the fault of %s on night %s is not kept: %s", province, night, unkept)


def outcome(resources: Resources, night: date, provinces: Sequence[str]) -> Outcome:
    """What ``night`` of ``provinces`` came to, by ledger and releases."""
    with edge(f"outcome of night {night}"), resources.loader.begin() as connection:
        faults = faults_of(connection, night)
        return Outcome(
            night,
            tuple(provinces),
            _failed(connection, night, provinces, faults),
            publication_fault(connection, night, faults),
            _waiting(connection, night, provinces),
        )


def _failed(
    connection: Connection, night: date, provinces: Sequence[str], kept: Mapping[str, NightFault]
) -> dict[str, str]:
    """Provinces without the mark of the night, and those whose last try began after it and failed."""
    whole_since = ledger.refreshed_at(connection, night)
    failed: dict[str, str] = {}
    for code in provinces:
        fault = kept.get(code)
        if fault is not None and (code not in whole_since or whole_since[code] < fault.begun_at):
            failed[code] = str(fault)
        elif code not in whole_since:
            failed[code] = ENDED_SILENTLY
    return failed


def _waiting(connection: Connection, night: date, provinces: Sequence[str]) -> tuple[str, ...]:
    """A line for each delivery of ``provinces`` that waits for an operator as of ``night``."""
    return tuple(
        f"province {each.province}: delivery {each.delivery_id} is held since night {each.night} "
        f"(families: {each.families:,}); see `regsosek deliveries show {each.delivery_id} -p {each.province}`"
        for each in held_deliveries(connection, night=night)
        if each.province in provinces
    )
