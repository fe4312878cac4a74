"""One province's night: every delivery fetched, staged, judged, recognised, loaded, and made visible in one flip."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from sqlalchemy import Connection

from regsosek.errors import ReferenceDataError
from regsosek.landing.archive import Decision, list_decisions
from regsosek.night.discovery.applicable_rules import Judges, SuitesOf, archived_suites, named_versions, suite_names
from regsosek.night.discovery.measuring import measure_error_shares
from regsosek.night.discovery.sealing import require_nights_before, seal_night
from regsosek.night.erasure.erased_cases import erased_cases
from regsosek.night.erasure.erasing import complete_erasures
from regsosek.night.erasure.limiting import complete_limits
from regsosek.night.receiving.reception import FIRST_TIME, Again, Reception, receive_in_order
from regsosek.quality.rules import Suite
from regsosek.resources import Resources
from regsosek.staging.engine import open_engine
from regsosek.staging.reference_tables import fill_reference_table
from regsosek.statistics.progress import refresh_province
from regsosek.telemetry.context import within
from regsosek.warehouse.hashes.hash_keys import keys_to_receive_by
from regsosek.warehouse.hashes.rekeying import require_keyed
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.migration import ensure_night_partitions
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.reference import export_frame, export_psls, export_regions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProvinceNight:
    """What a night did with one province: deliveries by state, for logs and the command line."""

    province: str
    night: date
    states: Mapping[str, int]

    def __str__(self) -> str:
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items())) or "nothing delivered"
        return f"province {self.province}, night {self.night}: {states}"


def receive_province(resources: Resources, province: str, night: date, suites: Mapping[str, Suite]) -> ProvinceNight:
    """Receives all deliveries of ``province`` that belong to ``night`` and brings its statistics up to date.

    Runs any number of times: decided deliveries stay as they are, an interrupted one is taken up again.
    """
    with province_lock(resources.loader, province) as held:
        return receive_locked(resources.under(held), province, night, suites)


def receive_locked(
    resources: Resources, province: str, night: date, suites: Mapping[str, Suite], *, suites_of: SuitesOf | None = None
) -> ProvinceNight:
    """:func:`receive_province` for a caller that holds the province's lock; ``resources`` is under it.

    Earlier nights that were interrupted are completed first.

    Args:
        suites_of: the suites that judge a delivery, by its receipt; ``suites`` for all if not given.

    Raises:
        SealedNightError: the warehouse lacks nights before this one that the archive has sealed.
    """
    require_nights_before(resources, province, night)
    complete_erasures(resources, province)
    complete_limits(resources, province)
    decisions = list_decisions(resources.store, resources.settings.archive_bucket, province)
    with resources.loader.begin() as connection:
        _apply(connection, [decision for decision in decisions if decision.night < night])
        unfinished = holding.unfinished_nights(connection, province, night)
    for each in (*unfinished, night):
        with within(night=each, province=province):
            done = _receive_night(resources, province, each, suites, suites_of or (lambda _: suites), decisions)
    return done


def _receive_night(
    resources: Resources,
    province: str,
    night: date,
    suites: Mapping[str, Suite],
    suites_of: SuitesOf,
    decisions: Sequence[Decision],
) -> ProvinceNight:
    """The night's own deliveries first, then those freed for it: in a replay as when it happened."""
    with resources.loader.begin() as connection:
        ledger.note_begun(connection, province, night)
    seal_night(resources, province, night, suites)
    _receive_pending(resources, province, night, suites_of)
    _receive_decided(resources, province, night, suites, decisions)
    with resources.loader.begin() as connection:
        refresh_province(connection, province, night)
        decided = Counter(entry.state for entry in ledger.deliveries_of(connection, province, night))
        ledger.note_refreshed(connection, province, night)
        measure_error_shares(connection, province, night)
    return ProvinceNight(province, night, decided)


def _receive_decided(
    resources: Resources, province: str, night: date, suites: Mapping[str, Suite], decisions: Sequence[Decision]
) -> None:
    """What was decided for ``night``: in rounds, for what is retried may be held or rejected, and be decided again."""
    of_tonight = [decision for decision in decisions if decision.night == night]
    while of_tonight:
        with resources.loader.begin() as connection:
            applied = _apply(connection, of_tonight)
        _receive_pending(resources, province, night, _suites_of_freed(resources, suites), decided=decisions)
        if not applied:
            return


def _apply(connection: Connection, decisions: Iterable[Decision]) -> int:
    """Enters decisions that the ledger does not know yet, in the order in which they were taken; how many it did."""
    applied = 0
    for decision in sorted(decisions, key=lambda each: each.at):
        if holding.apply_decision(connection, decision):
            applied += 1
            log.info("delivery %s of province %s %s", decision.delivery_id, decision.province, decision.decision)
    return applied


def _again(connection: Connection, entry: Delivery, decisions: Iterable[Decision]) -> Again:
    own = [each for each in decisions if each.delivery_id == entry.delivery_id]
    retries = holding.retries_of(connection, entry)
    was_held = holding.was_freed(connection, entry)
    return Again(
        next((each for each in own if each.decision == "freed"), None) if was_held else None,
        next((each for each in own if each.decision == "retried" and each.retry == retries), None),
    )


def _suites_of_freed(resources: Resources, suites: Mapping[str, Suite]) -> SuitesOf:
    """A freed delivery is judged by what the decision names: the night's own suites, or others from the archive."""
    own = named_versions(suites)
    return lambda receipt: suites if suite_names(receipt) == own else archived_suites(resources, receipt)


def _receive_pending(
    resources: Resources,
    province: str,
    night: date,
    suites_of: SuitesOf,
    decided: Sequence[Decision] | None = None,
) -> None:
    """Receives what waits of ``night``: its own deliveries, or those that were ``decided`` for it."""
    settings = resources.settings
    with resources.loader.begin() as connection:
        entries = ledger.pending(connection, province, night, freed=decided is not None)
        if not entries:
            return
        require_keyed(connection, province)
        keys = keys_to_receive_by(connection, province, settings.hash_keys)
        ensure_night_partitions(connection, province, night)
        again = {entry.delivery_id: _again(connection, entry, decided) for entry in entries} if decided else {}
    with (
        resources.scratch(f"prov{province}") as scratch,
        open_engine(scratch, memory_limit=settings.memory_limit, threads=settings.threads, keys=keys) as duck,
    ):
        _fill_reference(resources, duck, province, scratch)
        judges = Judges(duck, suites_of)
        erased = erased_cases(resources, province, keys)
        receive_in_order(
            entries,
            lambda entry, awaited: Reception(
                resources, duck, judges, entry, scratch, again.get(entry.delivery_id, FIRST_TIME), awaited, erased
            ),
        )


# What staging asks of the warehouse, by table of the engine.
_EXPORTS = {"frame": export_frame, "psls": export_psls, "region": export_regions}


def _fill_reference(resources: Resources, duck: duckdb.DuckDBPyConnection, province: str, scratch: Path) -> None:
    rows = {}
    with resources.loader.begin() as connection:
        for table, export in _EXPORTS.items():
            path = scratch / f"{table}.csv"
            export(connection, province, path)
            rows[table] = fill_reference_table(duck, table, path)
    if not rows["frame"]:
        raise ReferenceDataError(f"the frame has no sub-SLS of province {province}; load it with `regsosek reference`")
