"""Replay: nights built again from the archive alone; what they were judged by comes from their receipts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from regsosek.contract.codebook import codebook_version
from regsosek.errors import ConfigurationError, ReferenceDataError
from regsosek.landing.archive import Receipt, fetch_archived, list_receipts, sealed_nights
from regsosek.night.house import House
from regsosek.night.nightly import without_values
from regsosek.night.receiving import ProvinceNight, receive_locked
from regsosek.night.sealing import reopen_night
from regsosek.quality.rules import Suite, load_suites, suite_from
from regsosek.warehouse import ledger
from regsosek.warehouse.database import province_lock
from regsosek.warehouse.reference import loaded_versions

log = logging.getLogger(__name__)


def nights_of(house: House, province: str, first: date) -> list[date]:
    """The nights from ``first`` on that the archive holds seals of ``province`` for."""
    sealed = sealed_nights(house.store, house.settings.archive_bucket, province)
    return sorted(night for night in sealed if night >= first)


def replay(
    house: House,
    first: date,
    provinces: Sequence[str],
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> list[ProvinceNight]:
    """Forgets ``first`` and all later nights of ``provinces`` and builds them again from the archive.

    Later nights are built again too, because what they did depends on what was known before. Nothing is published and
    nobody is told: run the night itself for that.

    Raises:
        ReferenceDataError: another frame or list of its changes is loaded than the nights were judged by.
        ConfigurationError: the codebook is another one.
        EngineFaultError: in place of an error of a database, whose text and traceback may quote personal data.
    """
    done = []
    for province in provinces:
        judged_by = {night: _suites_of(house, province, night) for night in nights_of(house, province, first)}
        # One lock over all of it: a scheduled night in between would find nights missing.
        with without_values(f"replay of province {province} from night {first}"), province_lock(house.engine, province):
            with house.engine.begin() as connection:
                ledger.forget(connection, province, first)
            for night, suites in judged_by.items():
                done.append(receive_locked(house, province, night, suites))
                announce(str(done[-1]))
    return done


def reopen(house: House, province: str, night: date, reason: str) -> None:
    """Takes into a sealed night what has arrived since, and builds later nights again if there are any.

    What a later night did to a case may depend on what comes in now, so it is done again in order.
    """
    reopen_night(house, province, night, load_suites(house.settings.expectations_dir), reason)
    if len(nights_of(house, province, night)) > 1:
        replay(house, night, [province])


def _suites_of(house: House, province: str, night: date) -> Mapping[str, Suite]:
    """The suites that the receipts of ``night`` name; the present ones for a night without deliveries."""
    receipts = list_receipts(house.store, house.settings.archive_bucket, night=night, province=province)
    if not receipts:
        return load_suites(house.settings.expectations_dir)
    versions = receipts[0].versions
    _require_same(house, receipts[0])
    with house.scratch("suites") as scratch:
        bucket = house.settings.archive_bucket
        names = [name for name in versions if name.startswith("suite_")]
        documents = [
            fetch_archived(house.store, bucket, versions[name], scratch / f"{name}.json").read_bytes() for name in names
        ]
    return {suite.dataset: suite for suite in map(suite_from, documents)}


def _require_same(house: House, receipt: Receipt) -> None:
    if receipt.versions["codebook"] != codebook_version():
        raise ConfigurationError(f"night {receipt.night} was judged by another codebook; check out its version first")
    with house.engine.begin() as connection:
        loaded = loaded_versions(connection)
    if any(loaded.get(dataset) != receipt.versions.get(dataset) for dataset in ("sls", "psls")):
        raise ReferenceDataError(
            f"night {receipt.night} was judged by another frame; load that version with `regsosek reference` first"
        )
