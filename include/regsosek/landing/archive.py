"""The immutable memory: delivered bytes by their hash, the receipt of every delivery, the seal of every night.

A replay reads receipts and seals, never clocks. Seals and decisions are written on the condition that nobody else did
meanwhile. A store that knows no conditions is not relied on: names depend on content alone, or have one writer (the
nightly run, of which the province's lock lets only one at a time), who writes a receipt again with every verdict.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from regsosek.contract.manifest import ProvinceCode, Sha256, Ulid
from regsosek.errors import ObjectStoreError, SealedNightError
from regsosek.landing.encrypted import object_key
from regsosek.landing.store import ABSENT, Store

MAX_RECORD_BYTES = 16 * 1024 * 1024
Record = TypeVar("Record", bound=BaseModel)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# One moment has one spelling, so that equal records have equal bytes.
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HoldLimit(_Record):
    """A share of rows in error, in percent, over which a delivery is held, if at least ``least_rows`` were judged."""

    percent: Annotated[Decimal, Field(ge=0, le=100)]
    least_rows: Annotated[int, Field(ge=1)]


class Receipt(_Record):
    """What was known when a delivery was registered; everything that a replay needs.

    Attributes:
        folder: key prefix of the delivery in the landing bucket.
        manifest_sha256: of the archived manifest; ``None`` when there was none to archive.
        signature_sha256: of the archived signature of the manifest; ``None`` where none was demanded.
        versions: name (suite, codebook, frame, ...) -> sha256 of its archived contents.
        hold_limits: by dataset, what it is held over; none (before there were limits) holds nothing.
        instrument, instrument_version: as the manifest names them; ``None`` until a valid one was read (receipts that
            were written before there were streams name no instrument: they are of questionnaire K).
        retry: of a rejection that was taken up again: the how-manieth time; 0 of the first reception.
        files_archived: whether the files that landed with it were archived; ``None`` from before receipts said so.
        outcome: ``rejected`` with ``reason`` (a key of ``contract/reasons.csv``) and ``detail``, or ``None``.
    """

    province: ProvinceCode
    night: date
    delivery_id: Ulid
    folder: str
    delivered_on: date
    manifest_sha256: Sha256 | None
    registered_at: Moment
    versions: dict[str, Sha256]
    signature_sha256: Sha256 | None = None
    hold_limits: dict[str, HoldLimit] = Field(default_factory=dict)
    instrument: str | None = None
    instrument_version: str | None = None
    retry: int = 0
    files_archived: bool | None = None
    outcome: Literal["rejected"] | None = None
    reason: str | None = None
    detail: str | None = None

    @model_validator(mode="after")
    def _rejection_has_its_reason(self) -> Self:
        given = {value is not None for value in (self.outcome, self.reason, self.detail)}
        if len(given) > 1:
            raise ValueError("outcome, reason and detail come together or not at all")
        return self

    @property
    def key(self) -> str:
        """Where it is kept. A reused id must not take the place of the delivery that had it first, nor a retry."""
        if self.retry:
            return _retry_key(self.province, self.delivery_id, self.retry)
        name = f"{self.delivery_id}@{self.delivered_on}" if self.reason == "id_reused" else self.delivery_id
        return f"{_night_prefix('receipts', self.night)}prov={self.province}/{name}.json"


class Decision(_Record):
    """What an operator decided about a delivery that was held, or rejected for what a reading of the store said.

    Attributes:
        night: the deciding night: the newest one that was sealed for the province, from which the decision counts.
        by, at, reason: the operator's account, when, and why.
        versions: of a freed or retried one, what it is judged by from now on: name -> sha256 of archived contents.
        hold_limits: of a retried one, what it is held over.
        retry: the how-manieth time its rejection is taken up again; 0 if it was held.
    """

    province: ProvinceCode
    delivery_id: Ulid
    night: date
    decision: Literal["freed", "rejected", "retried"]
    by: str
    at: Moment
    reason: str
    versions: dict[str, Sha256] = Field(default_factory=dict)
    hold_limits: dict[str, HoldLimit] = Field(default_factory=dict)
    retry: int = 0

    @property
    def key(self) -> str:
        """Where it is kept: a held delivery is decided once, a rejection taken up as often as the store fails."""
        name = f"{self.delivery_id}@{self.retry}" if self.retry else self.delivery_id
        return f"{_decisions_prefix(self.province)}{name}.json"


class Reopening(_Record):
    """An operator's decision that a sealed night takes more deliveries; ``new`` says how many it took."""

    at: Moment
    reason: str
    new: int = 0


class Seal(_Record):
    """The list of deliveries that belong to a night of a province, decided once.

    Attributes:
        delivery_ids: in the order of processing.
        unfinished: key prefixes of folders that had no manifest yet.
        strays: how many keys belonged to no delivery.
        reopened: every reopening so far, oldest first.
    """

    province: ProvinceCode
    night: date
    sealed_at: Moment
    delivery_ids: tuple[Ulid, ...]
    unfinished: tuple[str, ...] = ()
    strays: int = 0
    reopened: tuple[Reopening, ...] = ()

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"{_night_prefix('seals', self.night)}prov={self.province}.json"


def archive_bytes(store: Store, bucket: str, content: bytes) -> str:
    """Keeps ``content``; doing it again changes nothing. Returns its sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not _is_archived(store, bucket, sha256, len(content)):
        # By its hash: whoever else writes it meanwhile writes the same, and what is broken is written over.
        store.put_bytes(bucket, object_key(sha256), content)
        _confirm(store, bucket, sha256, len(content))
    return sha256


def archive_file(store: Store, bucket: str, path: Path) -> str:
    """Keeps the contents of a local file; doing it again changes nothing. Returns their sha256."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if not _is_archived(store, bucket, sha256, size):
        store.put_file(bucket, object_key(sha256), path)
        _confirm(store, bucket, sha256, size)
    return sha256


def fetch_archived(store: Store, bucket: str, sha256: str, path: Path) -> Path:
    """Brings archived content back to ``path``, verified; on error nothing stands there that did not before.

    Raises:
        ObjectStoreError: the archive has no such content, or it no longer has its hash.
    """
    key = object_key(sha256)
    size = store.size(bucket, key)
    arriving = path.with_name(f"{path.name}.arriving")
    downloaded = None if size is None else store.download(bucket, key, arriving, expected_bytes=size)
    if downloaded is None:
        raise ObjectStoreError(f"archive {bucket}/{key} is missing (restore it from a copy of the bucket)")
    if downloaded.sha256 != sha256:
        arriving.unlink()
        raise ObjectStoreError(f"archive {bucket}/{key} is damaged (restore it from a copy of the bucket)")
    return arriving.replace(path)


def write_receipt(store: Store, bucket: str, receipt: Receipt) -> None:
    """Writes a receipt, over an earlier one of the same delivery and night."""
    store.put_bytes(bucket, receipt.key, canonical_json(receipt))


def read_receipt(store: Store, bucket: str, *, province: str, night: date, delivery_id: str) -> Receipt | None:
    """The receipt of a delivery that was first to carry its id; ``None`` when it has none for that night."""
    return read_record(store, bucket, f"{_night_prefix('receipts', night)}prov={province}/{delivery_id}.json", Receipt)


def read_retry(store: Store, bucket: str, *, province: str, delivery_id: str, retry: int) -> Receipt | None:
    """The receipt of a rejection taken up again; ``None`` until its manifest was read or it was rejected again."""
    return read_record(store, bucket, _retry_key(province, delivery_id, retry), Receipt)


def list_receipts(store: Store, bucket: str, *, night: date, province: str | None = None) -> tuple[Receipt, ...]:
    """The receipts of a night, by province, then day of delivery, then delivery id; of one province if named."""
    prefix = _night_prefix("receipts", night) + (f"prov={province}/" if province else "prov=")
    receipts = read_records(store, bucket, prefix, Receipt)
    return tuple(sorted(receipts, key=lambda r: (r.province, r.delivered_on, r.delivery_id)))


def write_decision(store: Store, bucket: str, decision: Decision) -> None:
    """Writes a decision; whoever writes holds the province's lock and has seen that there is none yet.

    Raises:
        LostRaceError: there is one by now.
    """
    store.put_bytes(bucket, decision.key, canonical_json(decision), over=ABSENT)


def list_decisions(store: Store, bucket: str, province: str) -> tuple[Decision, ...]:
    """All decisions of ``province``, by deciding night, then delivery id."""
    decisions = read_records(store, bucket, _decisions_prefix(province), Decision)
    return tuple(sorted(decisions, key=lambda each: (each.night, each.delivery_id)))


def write_seal(store: Store, bucket: str, seal: Seal) -> None:
    """Seals a night of a province, or reopens one that is sealed.

    Raises:
        SealedNightError: the night is sealed otherwise, and ``seal`` neither equals that nor adds a reopening to it.
        LostRaceError: somebody else sealed or reopened it in this moment.
    """
    found = store.etag(bucket, seal.key)
    former = read_seal(store, bucket, province=seal.province, night=seal.night)
    if former is not None and seal != former and not _extends(seal, former):
        raise SealedNightError(
            f"night {seal.night} of province {seal.province} was sealed at {former.sealed_at:%Y-%m-%d %H:%M} UTC "
            f"with {len(former.delivery_ids)} deliveries; work on those, or reopen the night with a reason"
        )
    store.put_bytes(bucket, seal.key, canonical_json(seal), over=found)


def read_seal(store: Store, bucket: str, *, province: str, night: date) -> Seal | None:
    """The seal of a night of a province; ``None`` while it is open."""
    return read_record(store, bucket, f"{_night_prefix('seals', night)}prov={province}.json", Seal)


def list_seals(store: Store, bucket: str, *, night: date | None = None) -> tuple[Seal, ...]:
    """The seals of one night, or of all, by night, then province."""
    seals = read_records(store, bucket, _night_prefix("seals", night) if night else "seals/", Seal)
    return tuple(sorted(seals, key=lambda s: (s.night, s.province)))


def archived_seals(store: Store, bucket: str, province: str = "[0-9]{2}") -> dict[tuple[str, date], int]:
    """The size of every seal, or of those of one province, by province and night: one listing, nothing is read.

    A seal that is reopened grows, so that its size tells the two apart.
    """
    name = re.compile(rf"seals/night=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/prov=({province})\.json")
    found = ((name.fullmatch(stored.key), stored.size) for stored in store.list_objects(bucket, "seals/"))
    return {(match[2], date.fromisoformat(match[1])): size for match, size in found if match}


def sealed_nights(store: Store, bucket: str, province: str) -> set[date]:
    """The nights of ``province`` that have a seal, by the names of the seals alone."""
    return {night for _, night in archived_seals(store, bucket, province)}


def read_record(store: Store, bucket: str, key: str, kind: type[Record]) -> Record | None:
    """The record under ``key``; ``None`` where there is none.

    Raises:
        ObjectStoreError: what lies there is no such record.
    """
    document = store.get_bytes(bucket, key, max_bytes=MAX_RECORD_BYTES)
    if document is None:
        return None
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        faults = "; ".join(fault["msg"] for fault in error.errors(include_input=False, include_url=False))
        raise ObjectStoreError(f"{bucket}/{key} is no {kind.__name__.lower()}: {faults}") from None


def read_records(store: Store, bucket: str, prefix: str, kind: type[Record]) -> Iterator[Record]:
    """Every record under ``prefix``, by key.

    Raises:
        ObjectStoreError: one is no such record, or was taken away meanwhile.
    """
    for found in store.list_objects(bucket, prefix):
        if found.size == 0 and found.key.endswith("/"):
            continue  # the mark of a folder, made by a console
        record = read_record(store, bucket, found.key, kind)
        if record is None:
            # Leaving it out would forget a decision, or a delivery of a night that is restored.
            raise ObjectStoreError(f"{bucket}/{found.key} was taken away while it was read (run again)")
        yield record


def canonical_json(record: BaseModel) -> bytes:
    """The one spelling of a record: UTF-8, sorted keys, two spaces, a newline at the end."""
    text = json.dumps(record.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, indent=2)
    return f"{text}\n".encode()


def _night_prefix(kind: str, night: date) -> str:
    return f"{kind}/night={night.isoformat()}/"


def _retry_key(province: str, delivery_id: str, retry: int) -> str:
    return f"retries/prov={province}/{delivery_id}@{retry}.json"


def _decisions_prefix(province: str) -> str:
    return f"decisions/prov={province}/"


def _extends(seal: Seal, former: Seal) -> bool:
    """Whether ``seal`` reopens ``former``: a reason more, and nothing of the old list gone or moved."""
    reopened = len(former.reopened) < len(seal.reopened) and former.reopened == seal.reopened[: len(former.reopened)]
    return reopened and former.delivery_ids == seal.delivery_ids[: len(former.delivery_ids)]


def _is_archived(store: Store, bucket: str, sha256: str, size: int) -> bool:
    # Another size under the same hash is an upload that went wrong: it is written again.
    return store.size(bucket, object_key(sha256)) == size


def _confirm(store: Store, bucket: str, sha256: str, size: int) -> None:
    key = object_key(sha256)
    stored = store.size(bucket, key)
    if stored != size:
        raise ObjectStoreError(f"archive {bucket}/{key} holds {stored} bytes of {size} after the upload (run again)")
