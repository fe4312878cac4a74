"""Tells a producer what the night would say of a delivery, before it is sent: no warehouse, no object store.

The night's own code reads, verifies, stages and judges the folder. Unlike the night it does not stop at the first
breach of the contract. What only the pipeline knows stays open: whether an id was used or is superseded rightly.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from regsosek.contract.instruments import datasets_of
from regsosek.contract.manifest import (
    MANIFEST_NAME,
    MAX_FILES,
    MAX_MANIFEST_BYTES,
    SIGNATURE_NAME,
    Manifest,
    manifest_breaches,
    read_manifest_document,
)
from regsosek.errors import ContractBreachError
from regsosek.geography.calendar import NIGHT_ZONE, PossibleDays, field_windows, latest_day
from regsosek.geography.provinces import provinces
from regsosek.landing.discovery import DeliveryFolder, is_debris, place_of, province_prefix
from regsosek.landing.folder_store import FolderStore
from regsosek.landing.intake import FetchedFile, fetch_file
from regsosek.landing.producer_keys import require_signature
from regsosek.minisign import MAX_SIGNATURE_BYTES, PublicKey
from regsosek.night.checking.given_reference import fill_reference, needs_frame
from regsosek.night.discovery.fetching import check_moment, sizes_beyond, trusted_by
from regsosek.night.receiving.assessing import Assessment
from regsosek.night.receiving.parts import Given
from regsosek.quality.hold_limits import ErrorShare, Limits, exceeding, hold_limits
from regsosek.quality.rules import Suite
from regsosek.quality.verdict import Judge
from regsosek.scratch import work_folder
from regsosek.settings import Settings
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.repairs import Repair
from regsosek.warehouse.nights.ledger import Delivery

Verdict = Literal["accepted", "rejected", "held", "not_found"]
# What keeps the night from seeing a delivery at all; the words stand with those of the report.
FOLDER_MISNAMED, MANIFEST_MISSING = "folder_misnamed", "manifest_missing"
NOT_FOUND = (FOLDER_MISNAMED, MANIFEST_MISSING)
_LAYOUT = "expected landing/prov=<PP>/tanggal=<YYYY-MM-DD>/<delivery_id>/"


@dataclass(frozen=True)
class Refusal:
    """Why the delivery would not be received: a reason of the contract or of ``NOT_FOUND``, and what exactly."""

    reason: str
    detail: str


@dataclass(frozen=True)
class CaseReason:
    """A row that breaks a rule; ``row``: of its file, from 1 after the header; ``document`` is empty for streams."""

    part: int
    dataset: str
    row: int
    document: str
    rule_id: str
    severity: str


CaseSink = Callable[[Iterator[CaseReason]], None]


def nowhere(reasons: Iterator[CaseReason]) -> None:
    """Takes no cases."""


@dataclass
class Checked:
    """All that was found.

    Attributes:
        besides: files in the folder that the manifest does not name.
        unjudged: ids of rules that need the frame, where none was given.
        judged_parts: parts whose files were all readable.
    """

    folder: DeliveryFolder | None = None
    manifest: Manifest | None = None
    findings: list[Refusal] = field(default_factory=list)
    besides: int = 0
    repairs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    violations: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    shares: tuple[ErrorShare, ...] = ()
    limits: Limits = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    judged_parts: int = 0

    @property
    def exceeded(self) -> tuple[ErrorShare, ...]:
        """The shares that hold the delivery."""
        return exceeding(self.shares, self.limits)

    @property
    def verdict(self) -> Verdict:
        """What the night would do with the delivery."""
        if any(each.reason in NOT_FOUND for each in self.findings):
            return "not_found"
        if self.findings:
            return "rejected"
        return "held" if self.exceeded else "accepted"

    def note(self, breach: ContractBreachError) -> None:
        """Adds a breach of the contract."""
        self.findings.append(Refusal(breach.reason, breach.detail))


@dataclass(frozen=True)
class Asked:
    """What is checked, and by what.

    Attributes:
        night: of arrival; a folder of a later day is taken to arrive on that day.
        day: of delivery, where the folder does not lie in the layout of the contract.
        reference: a directory of reference files; without it the rules on the frame are not judged.
        trusted: one of these keys must have signed the manifest; ``None`` if the settings say by whom.
    """

    directory: Path
    settings: Settings
    suites: Mapping[str, Suite]
    night: date
    day: date | None = None
    reference: Path | None = None
    trusted: Sequence[PublicKey] | None = None

    @property
    def is_placed(self) -> bool:
        """Whether the directory lies in a folder of a province, so that its path must be that of the contract."""
        return any(part.startswith("prov=") for part in self.directory.resolve().parts)

    @property
    def place(self) -> DeliveryFolder | None:
        """Where the delivery lies by its path; ``None`` when the path is not exactly that of the contract."""
        parts = self.directory.resolve().parts
        start = max(n for n, part in enumerate(parts) if part.startswith("prov="))
        found = place_of("/".join(("landing", *parts[start:], MANIFEST_NAME)))
        known = {province_prefix(each.code) for each in provinces()}
        return found.folder if found and province_prefix(found.folder.province) in known else None


def check_delivery(asked: Asked, *, cases: CaseSink = nowhere) -> Checked:
    """Checks the delivery in a folder; ``cases`` takes every row that breaks a rule.

    Raises:
        ReferenceDataError: the reference directory has no usable frame of the province.
        EngineFaultError: memory or disk ran out.
    """
    checked = Checked()
    manifest = _read_manifest(asked, checked)
    if manifest is None:
        return checked
    checked.manifest, checked.folder = manifest, _folder(asked, manifest)
    checked.besides = _files_besides(asked, manifest)
    _check_signature(asked, checked, checked.folder)
    _check_manifest(asked, checked, manifest, checked.folder)
    with work_folder(asked.settings.scratch, "contract") as scratch:
        files = _verified(asked, checked, manifest, checked.folder, scratch)
        if datasets_of(manifest.instrument, manifest.instrument_version):
            _assess(asked, checked, files, scratch, cases)
    return checked


def _read_manifest(asked: Asked, checked: Checked) -> Manifest | None:
    if asked.is_placed and asked.place is None:
        checked.findings.append(Refusal(FOLDER_MISNAMED, _LAYOUT))
    document = FolderStore(asked.directory).get_bytes("", MANIFEST_NAME, max_bytes=MAX_MANIFEST_BYTES + 1)
    if document is None:
        checked.findings.append(Refusal(MANIFEST_MISSING, f"{MANIFEST_NAME} is not in the folder"))
        return None
    try:
        return read_manifest_document(document, shown=MAX_FILES)
    except ContractBreachError as breach:
        checked.note(breach)
        return None


def _folder(asked: Asked, manifest: Manifest) -> DeliveryFolder:
    """The place that the path names, else the one that the manifest names."""
    if asked.is_placed and asked.place is not None:
        return asked.place
    day = asked.day or manifest.produced_at.astimezone(NIGHT_ZONE).date()
    return DeliveryFolder(province=manifest.province, delivered_on=day, delivery_id=manifest.delivery_id)


def _files_besides(asked: Asked, manifest: Manifest) -> int:
    """How many files the night would call strays; what tools leave beside files it passes over."""
    named = {MANIFEST_NAME, SIGNATURE_NAME, *(file.name for file in manifest.files)}
    found = (each.key for each in FolderStore(asked.directory).list_objects("", ""))
    return sum(key not in named and not is_debris(key) for key in found)


def _night(asked: Asked, folder: DeliveryFolder) -> date:
    return max(asked.night, folder.delivered_on)


def _check_signature(asked: Asked, checked: Checked, folder: DeliveryFolder) -> None:
    trusted = asked.trusted
    if trusted is None:
        trusted = trusted_by(asked.settings, folder.province, _night(asked, folder))
    if trusted is None:
        return
    store = FolderStore(asked.directory)
    document = store.get_bytes("", MANIFEST_NAME, max_bytes=MAX_MANIFEST_BYTES) or b""
    try:
        require_signature(document, store.get_bytes("", SIGNATURE_NAME, max_bytes=MAX_SIGNATURE_BYTES), trusted)
    except ContractBreachError as breach:
        checked.note(breach)


def _check_manifest(asked: Asked, checked: Checked, manifest: Manifest, folder: DeliveryFolder) -> None:
    for breach in manifest_breaches(manifest, province=folder.province, delivery_id=folder.delivery_id):
        checked.note(breach)
    if folder.province not in {each.code for each in provinces()}:
        checked.findings.append(Refusal(FOLDER_MISNAMED, f"no province of 2022 has the code {folder.province}"))
    try:
        check_moment(manifest, _night(asked, folder))
    except ContractBreachError as breach:
        checked.note(breach)
    for beyond in sizes_beyond(manifest, asked.settings):
        checked.note(beyond)


def _verified(
    asked: Asked, checked: Checked, manifest: Manifest, folder: DeliveryFolder, scratch: Path
) -> dict[tuple[str, int], FetchedFile]:
    """The files by dataset and part; one that the manifest describes wrongly is read all the same, where it lies."""
    store = FolderStore(asked.directory, folder.prefix)
    files: dict[tuple[str, int], FetchedFile] = {}
    for file in manifest.files:
        path = scratch / file.name
        try:
            fetch_file(store, "", folder, scratch, file)
        except ContractBreachError as breach:
            checked.note(breach)
            path = asked.directory / file.name
        if path.is_file():
            files[file.dataset, file.part] = FetchedFile(file, path)
    return files


def _assess(
    asked: Asked,
    checked: Checked,
    files: Mapping[tuple[str, int], FetchedFile],
    scratch: Path,
    cases: CaseSink,
) -> None:
    manifest, folder, settings = checked.manifest, checked.folder, asked.settings
    assert manifest is not None
    assert folder is not None
    if folder.province not in {each.code for each in provinces()}:
        return
    suites, checked.unjudged = _judged_by(asked, manifest)
    with open_engine(scratch, memory_limit=settings.memory_limit, threads=settings.threads) as duck:
        fill_reference(duck, folder.province, asked.reference, scratch)
        judge = Judge(duck, suites, manifest.instrument_version, manifest.instrument)
        given = Given(duck, scratch, _entry(asked, folder), manifest, _days(asked, manifest, folder), ())
        assessment = Assessment(given, judge)
        for part, of_part in _readable(checked, assessment, files).items():
            _judge_part(checked, assessment, part, of_part, cases)
    checked.violations, checked.shares = assessment.violations, assessment.shares
    checked.limits = hold_limits(folder.province, settings.hold_limits_file)


def _entry(asked: Asked, folder: DeliveryFolder) -> Delivery:
    place = (folder.province, folder.delivery_id, folder.delivered_on, _night(asked, folder), 0, folder.prefix)
    return Delivery(*place, "registered")


def _days(asked: Asked, manifest: Manifest, folder: DeliveryFolder) -> PossibleDays:
    night = _night(asked, folder)
    latest = latest_day(folder.province, produced_at=manifest.produced_at, night=night)
    window = field_windows(asked.settings.calendar_file)[folder.province]
    return PossibleDays.of(window, latest=latest, night=night)


def _readable(
    checked: Checked, assessment: Assessment, files: Mapping[tuple[str, int], FetchedFile]
) -> dict[int, list[FetchedFile]]:
    """Reads every file once, notes what is wrong and what was repaired, and compares the parts that can be read."""
    manifest, parts = assessment.given.manifest, assessment.parts
    readable: dict[int, list[FetchedFile]] = {}
    parts.clear()
    for part in manifest.parts:
        found = [files[dataset, part] for dataset in manifest.datasets if (dataset, part) in files]
        sound = [_reads(checked, assessment, file) for file in found]
        if len(found) == len(manifest.datasets) and all(sound):
            parts.note()
            readable[part] = found
    parts.count()
    return readable


def _reads(checked: Checked, assessment: Assessment, file: FetchedFile) -> bool:
    try:
        repairs: Sequence[Repair] = assessment.read(file)
    except ContractBreachError as breach:
        checked.note(breach)
        return False
    for each in repairs:
        checked.repairs[each.dataset, each.kind, each.variable] += each.amount
    return True


def _judge_part(
    checked: Checked, assessment: Assessment, part: int, files: Sequence[FetchedFile], cases: CaseSink
) -> None:
    manifest, duck = assessment.given.manifest, assessment.given.duck
    if len(manifest.parts) > 1:  # otherwise it is the one that was read last
        for file in files:
            assessment.read(file)
    try:
        assessment.parts.stage(part)
    except ContractBreachError as breach:
        checked.note(breach)
        return
    assessment.judge_staged(part)
    checked.judged_parts += 1
    for dataset in manifest.datasets:
        cases(_case_reasons(duck, part, dataset))


def _judged_by(asked: Asked, manifest: Manifest) -> tuple[dict[str, Suite], tuple[str, ...]]:
    """The suites of the instrument without the rules that cannot be judged, and the ids of those."""
    datasets = datasets_of(manifest.instrument, manifest.instrument_version)
    suites = {dataset: asked.suites[dataset] for dataset in datasets}
    if asked.reference is not None:
        return suites, ()
    left_out = [rule for suite in suites.values() for rule in suite.rules if needs_frame(rule)]
    kept = {
        dataset: replace(suite, rules=tuple(rule for rule in suite.rules if rule not in left_out))
        for dataset, suite in suites.items()
    }
    applying = {rule.id: None for rule in left_out if rule.judges(manifest.instrument_version)}
    return kept, tuple(applying)


def _case_reasons(duck: duckdb.DuckDBPyConnection, part: int, dataset: str) -> Iterator[CaseReason]:
    """The rows of the judged part that break rules, in the order of the file."""
    document, joined = _DOCUMENTS.get(dataset, ("''", ""))
    rows = duck.execute(
        f"SELECT r.row_no, {document}, r.rule_id, r.severity FROM {dataset}_reasons r {joined} "
        "ORDER BY r.row_no, r.rule_id"
    )
    while found := rows.fetchmany(10_000):
        yield from (CaseReason(part, dataset, *row) for row in found)


_DOCUMENTS = {
    "keluarga": ("c.case_id", "JOIN kasus c ON c.keluarga_row = r.row_no"),
    "anggota": (
        "c.case_id",
        "JOIN anggota a ON a.row_no = r.row_no JOIN kasus c ON c.keluarga_row = a.keluarga_row",
    ),
}
