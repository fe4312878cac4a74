"""One province's night: every delivery fetched, staged, judged, recognised, loaded, and made visible in one flip."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
from sqlalchemy import Connection

from regsosek.errors import ReferenceDataError
from regsosek.landing.archive import Decision, Receipt, list_decisions
from regsosek.night.discovery.applicable_rules import Judges, SuiteChoice, SuitesOf
from regsosek.night.discovery.fetching import receipt_of, receipt_of_retry
from regsosek.night.discovery.measuring import measure_error_shares
from regsosek.night.discovery.sealing import SealedNight, require_nights_before, seal_night
from regsosek.night.erasure.erased_cases import erased_cases
from regsosek.night.erasure.erasing import complete_erasures
from regsosek.night.erasure.limiting import complete_limits
from regsosek.night.receiving.province_night import GatheredOutcomes, ProvinceNight
from regsosek.night.receiving.reception import Pending, Reception, receive_in_order
from regsosek.resources import Resources
from regsosek.staging.engine import open_engine
from regsosek.staging.reference_tables import fill_reference_table
from regsosek.statistics.progress import refresh_province
from regsosek.telemetry.context import within
from regsosek.warehouse.hashes.hash_keys import keys_to_receive_by
from regsosek.warehouse.hashes.rekeying import require_keyed
from regsosek.warehouse.migration import ensure_night_partitions
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.reference import export_frame, export_psls, export_regions

log = logging.getLogger(__name__)


def receive_locked(resources: Resources, province: str, night: date, suites: SuiteChoice) -> ProvinceNight:
    """Receives all deliveries of ``province`` that belong to ``night`` and brings its statistics up to date.

    Runs any number of times: decided deliveries stay as they are, an interrupted one is taken up again. Earlier nights
    that were interrupted are completed first.

    Args:
        resources: under the lock of the province, which the caller holds.

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
        with within(night=each):
            done = _receive_night(resources, province, each, suites, decisions)
    return done


def _receive_night(
    resources: Resources, province: str, night: date, suites: SuiteChoice, decisions: Sequence[Decision]
) -> ProvinceNight:
    """The night's own deliveries first, then those freed for it: in a replay as when it happened."""
    with resources.loader.begin() as connection:
        ledger.note_begun(connection, province, night)
    sealed = seal_night(resources, province, night, suites.new)
    gathered = GatheredOutcomes()
    for entry in sealed.deliveries:
        gathered.expect(entry)
    for outcome in (*sealed.refused, *_receive(resources, province, night, _own(resources, night, sealed), suites.own)):
        gathered.take(outcome)
    _receive_decided(resources, province, night, suites.decided, decisions, gathered)
    with resources.loader.begin() as connection:
        refresh_province(connection, province, night)
        ledger.note_refreshed(connection, province, night)
        outcomes = gathered.complete(connection, province)
    measure_error_shares(province, outcomes)
    return ProvinceNight(province, night, outcomes)


def _own(resources: Resources, night: date, sealed: SealedNight) -> list[Pending]:
    """The deliveries that belong to ``night`` and wait; a receipt that is not at hand is read from the archive."""

    def receipt(entry: Delivery) -> Receipt:
        return sealed.receipts.get(entry.prefix) or receipt_of(resources, entry)

    waiting = (each for each in sealed.deliveries if each.state == "registered" and each.decided_night is None)
    return [Pending(entry, partial(receipt, entry)) for entry in waiting if entry.night == night]


def _receive_decided(
    resources: Resources,
    province: str,
    night: date,
    suites_of: SuitesOf,
    decisions: Sequence[Decision],
    gathered: GatheredOutcomes,
) -> None:
    """What was decided for ``night``: in rounds, for what is retried may be held or rejected, and be decided again."""
    of_tonight = [decision for decision in decisions if decision.night == night]
    while of_tonight:
        with resources.loader.begin() as connection:
            applied = _apply(connection, of_tonight)
            entries = ledger.registered_again(connection, province, night)
            waiting = [_decided(resources, connection, entry, decisions) for entry in entries]
        for entry in applied:
            gathered.expect(entry)
        for outcome in _receive(resources, province, night, waiting, suites_of):
            gathered.take(outcome)
        if not applied:
            return


def _apply(connection: Connection, decisions: Iterable[Decision]) -> list[Delivery]:
    """Enters decisions that the ledger does not know yet, in the order in which they were taken; whom they concern."""
    applied = []
    for decision in sorted(decisions, key=lambda each: each.at):
        entry = holding.apply_decision(connection, decision)
        if entry is not None:
            applied.append(entry)
            log.info("delivery %s of province %s %s", decision.delivery_id, decision.province, decision.decision)
    return applied


def _decided(resources: Resources, connection: Connection, entry: Delivery, decisions: Iterable[Decision]) -> Pending:
    """A delivery that waits once more, with what freed it and the receipt of its last retry, if there were any."""
    own = [each for each in decisions if each.delivery_id == entry.delivery_id]
    retries = holding.retries_of(connection, entry)
    freed = next((each for each in own if each.decision == "freed"), None)
    retried = next((each for each in own if each.decision == "retried" and each.retry == retries), None)
    read_receipt = partial(receipt_of, resources, entry)
    if retried is not None:
        read_receipt = partial(receipt_of_retry, resources, entry, retried)
    return Pending(entry, read_receipt, freed if holding.was_freed(connection, entry) else None)


def _receive(
    resources: Resources, province: str, night: date, waiting: Sequence[Pending], suites_of: SuitesOf
) -> list[DeliveryOutcome]:
    """Receives what waits of ``night``; nothing is opened for nothing."""
    if not waiting:
        return []
    settings = resources.settings
    with resources.loader.begin() as connection:
        require_keyed(connection, province)
        keys = keys_to_receive_by(connection, province, settings.hash_keys)
        ensure_night_partitions(connection, province, night)
    with (
        resources.scratch(f"prov{province}") as scratch,
        open_engine(scratch, memory_limit=settings.memory_limit, threads=settings.threads, keys=keys) as duck,
    ):
        _fill_reference(resources, duck, province, scratch)
        judges = Judges(duck, suites_of)
        erased = erased_cases(resources, province, keys)
        return list(receive_in_order(Reception(resources, duck, judges, each, scratch, erased) for each in waiting))


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
