"""One province's night: every delivery brought, staged, judged, recognised, loaded, and made visible in one flip."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Connection

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.errors import ContractBreachError, ReferenceDataError
from regsosek.geography.calendar import PossibleDays, latest_day
from regsosek.landing.archive import Decision, Receipt, list_decisions, write_receipt
from regsosek.landing.intake import FetchedFile
from regsosek.night.assessing import Assessment, Violated
from regsosek.night.bringing import bring_files, bring_manifest, bring_window, receipt_of
from regsosek.night.house import House
from regsosek.night.judging import Judges, SuitesOf, archived_suites, named_versions, suite_names
from regsosek.night.measuring import measure_decided, measure_error_shares
from regsosek.night.parts import Given
from regsosek.night.sealing import require_nights_before, seal_night
from regsosek.night.stopwatch import Stopwatch
from regsosek.quality.hold_limits import ErrorShare, Limits, exceeding, measured
from regsosek.quality.rules import Suite
from regsosek.staging.engine import open_engine
from regsosek.staging.reference_tables import fill_reference_table
from regsosek.staging.repairs import Repair
from regsosek.statistics.progress import refresh_province
from regsosek.telemetry.context import within
from regsosek.telemetry.measures import bytes_brought
from regsosek.warehouse import holding, ledger
from regsosek.warehouse.ledger import Delivery
from regsosek.warehouse.loading import clear_delivery
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.migration import ensure_night_partitions
from regsosek.warehouse.pseudonyms import prepare_key
from regsosek.warehouse.reference import export_frame, export_psls, export_regions
from regsosek.warehouse.replacing import note_replaced

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


def receive_province(house: House, province: str, night: date, suites: Mapping[str, Suite]) -> ProvinceNight:
    """Receives all deliveries of ``province`` that belong to ``night`` and brings its statistics up to date.

    Runs any number of times: decided deliveries stay as they are, an interrupted one is taken up again.
    """
    with province_lock(house.engine, province) as held:
        return receive_locked(house.under(held), province, night, suites)


def receive_locked(
    house: House, province: str, night: date, suites: Mapping[str, Suite], *, suites_of: SuitesOf | None = None
) -> ProvinceNight:
    """:func:`receive_province` for a caller that holds the province's lock; ``house`` is under it.

    Earlier nights that were interrupted are completed first.

    Args:
        suites_of: the suites that judge a delivery, by its receipt; ``suites`` for all if not given.

    Raises:
        SealedNightError: the warehouse lacks nights before this one that the archive has sealed.
    """
    require_nights_before(house, province, night)
    decisions = list_decisions(house.store, house.settings.archive_bucket, province)
    with house.engine.begin() as connection:
        _apply(connection, [decision for decision in decisions if decision.night < night])
        unfinished = holding.unfinished_nights(connection, province, night)
    for each in (*unfinished, night):
        with within(night=each, province=province):
            done = _receive_night(house, province, each, suites, suites_of or (lambda _: suites), decisions)
    return done


def _receive_night(
    house: House,
    province: str,
    night: date,
    suites: Mapping[str, Suite],
    suites_of: SuitesOf,
    decisions: Sequence[Decision],
) -> ProvinceNight:
    """The night's own deliveries first, then those freed for it: in a replay as when it happened."""
    with house.engine.begin() as connection:
        ledger.note_begun(connection, province, night)
    seal_night(house, province, night, suites)
    _receive_pending(house, province, night, suites_of)
    _receive_decided(house, province, night, suites, decisions)
    with house.engine.begin() as connection:
        refresh_province(connection, province, night)
        decided = Counter(entry.state for entry in ledger.deliveries_of(connection, province, night))
        ledger.note_refreshed(connection, province, night)
        measure_error_shares(connection, province, night)
    return ProvinceNight(province, night, decided)


def _receive_decided(
    house: House, province: str, night: date, suites: Mapping[str, Suite], decisions: Sequence[Decision]
) -> None:
    """What was decided for ``night``: in rounds, for what is retried may be held or rejected, and be decided again."""
    of_tonight = [decision for decision in decisions if decision.night == night]
    while of_tonight:
        with house.engine.begin() as connection:
            applied = _apply(connection, of_tonight)
        _receive_pending(house, province, night, _suites_of_freed(house, suites), decided=decisions)
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


@dataclass(frozen=True)
class Again:
    """Why a delivery is received another time: what freed it, and the last retry of it, if there were any."""

    freed: Decision | None
    retried: Decision | None


def _again(connection: Connection, entry: Delivery, decisions: Iterable[Decision]) -> Again:
    own = [each for each in decisions if each.delivery_id == entry.delivery_id]
    retries = holding.retries_of(connection, entry)
    was_held = holding.was_freed(connection, entry)
    return Again(
        next((each for each in own if each.decision == "freed"), None) if was_held else None,
        next((each for each in own if each.decision == "retried" and each.retry == retries), None),
    )


FIRST_TIME = Again(None, None)


def _suites_of_freed(house: House, suites: Mapping[str, Suite]) -> SuitesOf:
    """A freed delivery is judged by what the decision names: the night's own suites, or others from the archive."""
    own = named_versions(suites)
    return lambda receipt: suites if suite_names(receipt) == own else archived_suites(house, receipt)


def _receive_pending(
    house: House,
    province: str,
    night: date,
    suites_of: SuitesOf,
    decided: Sequence[Decision] | None = None,
) -> None:
    """Receives what waits of ``night``: its own deliveries, or those that were ``decided`` for it."""
    settings = house.settings
    with house.engine.begin() as connection:
        entries = ledger.pending(connection, province, night, freed=decided is not None)
        if not entries:
            return
        ensure_night_partitions(connection, province, night)
        again = {entry.delivery_id: _again(connection, entry, decided) for entry in entries} if decided else {}
    with (
        house.scratch(f"prov{province}") as scratch,
        open_engine(scratch, memory_limit=settings.memory_limit, threads=settings.threads) as duck,
    ):
        prepare_key(duck, settings.hmac_key.get_secret_value().encode())
        _fill_reference(house, duck, province, scratch)
        judges = Judges(duck, suites_of)
        for entry in entries:
            with within(delivery_id=entry.delivery_id):
                Reception(house, duck, judges, entry, scratch, again.get(entry.delivery_id, FIRST_TIME)).run()


# What staging asks of the warehouse, by table of the engine.
_EXPORTS = {"frame": export_frame, "psls": export_psls, "region": export_regions}


def _fill_reference(house: House, duck: duckdb.DuckDBPyConnection, province: str, scratch: Path) -> None:
    rows = {}
    with house.engine.begin() as connection:
        for table, export in _EXPORTS.items():
            path = scratch / f"{table}.csv"
            export(connection, province, path)
            rows[table] = fill_reference_table(duck, table, path)
    if not rows["frame"]:
        raise ReferenceDataError(f"the frame has no sub-SLS of province {province}; load it with `regsosek reference`")


@dataclass
class Reception:
    """The reception of one registered delivery; ``again``: what was decided about it before."""

    house: House
    duck: duckdb.DuckDBPyConnection
    judges: Judges
    entry: Delivery
    scratch: Path
    again: Again = FIRST_TIME
    watch: Stopwatch = field(default_factory=Stopwatch)

    def run(self) -> None:
        """Receives the delivery; a breach of the contract rejects it whole and is no failure of ours."""
        receipt = receipt_of(self.house, self.entry, self.again.retried)
        totals: Mapping[str, int] = dict.fromkeys(DATASETS, 0)
        try:
            if receipt.manifest_sha256 is None:
                self._refuse_rejected_before(receipt)
            manifest, receipt = bring_manifest(self.house, self.entry, receipt, self.scratch)
            totals = {str(dataset): rows for dataset, rows in manifest.totals.items()}
            supersedes = self._note(manifest, receipt)
            self._refuse_rejected_before(receipt)
            self._decide(manifest, self._judged_by(receipt), supersedes)
        except ContractBreachError as breach:
            self._reject(breach, totals, receipt)
        with self.house.engine.begin() as connection:
            measure_decided(connection, self.entry)

    def _note(self, manifest: Manifest, receipt: Receipt) -> tuple[str, ...]:
        """Notes what the manifest says; all that the delivery supersedes."""
        province = self.entry.province
        with self.house.engine.begin() as connection:
            supersedes = holding.all_superseded(connection, province, manifest.supersedes)
            ledger.describe(connection, self.entry, manifest, receipt.manifest_sha256 or "", supersedes)
            own = manifest.instrument
            strangers = [d for d in manifest.supersedes if not ledger.is_known(connection, province, d, own)]
        if strangers:
            raise ContractBreachError("supersedes_unknown", ", ".join(strangers))
        return supersedes

    def _refuse_rejected_before(self, receipt: Receipt) -> None:
        # A replay repeats the decision of the night; the files were never archived.
        if receipt.outcome == "rejected":
            raise ContractBreachError(receipt.reason or "", receipt.detail or "")

    def _judged_by(self, receipt: Receipt) -> Receipt:
        """The receipt, naming the versions of the decision that freed the delivery, if one did."""
        if self.again.freed is None:
            return receipt
        return receipt.model_copy(update={"versions": self.again.freed.versions})

    def _decide(self, manifest: Manifest, receipt: Receipt, supersedes: tuple[str, ...]) -> None:
        """Judges and loads all parts, then makes the delivery visible, or holds it: nobody holds it a second time."""
        violations, shares = self._judge_parts(manifest, receipt, supersedes)
        entry, limits = self.entry, receipt.hold_limits
        totals = {str(dataset): rows for dataset, rows in manifest.totals.items()}
        first_time = self.again.freed is None
        with self.watch.step("flip"), self.house.engine.begin() as connection:
            ledger.require_registered(connection, entry)
            shares += note_replaced(connection, entry, supersedes if manifest.datasets == DATASETS else ())
            held = exceeding(shares, limits) if first_time else ()
            if held:
                holding.hold(connection, entry, totals)
            else:
                ledger.accept(connection, entry, totals, supersedes)
                holding.resolve_superseded(connection, entry, supersedes)
            if first_time:
                holding.note_shares(connection, entry, shares, limits)
            ledger.note_rule_results(connection, entry, _rule_results(violations))
        with self.house.engine.begin() as connection:
            ledger.note_timing(connection, entry, 0, self.watch.spent)
        self._tell(held, limits)

    def _judge_parts(
        self, manifest: Manifest, receipt: Receipt, supersedes: tuple[str, ...]
    ) -> tuple[Mapping[Violated, int], tuple[ErrorShare, ...]]:
        """Violations by rule, and the error shares of the whole delivery."""
        with self.watch.step("fetch"):
            files = bring_files(self.house, self.entry, manifest, self.scratch)
        bytes_brought(self.entry.province, manifest.instrument, sum(file.bytes for file in manifest.files))
        days = self._possible_days(manifest, receipt)
        judge = self.judges.of(receipt, manifest.instrument_version, manifest.instrument)
        assessment = Assessment(Given(self.duck, self.scratch, self.entry, manifest, days, supersedes), judge)
        files_of = assessment.files_of(files)
        if len(files_of) > 1:
            with self.watch.step("compare"):
                assessment.compare(files_of.values())
        for part, of_part in files_of.items():
            with within(part=part):
                self._load_part(assessment, part, of_part)
        return assessment.violations, assessment.shares

    def _tell(self, held: tuple[ErrorShare, ...], limits: Limits) -> None:
        entry = self.entry
        for share in held:
            log.warning(
                "delivery %s of province %s held: %d of %d %s, limit %s %% (`regsosek deliveries show %s -p %s`)",
                entry.delivery_id, entry.province, share.in_error, share.judged, measured(share.dataset),
                limits[share.dataset].percent, entry.delivery_id, entry.province,
            )  # fmt: skip
        if not held:
            log.info("delivery %s of province %s accepted", entry.delivery_id, entry.province)

    def _possible_days(self, manifest: Manifest, receipt: Receipt) -> PossibleDays:
        entry = self.entry
        window = bring_window(self.house, receipt, self.scratch)
        latest = latest_day(entry.province, produced_at=manifest.produced_at, night=entry.night)
        return PossibleDays.of(window, latest=latest, night=entry.counted_night)

    def _load_part(self, assessment: Assessment, part: int, files: list[FetchedFile]) -> None:
        entry, watch, parts = self.entry, self.watch, assessment.parts
        repairs: list[Repair] = []
        with watch.step("stage"):
            for file in files:
                repairs += assessment.read(file)
                file.path.unlink()
            parts.stage(part)
        with watch.step("judge"):
            assessment.judge_staged()
        with self.house.engine.begin() as connection:
            ledger.require_registered(connection, entry)
            with watch.step("recognise"):
                parts.recognise(connection, part)
            with watch.step("load"):
                parts.load(connection, part)
                ledger.note_repairs(connection, entry, part, [asdict(each) for each in repairs])

    def _reject(self, breach: ContractBreachError, totals: Mapping[str, int], receipt: Receipt) -> None:
        entry = self.entry
        decided = {"outcome": "rejected", "reason": breach.reason, "detail": breach.detail}
        # The receipt first: a verdict that only the ledger knew would be lost to a replay.
        write_receipt(self.house.store, self.house.settings.archive_bucket, receipt.model_copy(update=decided))
        with self.house.engine.begin() as connection:
            ledger.require_registered(connection, entry)
            clear_delivery(connection, entry.province, entry.counted_night, entry.delivery_id)
            ledger.reject(connection, entry, reason=breach.reason, detail=breach.detail, totals=totals)
        log.warning("delivery %s of province %s rejected: %s", entry.delivery_id, entry.province, breach.reason)


def _rule_results(violations: Mapping[Violated, int]) -> list[dict[str, Any]]:
    return [
        {"dataset": dataset, "rule_id": rule_id, "severity": severity, "violations": n}
        for (dataset, rule_id, severity), n in violations.items()
    ]
