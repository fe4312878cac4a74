"""One delivery received: fetched, staged, judged, recognised, loaded, then visible, held or rejected in one flip."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.errors import ContractBreachError
from regsosek.geography.calendar import PossibleDays, latest_day
from regsosek.landing.archive import Decision, Receipt, write_receipt
from regsosek.landing.intake import FetchedFile
from regsosek.night.discovery.applicable_rules import Judges
from regsosek.night.discovery.fetching import archive_files, fetch_files, fetch_manifest, fetch_window, receipt_of
from regsosek.night.discovery.measuring import measure_decided
from regsosek.night.erasure.erased_cases import ErasedCases
from regsosek.night.receiving.assessing import Assessment, Violated
from regsosek.night.receiving.parts import Given
from regsosek.night.receiving.stopwatch import Stopwatch
from regsosek.privacy.erasure.pinned import Pinned
from regsosek.quality.hold_limits import ErrorShare, Limits, exceeding, measured
from regsosek.resources import Resources
from regsosek.staging.reading.repairs import Repair
from regsosek.telemetry.context import within
from regsosek.telemetry.measures import bytes_fetched
from regsosek.warehouse.cases.loading import clear_delivery
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.nights.replacing import note_replaced

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again:
    """Why a delivery is received another time: what freed it, and the last retry of it, if there were any."""

    freed: Decision | None
    retried: Decision | None


FIRST_TIME = Again(None, None)


@dataclass
class Reception:
    """The reception of one registered delivery.

    Attributes:
        again: what was decided about it before.
        awaited: ids of deliveries that are received later tonight, before this one if it replaces them.
        erased: the cases of the province that were erased, whichever delivery brings them.
    """

    resources: Resources
    duck: duckdb.DuckDBPyConnection
    judges: Judges
    entry: Delivery
    scratch: Path
    again: Again = FIRST_TIME
    awaited: frozenset[str] = frozenset()
    erased: ErasedCases = field(default_factory=ErasedCases)
    watch: Stopwatch = field(default_factory=Stopwatch)

    def run(self) -> bool:
        """Receives the delivery; a breach of the contract rejects it whole and is no failure of ours.

        Returns:
            False if it replaces a delivery that is still awaited; nothing has become of it then.
        """
        receipt = receipt_of(self.resources, self.entry, self.again.retried)
        totals: Mapping[str, int] = dict.fromkeys(DATASETS, 0)
        try:
            if receipt.manifest_sha256 is None:
                self._refuse_rejected_before(receipt)
            manifest, receipt = fetch_manifest(self.resources, self.entry, receipt, self.scratch)
            totals = {str(dataset): rows for dataset, rows in manifest.totals.items()}
            if not self.awaited.isdisjoint(manifest.supersedes):
                return False
            supersedes = self._note(manifest, receipt)
            self._refuse_rejected_before(receipt)
            self._decide(manifest, receipt, supersedes)
        except ContractBreachError as breach:
            self._reject(breach, totals, receipt)
        with self.resources.loader.begin() as connection:
            measure_decided(connection, self.entry)
        return True

    def _note(self, manifest: Manifest, receipt: Receipt) -> tuple[str, ...]:
        """Notes what the manifest says; all that the delivery supersedes."""
        province = self.entry.province
        with self.resources.loader.begin() as connection:
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
        with self.watch.step("flip"), self.resources.loader.begin() as connection:
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
        with self.resources.loader.begin() as connection:
            ledger.note_timing(connection, entry, 0, self.watch.spent)
        self._log_decided(held, limits)

    def _judge_parts(
        self, manifest: Manifest, receipt: Receipt, supersedes: tuple[str, ...]
    ) -> tuple[Mapping[Violated, int], tuple[ErrorShare, ...]]:
        """Violations by rule, and the error shares of the whole delivery; only what is not refused is archived."""
        with self.watch.step("fetch"):
            files = fetch_files(self.resources, self.entry, receipt, manifest, self.scratch)
        try:
            files = self.erased.emptied(self.resources, manifest, files, self.scratch)
            bytes_fetched(self.entry.province, manifest.instrument, sum(file.bytes for file in manifest.files))
            assessment = self._load_parts(manifest, self._judged_by(receipt), supersedes, files)
            self.erased.require_searched(manifest)
            with self.watch.step("fetch"):
                archive_files(self.resources, receipt, files)
        finally:
            for file in files:
                file.path.unlink(missing_ok=True)
        return assessment.pinned.violations(assessment.violations), assessment.shares

    def _load_parts(
        self, manifest: Manifest, receipt: Receipt, supersedes: tuple[str, ...], files: Sequence[FetchedFile]
    ) -> Assessment:
        days = self._possible_days(manifest, receipt)
        judge = self.judges.of(receipt, manifest.instrument_version, manifest.instrument)
        assessment = Assessment(
            Given(self.duck, self.scratch, self.entry, manifest, days, supersedes),
            judge,
            pinned=Pinned.of(self.erased.tombstones, self.entry.delivery_id),
        )
        files_of = assessment.files_of(files)
        if len(files_of) > 1:
            with self.watch.step("compare"):
                assessment.compare(files_of.values())
        for part, of_part in files_of.items():
            with within(part=part):
                self._load_part(assessment, part, of_part)
        return assessment

    def _log_decided(self, held: tuple[ErrorShare, ...], limits: Limits) -> None:
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
        window = fetch_window(self.resources, receipt, self.scratch)
        latest = latest_day(entry.province, produced_at=manifest.produced_at, night=entry.night)
        return PossibleDays.of(window, latest=latest, night=entry.counted_night)

    def _load_part(self, assessment: Assessment, part: int, files: list[FetchedFile]) -> None:
        entry, watch, parts = self.entry, self.watch, assessment.parts
        repairs: list[Repair] = []
        with watch.step("stage"):
            for file in files:
                repairs += assessment.read(file)
            parts.stage(part)
        with watch.step("judge"):
            assessment.judge_staged(part)
        with self.resources.loader.begin() as connection:
            ledger.require_registered(connection, entry)
            with watch.step("recognise"):
                parts.recognise(connection, part)
            with watch.step("load"):
                parts.load(connection, part)
                ledger.note_repairs(connection, entry, part, [asdict(each) for each in repairs])

    def _reject(self, breach: ContractBreachError, totals: Mapping[str, int], receipt: Receipt) -> None:
        entry = self.entry
        decided = {"outcome": "rejected", "reason": breach.reason, "detail": breach.detail}
        with self.resources.loader.begin() as connection:
            ledger.require_registered(connection, entry)
            # Before the ledger's commit: a verdict that only the ledger knew would be lost to a replay. Behind the
            # fence: of a run that lost its right, a replay would repeat what another run decided otherwise.
            write_receipt(
                self.resources.store, self.resources.settings.archive_bucket, receipt.model_copy(update=decided)
            )
            clear_delivery(connection, entry.province, entry.counted_night, entry.delivery_id)
            ledger.reject(connection, entry, reason=breach.reason, detail=breach.detail, totals=totals)
        log.warning("delivery %s of province %s rejected: %s", entry.delivery_id, entry.province, breach.reason)


def _rule_results(violations: Mapping[Violated, int]) -> list[dict[str, Any]]:
    return [
        {"dataset": dataset, "rule_id": rule_id, "severity": severity, "violations": n}
        for (dataset, rule_id, severity), n in violations.items()
    ]


def receive_in_order(entries: Iterable[Delivery], reception: Callable[[Delivery, frozenset[str]], Reception]) -> None:
    """Receives the deliveries of a night one after the other, each after those of the night that it replaces.

    Deliveries that replace each other are received as they are listed.
    """
    queue, deferred = deque(entries), 0
    while queue:
        entry = queue.popleft()
        awaited = frozenset(each.delivery_id for each in queue) if deferred <= len(queue) else frozenset[str]()
        with within(delivery_id=entry.delivery_id):
            if reception(entry, awaited).run():
                deferred = 0
            else:
                deferred += 1
                queue.append(entry)
