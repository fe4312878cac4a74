"""Replay: nights built again from the archive alone; what they were judged by comes from their receipts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from regsosek.contract.codebook import codebook_document, codebook_version, columns_of
from regsosek.contract.instruments import QUESTIONNAIRE, first_version
from regsosek.errors import ConfigurationError, ReferenceDataError, SealedNightError
from regsosek.faults import edge
from regsosek.landing.archive import (
    Decision,
    Receipt,
    fetch_archived,
    list_decisions,
    list_receipts,
    sealed_nights,
)
from regsosek.night.discovery.applicable_rules import SuitesOf, archived_suites, receipt_suites, suite_names
from regsosek.night.discovery.sealing import reopen_night, require_nights_before
from regsosek.night.receiving.province_night import ProvinceNight
from regsosek.night.receiving.receiving import receive_locked
from regsosek.quality.rules import Suite, load_suites
from regsosek.resources import Resources
from regsosek.telemetry.context import within
from regsosek.warehouse.hashes.hash_keys import keys_in_use, note_rebuilt
from regsosek.warehouse.hashes.rekeying import require_keyed
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.reference import loaded_versions

log = logging.getLogger(__name__)


def nights_of(resources: Resources, province: str, first: date) -> list[date]:
    """The nights from ``first`` on that the archive holds seals of ``province`` for."""
    sealed = sealed_nights(resources.store, resources.settings.archive_bucket, province)
    return sorted(night for night in sealed if night >= first)


def replay(
    resources: Resources,
    first: date,
    provinces: Sequence[str],
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> list[ProvinceNight]:
    """Forgets ``first`` and all later nights of ``provinces`` and builds them again from the archive.

    Later nights are built again too, because what they did depends on what was known before. Nothing is published and
    nobody is notified: run the night itself for that.

    Raises:
        SealedNightError: the warehouse lacks nights before ``first``, too; nothing was forgotten.
        ReferenceDataError: another frame or list of its changes is loaded than the nights were judged by.
        ConfigurationError: the codebook is another one, or the hashes are made with keys that are not here.
        EngineFaultError: in place of an error of a database, whose text and traceback may quote personal data.
    """
    done = []
    for province in provinces:
        nights = nights_of(resources, province, first)
        suites = receipt_suites(resources, _suites_of_receipts(resources, province, nights))
        _require_frame_of_decisions(resources, province, first)
        # One lock over all of it: a scheduled night in between would find nights missing.
        with (
            within(province=province),
            edge(f"replay of province {province} from night {first}"),
            province_lock(resources.loader, province) as held,
        ):
            locked = resources.under(held)
            _require_whole_before(locked, province, first)
            with locked.loader.begin() as connection:
                require_keyed(connection, province)
                keys_in_use(connection, province, resources.settings.hash_keys)
                holding.forget_decisions(connection, province, first)
                ledger.forget(connection, province, first)
                note_rebuilt(connection, province, first)
            for night in nights:
                done.append(receive_locked(locked, province, night, suites))
                announce(str(done[-1]))
    return done


def _require_whole_before(resources: Resources, province: str, first: date) -> None:
    """A night that is built again rests on those before: a warehouse that lacks some must be replayed from there."""
    require_nights_before(resources, province, first)
    with resources.loader.begin() as connection:
        unfinished = holding.unfinished_nights(connection, province, first)
    if unfinished:
        raise SealedNightError(
            f"province {province}: night {unfinished[0]} was interrupted and is not whole; "
            f"run `regsosek replay --from {unfinished[0]} -p {province}` (DAG regsosek_replay)"
        )


def reopen(resources: Resources, province: str, night: date, reason: str) -> None:
    """Takes into a sealed night what has arrived since, and builds it again with all that came after, if anything did.

    What a later night, or a delivery freed on this one, did to a case may depend on what comes in now: in order again.
    """
    reopen_night(resources, province, night, load_suites(resources.settings.expectations_dir), reason)
    if len(nights_of(resources, province, night)) > 1 or decided_since(resources, province, night):
        replay(resources, night, [province])


def _suites_of_receipts(resources: Resources, province: str, nights: Sequence[date]) -> SuitesOf:
    """The suites of every receipt of ``nights``, all fetched before anything is forgotten."""
    fetched: dict[str, Mapping[str, Suite]] = {}
    for night in nights:
        for receipt in list_receipts(
            resources.store, resources.settings.archive_bucket, night=night, province=province
        ):
            _require_same(resources, receipt)
            if _suites_key(receipt) not in fetched:
                fetched[_suites_key(receipt)] = archived_suites(resources, receipt)
    return lambda receipt: fetched[_suites_key(receipt)]


def _suites_key(receipt: Receipt) -> str:
    return " ".join(suite_names(receipt).values())


def _require_same(resources: Resources, receipt: Receipt) -> None:
    """Rules may have changed since, they come from the archive; columns and the frame must be the same."""
    instrument = receipt.instrument or QUESTIONNAIRE
    version = receipt.instrument_version or first_version(instrument)
    _require_columns(resources, receipt.versions["codebook"], instrument, version)
    _require_frame(resources, receipt.versions, f"night {receipt.night}")


def _require_frame(resources: Resources, versions: Mapping[str, str], what: str) -> None:
    with resources.loader.begin() as connection:
        loaded = loaded_versions(connection)
    if any(loaded.get(dataset) != versions.get(dataset) for dataset in ("sls", "psls")):
        raise ReferenceDataError(
            f"{what} was judged by another frame; load that version with `regsosek reference` first"
        )


def _require_frame_of_decisions(resources: Resources, province: str, first: date) -> None:
    for decision in decided_since(resources, province, first):
        if decision.decision != "rejected":
            what = f"delivery {decision.delivery_id}, {decision.decision} on {decision.night},"
            _require_frame(resources, decision.versions, what)


def decided_since(resources: Resources, province: str, first: date) -> list[Decision]:
    """The operators' decisions that nights from ``first`` on have taken up."""
    decisions = list_decisions(resources.store, resources.settings.archive_bucket, province)
    return [decision for decision in decisions if decision.night >= first]


def _require_columns(resources: Resources, codebook: str, instrument: str, version: str) -> None:
    """A codebook that has grown since reads the old deliveries as before: a version keeps its columns and types."""
    if codebook == codebook_version():
        return
    with resources.scratch("codebook") as scratch:
        bucket = resources.settings.archive_bucket
        archived = fetch_archived(resources.store, bucket, codebook, scratch / "codebook.csv").read_bytes()
    if columns_of(archived, instrument, version) != columns_of(codebook_document(), instrument, version):
        raise ConfigurationError(
            f"a delivery of {instrument} version {version} was read by a codebook with other columns or types; "
            "check out the project as it was then"
        )
