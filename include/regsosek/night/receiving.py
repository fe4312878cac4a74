"""One province's night: every delivery brought, staged, judged, recognised, loaded, and made visible in one flip."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.errors import ContractBreachError, ReferenceDataError
from regsosek.geography.calendar import PossibleDays, latest_day
from regsosek.geography.provinces import clock_offset
from regsosek.landing.archive import Receipt, write_receipt
from regsosek.landing.intake import FetchedFile
from regsosek.night.bringing import bring_files, bring_manifest, bring_window, receipt_of
from regsosek.night.house import House
from regsosek.night.judging import Judges, SuitesOf
from regsosek.night.sealing import seal_night
from regsosek.quality.rules import Suite
from regsosek.quality.verdict import Judge, RuleCount
from regsosek.staging.engine import open_engine
from regsosek.staging.files import read_part
from regsosek.staging.relations import stage
from regsosek.staging.repairs import Repair
from regsosek.staging.repeats import clear_repeats, count_repeats, note_part
from regsosek.statistics.progress import refresh_province
from regsosek.warehouse import ledger
from regsosek.warehouse.database import province_lock
from regsosek.warehouse.ledger import Delivery
from regsosek.warehouse.loading import PartKey, clear_delivery, load_part
from regsosek.warehouse.migration import ensure_night_partitions
from regsosek.warehouse.pseudonyms import prepare_key
from regsosek.warehouse.recognition import fetch_known, recognise
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


@dataclass
class Stopwatch:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Adds the time inside to ``name``."""
        start = time.monotonic()
        yield
        self.seconds[name] += time.monotonic() - start


def receive_province(house: House, province: str, night: date, suites: Mapping[str, Suite]) -> ProvinceNight:
    """Receives all deliveries of ``province`` that belong to ``night`` and brings its statistics up to date.

    Runs any number of times: decided deliveries stay as they are, an interrupted one is taken up again.
    """
    with province_lock(house.engine, province):
        return receive_locked(house, province, night, suites)


def receive_locked(
    house: House, province: str, night: date, suites: Mapping[str, Suite], *, suites_of: SuitesOf | None = None
) -> ProvinceNight:
    """:func:`receive_province` for a caller that holds the province's lock.

    Args:
        suites_of: the suites that judge a delivery, by its receipt; ``suites`` for all if not given.
    """
    with house.engine.begin() as connection:
        ledger.note_begun(connection, province, night)
    entries = seal_night(house, province, night, suites)
    pending = [entry for entry in entries if entry.state == "registered"]
    if pending:
        _receive_all(house, province, night, pending, suites_of or (lambda _: suites))
    with house.engine.begin() as connection:
        refresh_province(connection, province, night)
        decided = Counter(entry.state for entry in ledger.deliveries_of(connection, province, night))
        ledger.note_refreshed(connection, province, night)
    return ProvinceNight(province, night, decided)


def _receive_all(house: House, province: str, night: date, entries: list[Delivery], suites_of: SuitesOf) -> None:
    settings = house.settings
    with house.engine.begin() as connection:
        ensure_night_partitions(connection, province, night)
    with (
        house.scratch(f"prov{province}") as scratch,
        open_engine(scratch, memory_limit=settings.memory_limit, threads=settings.threads) as duck,
    ):
        prepare_key(duck, settings.hmac_key.get_secret_value().encode())
        _fill_reference(house, duck, province, scratch)
        judges = Judges(duck, suites_of)
        for entry in entries:
            Reception(house, duck, judges, entry, scratch).run()


# What staging asks of the warehouse, by table of the engine: how to export it, and its columns.
_REFERENCE = {
    "frame": (
        export_frame,
        {"id_subsls": "VARCHAR", "id_desa": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE"},
    ),
    "psls": (
        export_psls,
        {"id_subsls_lama": "VARCHAR", "id_subsls_baru": "VARCHAR", "status": "SMALLINT", "valid_from": "DATE"},
    ),
    "region": (export_regions, {"code": "VARCHAR", "level": "VARCHAR"}),
}


def _fill_reference(house: House, duck: duckdb.DuckDBPyConnection, province: str, scratch: Path) -> None:
    with house.engine.begin() as connection:
        for table, (export, columns) in _REFERENCE.items():
            path = scratch / f"{table}.csv"
            export(connection, province, path)
            duck.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}', auto_detect = false, header = true, "
                f"columns = {columns})"
            )
    [(rows,)] = duck.execute("SELECT count(*) FROM frame").fetchall()
    if not rows:
        raise ReferenceDataError(f"the frame has no sub-SLS of province {province}; load it with `regsosek reference`")


@dataclass
class Reception:
    """The reception of one registered delivery."""

    house: House
    duck: duckdb.DuckDBPyConnection
    judges: Judges
    entry: Delivery
    scratch: Path
    watch: Stopwatch = field(default_factory=Stopwatch)

    def run(self) -> None:
        """Receives the delivery; a breach of the contract rejects it whole and is no failure of ours."""
        receipt = receipt_of(self.house, self.entry)
        totals: Mapping[str, int] = dict.fromkeys(DATASETS, 0)
        try:
            if receipt.manifest_sha256 is None:
                self._refuse_rejected_before(receipt)
            manifest, receipt = bring_manifest(self.house, self.entry, receipt, self.scratch)
            totals = {str(dataset): rows for dataset, rows in manifest.totals.items()}
            self._note(manifest, receipt)
            self._refuse_rejected_before(receipt)
            self._accept(manifest, receipt, self.judges.of(receipt, manifest.instrument_version))
        except ContractBreachError as breach:
            self._reject(breach, totals, receipt)

    def _note(self, manifest: Manifest, receipt: Receipt) -> None:
        with self.house.engine.begin() as connection:
            ledger.describe(connection, self.entry, manifest, receipt.manifest_sha256 or "")
            strangers = [d for d in manifest.supersedes if not ledger.is_known(connection, self.entry.province, d)]
        if strangers:
            raise ContractBreachError("supersedes_unknown", ", ".join(strangers))

    def _refuse_rejected_before(self, receipt: Receipt) -> None:
        # A replay repeats the decision of the night; the files were never archived.
        if receipt.outcome == "rejected":
            raise ContractBreachError(receipt.reason or "", receipt.detail or "")

    def _accept(self, manifest: Manifest, receipt: Receipt, judge: Judge) -> None:
        with self.watch.step("fetch"):
            files = bring_files(self.house, self.entry, manifest, self.scratch)
        by_part = {(file.delivered.dataset, file.delivered.part): file for file in files}
        parts = {part: [by_part[dataset, part] for dataset in DATASETS] for part in manifest.parts}
        days = self._possible_days(manifest, receipt)
        if len(parts) > 1:
            with self.watch.step("compare"):
                self._compare(manifest, parts.values())
        violations: Counter[tuple[str, str, str]] = Counter()
        for part, of_part in parts.items():
            counts = self._load_part(manifest, judge, part, of_part, days)
            for count in counts:
                violations[count.dataset, count.rule_id, count.severity] += count.violations
        with self.watch.step("flip"), self.house.engine.begin() as connection:
            totals = {str(dataset): rows for dataset, rows in manifest.totals.items()}
            ledger.accept(connection, self.entry, totals, manifest.supersedes)
            ledger.note_rule_results(
                connection,
                self.entry,
                [
                    {"dataset": dataset, "rule_id": rule_id, "severity": severity, "violations": n}
                    for (dataset, rule_id, severity), n in violations.items()
                ],
            )
        with self.house.engine.begin() as connection:
            ledger.note_timing(connection, self.entry, 0, self.watch.seconds)
        log.info("delivery %s of province %s accepted", self.entry.delivery_id, self.entry.province)

    def _possible_days(self, manifest: Manifest, receipt: Receipt) -> PossibleDays:
        entry = self.entry
        window = bring_window(self.house, receipt, self.scratch)
        latest = latest_day(entry.province, produced_at=manifest.produced_at, night=entry.night)
        return PossibleDays.of(window, latest=latest)

    def _compare(self, manifest: Manifest, parts: Iterable[list[FetchedFile]]) -> None:
        """Counts what repeats across the parts, before the first one is judged; no damaged file is half loaded."""
        clear_repeats(self.duck)
        for files in parts:
            for file in files:
                self._read(manifest, file)
            note_part(self.duck)
        count_repeats(self.duck)

    def _read(self, manifest: Manifest, file: FetchedFile) -> tuple[Repair, ...]:
        offset = clock_offset(self.entry.province, manifest.produced_at)
        return read_part(self.duck, file.delivered, file.path, version=manifest.instrument_version, offset=offset)

    def _load_part(
        self, manifest: Manifest, judge: Judge, part: int, files: list[FetchedFile], days: PossibleDays
    ) -> tuple[RuleCount, ...]:
        entry, watch = self.entry, self.watch
        repairs: list[Repair] = []
        with watch.step("stage"):
            for file in files:
                repairs += self._read(manifest, file)
                file.path.unlink()
            stage(
                self.duck,
                part=part,
                province=entry.province,
                on=entry.delivered_on,
                version=manifest.instrument_version,
                days=days,
                alone=len(manifest.parts) == 1,
            )
        with watch.step("judge"):
            counts = judge.judge()
        key = PartKey(entry.province, entry.night, entry.delivery_id, part)
        with self.house.engine.begin() as connection:
            with watch.step("recognise"):
                fetch_known(
                    self.duck,
                    connection,
                    self.scratch,
                    province=entry.province,
                    delivery_id=entry.delivery_id,
                    part=part,
                )
                recognise(self.duck, produced_at=manifest.produced_at, supersedes=manifest.supersedes)
            with watch.step("load"):
                load_part(self.duck, connection, self.scratch, key, default_day=entry.delivered_on)
                ledger.note_repairs(connection, entry, part, [asdict(each) for each in repairs])
        return counts

    def _reject(self, breach: ContractBreachError, totals: Mapping[str, int], receipt: Receipt) -> None:
        entry = self.entry
        decided = {"outcome": "rejected", "reason": breach.reason, "detail": breach.detail}
        # The receipt first: a verdict that only the ledger knew would be lost to a replay.
        write_receipt(self.house.store, self.house.settings.archive_bucket, receipt.model_copy(update=decided))
        with self.house.engine.begin() as connection:
            clear_delivery(connection, entry.province, entry.night, entry.delivery_id)
            ledger.reject(connection, entry, reason=breach.reason, detail=breach.detail, totals=totals)
        log.warning("delivery %s of province %s rejected: %s", entry.delivery_id, entry.province, breach.reason)
