"""Replay: nights built again from the archive alone; what they were judged by comes from their receipts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from regsosek.landing.archive import Decision, list_decisions, list_receipts, sealed_nights
from regsosek.night.house import House
from regsosek.night.judged_by import require_same, suites_named
from regsosek.night.nightly import without_values
from regsosek.night.receiving import ProvinceNight, receive_locked
from regsosek.night.sealing import reopen_night
from regsosek.quality.rules import Suite, load_suites
from regsosek.warehouse import holding, ledger
from regsosek.warehouse.database import province_lock

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
        ReferenceDataError: another frame is loaded than the nights were judged by.
        ConfigurationError: the codebook is another one.
        EngineFaultError: in place of an error of a database, whose text and traceback may quote personal data.
    """
    done = []
    for province in provinces:
        judged_by = {night: _suites_of(house, province, night) for night in nights_of(house, province, first)}
        _require_same_decisions(house, province, first)
        # One lock over all of it: a scheduled night in between would find nights missing.
        with without_values(f"replay of province {province} from night {first}"), province_lock(house.engine, province):
            with house.engine.begin() as connection:
                holding.forget_decisions(connection, province, first)
                ledger.forget(connection, province, first)
            for night, suites in judged_by.items():
                done.append(receive_locked(house, province, night, suites))
                announce(str(done[-1]))
    return done


def reopen(house: House, province: str, night: date, reason: str) -> None:
    """Takes into a sealed night what has arrived since, and builds it again with all that came after, if anything did.

    What a later night, or a delivery freed on this one, did to a case may depend on what comes in now: in order again.
    """
    reopen_night(house, province, night, load_suites(house.settings.expectations_dir), reason)
    if len(nights_of(house, province, night)) > 1 or decided_since(house, province, night):
        replay(house, night, [province])


def _suites_of(house: House, province: str, night: date) -> Mapping[str, Suite]:
    """The suites that the receipts of ``night`` name; the present ones for a night without deliveries."""
    receipts = list_receipts(house.store, house.settings.archive_bucket, night=night, province=province)
    if not receipts:
        return load_suites(house.settings.expectations_dir)
    require_same(house, receipts[0].versions, f"night {night}")
    return suites_named(house, receipts[0].versions)


def _require_same_decisions(house: House, province: str, first: date) -> None:
    for decision in decided_since(house, province, first):
        if decision.decision == "freed":
            require_same(house, decision.versions, f"delivery {decision.delivery_id}, freed on night {decision.night},")


def decided_since(house: House, province: str, first: date) -> list[Decision]:
    """The operators' decisions that nights from ``first`` on have taken up."""
    decisions = list_decisions(house.store, house.settings.archive_bucket, province)
    return [decision for decision in decisions if decision.night >= first]
