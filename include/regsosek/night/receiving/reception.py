"""One delivery received: fetched, staged, judged, recognised, loaded, then visible, held or rejected in one flip."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from functools import cached_property
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
from regsosek.night.discovery.fetching import archive_files, fetch_files, fetch_manifest, fetch_window
from regsosek.night.discovery.measuring import measure_decided
from regsosek.night.erasure.erased_cases import ErasedCases
from regsosek.night.receiving.assessing import Assessment
from regsosek.night.receiving.parts import Given
from regsosek.night.receiving.stopwatch import Stopwatch
from regsosek.privacy.erasure.pinned import Pinned
from regsosek.quality.hold_limits import ErrorShare, exceeding, measured
from regsosek.resources import Resources
from regsosek.staging.reading.repairs import Repair
from regsosek.telemetry.context import within
from regsosek.telemetry.measures import bytes_fetched
from regsosek.warehouse.cases.loading import clear_delivery
from regsosek.warehouse.nights import holding, ledger
from regsosek.warehouse.nights.delivery_outcome import AWAITED, DeliveryOutcome, Violated
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.nights.replacing import note_replaced

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pending:
    """A registered delivery that is to be received.

    Attributes:
        read_receipt: gives its receipt when its turn comes: of a province with many deliveries, one after the other.
        freed: the decision that freed it after it was held; None if it was never held.
    """

    entry: Delivery
    read_receipt: Callable[[], Receipt]
    freed: Decision | None = None


@dataclass
class Reception:
    """The reception of one registered delivery.

    Attributes:
        erased: the cases of the province that were erased, whichever delivery brings them.
    """

    resources: Resources
    duck: duckdb.DuckDBPyConnection
    judges: Judges
    pending: Pending
    scratch: Path
    erased: ErasedCases = field(default_factory=ErasedCases)
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def entry(self) -> Delivery:
        """Its line of the ledger."""
        return self.pending.entry

    @cached_property
    def receipt(self) -> Receipt:
        """Its receipt, which names the manifest once that was fetched."""
        return self.pending.read_receipt()

    def run(self, awaited: Set[str]) -> DeliveryOutcome:
        """Receives the delivery; a breach of the contract rejects it whole and is no failure of ours.

        Args:
            awaited: ids of deliveries that are received later tonight, before this one if it replaces them.
        """
        manifest: Manifest | None = None
        try:
            if self.receipt.manifest_sha256 is None:
                self._refuse_rejected_before()
            manifest, self.receipt = fetch_manifest(self.resources, self.entry, self.receipt, self.scratch)
            if not awaited.isdisjoint(manifest.supersedes):
                return DeliveryOutcome(self.entry, AWAITED)
            supersedes = self._note(manifest)
            self._refuse_rejected_before()
            outcome = self._decide(manifest, supersedes)
            with self.resources.loader.begin() as connection:
                ledger.note_timing(connection, outcome.entry, 0, outcome.spent)
        except ContractBreachError as breach:
            outcome = self._reject(breach, manifest)
        self._log(outcome)
        measure_decided(outcome)
        return outcome

    def _note(self, manifest: Manifest) -> tuple[str, ...]:
        """Notes what the manifest says; all that the delivery supersedes."""
        province = self.entry.province
        with self.resources.loader.begin() as connection:
            supersedes = holding.all_superseded(connection, province, manifest.supersedes)
            ledger.describe(connection, self.entry, manifest, self.receipt.manifest_sha256 or "", supersedes)
            own = manifest.instrument
            strangers = [d for d in manifest.supersedes if not ledger.is_known(connection, province, d, own)]
        if strangers:
            raise ContractBreachError("supersedes_unknown", ", ".join(strangers))
        return supersedes

    def _refuse_rejected_before(self) -> None:
        # A replay repeats the decision of the night; the files were never archived.
        receipt = self.receipt
        if receipt.outcome == "rejected":
            raise ContractBreachError(receipt.reason or "", receipt.detail or "")

    def _judged_by(self) -> Receipt:
        """The receipt, naming the versions of the decision that freed the delivery, if one did."""
        freed = self.pending.freed
        return self.receipt if freed is None else self.receipt.model_copy(update={"versions": freed.versions})

    def _decide(self, manifest: Manifest, supersedes: tuple[str, ...]) -> DeliveryOutcome:
        """Judges and loads all parts, then makes the delivery visible, or holds it: nobody holds it a second time."""
        violations, shares = self._judge_parts(manifest, supersedes)
        entry, limits, totals = self.entry, self.receipt.hold_limits, _totals(manifest)
        first_time = self.pending.freed is None
        replaced: tuple[Delivery, ...] = ()
        with self.watch.step("flip"), self.resources.loader.begin() as connection:
            ledger.require_registered(connection, entry)
            shares += note_replaced(connection, entry, supersedes if manifest.datasets == DATASETS else ())
            held = exceeding(shares, limits) if first_time else ()
            if held:
                rows = holding.hold(connection, entry, totals)
            else:
                rows = ledger.accept(connection, entry, totals, supersedes)
                replaced = holding.resolve_superseded(connection, entry, supersedes)
            if first_time:
                holding.note_shares(connection, entry, shares, limits)
            else:
                shares = holding.first_shares(connection, entry)
            ledger.note_rule_results(connection, entry, _rule_results(violations))
        return DeliveryOutcome(
            entry,
            "held" if held else "accepted",
            instrument=manifest.instrument,
            rows=rows,
            violations=violations,
            shares=shares,
            replaced=replaced,
            spent=dict(self.watch.spent),
        )

    def _judge_parts(
        self, manifest: Manifest, supersedes: tuple[str, ...]
    ) -> tuple[Mapping[Violated, int], tuple[ErrorShare, ...]]:
        """Violations by rule, and the error shares of the whole delivery; only what is not refused is archived."""
        with self.watch.step("fetch"):
            files = fetch_files(self.resources, self.entry, self.receipt, manifest, self.scratch)
        try:
            files = self.erased.emptied(self.resources, manifest, files, self.scratch)
            bytes_fetched(self.entry.province, manifest.instrument, sum(file.bytes for file in manifest.files))
            assessment = self._load_parts(manifest, supersedes, files)
            self.erased.require_searched(manifest)
            with self.watch.step("fetch"):
                archive_files(self.resources, self.receipt, files)
        finally:
            for file in files:
                file.path.unlink(missing_ok=True)
        return assessment.pinned.violations(assessment.violations), assessment.shares

    def _load_parts(self, manifest: Manifest, supersedes: tuple[str, ...], files: Sequence[FetchedFile]) -> Assessment:
        receipt = self._judged_by()
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

    def _log(self, outcome: DeliveryOutcome) -> None:
        entry, limits = self.entry, self.receipt.hold_limits
        if outcome.state == "accepted":
            log.info("delivery %s of province %s accepted", entry.delivery_id, entry.province)
        if outcome.state == "rejected":
            log.warning("delivery %s of province %s rejected: %s", entry.delivery_id, entry.province, outcome.reason)
        for share in exceeding(outcome.shares, limits) if outcome.state == "held" else ():
            log.warning(
                "delivery %s of province %s held: %d of %d %s, limit %s %% (`regsosek deliveries show %s -p %s`)",
                entry.delivery_id, entry.province, share.in_error, share.judged, measured(share.dataset),
                limits[share.dataset].percent, entry.delivery_id, entry.province,
            )  # fmt: skip

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

    def _reject(self, breach: ContractBreachError, manifest: Manifest | None) -> DeliveryOutcome:
        """Rejects the delivery whole; without a manifest that could be read, nobody knows of how many rows."""
        entry, instrument = self.entry, None
        totals: Mapping[str, int] = dict.fromkeys(DATASETS, 0)
        if manifest is not None:
            instrument, totals = manifest.instrument, _totals(manifest)
        decided = {"outcome": "rejected", "reason": breach.reason, "detail": breach.detail}
        with self.resources.loader.begin() as connection:
            ledger.require_registered(connection, entry)
            # Before the ledger's commit: a verdict that only the ledger knew would be lost to a replay. Behind the
            # fence: of a run that lost its right, a replay would repeat what another run decided otherwise.
            write_receipt(
                self.resources.store, self.resources.settings.archive_bucket, self.receipt.model_copy(update=decided)
            )
            clear_delivery(connection, entry.province, entry.counted_night, entry.delivery_id)
            rows = ledger.reject(connection, entry, reason=breach.reason, detail=breach.detail, totals=totals)
        return DeliveryOutcome(entry, "rejected", breach.reason, breach.detail, instrument, rows)


def _totals(manifest: Manifest) -> dict[str, int]:
    return {str(dataset): rows for dataset, rows in manifest.totals.items()}


def _rule_results(violations: Mapping[Violated, int]) -> list[dict[str, Any]]:
    return [
        {"dataset": dataset, "rule_id": rule_id, "severity": severity, "violations": n}
        for (dataset, rule_id, severity), n in violations.items()
    ]


def receive_in_order(receptions: Iterable[Reception]) -> Iterator[DeliveryOutcome]:
    """Receives the deliveries of a night one after the other, each after those of the night that it replaces.

    Deliveries that replace each other are received as they are listed.
    """
    queue, deferred = deque(receptions), 0
    while queue:
        reception = queue.popleft()
        awaited = {each.entry.delivery_id for each in queue} if deferred <= len(queue) else set[str]()
        with within(delivery_id=reception.entry.delivery_id):
            outcome = reception.run(awaited)
        if outcome.state == AWAITED:
            deferred += 1
            queue.append(reception)
        else:
            deferred = 0
            yield outcome
