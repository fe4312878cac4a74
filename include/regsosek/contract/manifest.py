"""The manifest of a delivery: the one document that says what was delivered, validated before anything is fetched."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from regsosek.contract.codebook import ALL_DATASETS, AnyDataset
from regsosek.contract.instruments import datasets_of, instruments
from regsosek.errors import ContractBreachError

CONTRACT_VERSION = "1"
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.json.minisig"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_FILES = 10_000
SHOWN_FAULTS = 5

Format = Literal["csv.gz", "jsonl.gz", "parquet"]
Ulid = Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]$")]
# Bounds that every system on the way can store: a year 1 with an offset leaves the calendar when it becomes UTC.
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]
# Pydantic also reads seconds since 1970 in digits, and a sign for minus that is no hyphen.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{5,8}([.,][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPELLED = {
    "produced_at": (_MOMENT, "ISO 8601, as 2022-10-20T20:15:00+08:00"),
    "enumerated_from": (_DAY, "YYYY-MM-DD"),
    "enumerated_to": (_DAY, "YYYY-MM-DD"),
}
Rows = Annotated[int, Field(ge=0, le=2**31 - 1)]

# Any short name is read, and a stranger among them refused by a reason of its own; the schema lists the known ones.
InstrumentName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9.]{1,20}$"),
    Field(json_schema_extra={"enum": sorted({each.instrument for each in instruments()})}),
]
InstrumentVersion = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z.]{1,8}$"),
    Field(json_schema_extra={"enum": sorted({each.version for each in instruments()})}),
]

FILE_NAME = re.compile(r"^(?P<dataset>[a-z_]+)-(?P<part>[0-9]{5})\.(?P<format>csv\.gz|jsonl\.gz|parquet)$")


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DeliveredFile(_Document):
    """One file of a delivery: part ``part`` of ``dataset``."""

    name: Annotated[str, StringConstraints(max_length=40)]
    """`<dataset>-<part, five digits>.<format>`; nothing else is a valid name."""
    dataset: AnyDataset
    """What the rows are."""
    part: Annotated[int, Field(ge=1, le=99_999)]
    """Part number, from 1; every part has exactly one file of each dataset of the instrument."""
    format: Format
    """How the file is written; the files of one delivery, and of one part, may differ in it."""
    rows: Rows
    """Rows without the header."""
    bytes: Annotated[int, Field(ge=0, le=5 * 2**40)]
    """Size of the file as stored, compressed."""
    sha256: Sha256
    """SHA-256 of the file as stored, compressed; lower-case hex."""

    @model_validator(mode="after")
    def _name_says_the_same(self) -> Self:
        expected = f"{self.dataset}-{self.part:05d}.{self.format}"
        if self.name != expected:
            raise ValueError(f"must be named {expected}")
        return self


def _datasets_by_instrument(schema: dict[str, Any]) -> None:
    """Says in the JSON Schema which datasets a delivery of each instrument holds."""
    schema["allOf"] = [
        {
            "if": {"properties": {"instrument": {"const": name}}},
            "then": {
                "properties": {
                    "files": {"minItems": len(held), "items": {"properties": {"dataset": {"enum": list(held)}}}},
                    "totals": {"required": list(held), "maxProperties": len(held)},
                }
            },
        }
        for name, held in {each.instrument: each.datasets for each in instruments()}.items()
    ]


class Manifest(_Document):
    """What one delivery holds. Field order is the order of the documentation."""

    model_config = ConfigDict(json_schema_extra=_datasets_by_instrument)

    contract_version: Literal["1"]
    """Version of this contract."""
    instrument: InstrumentName
    """The questionnaire that was used, or the stream; it decides the datasets."""
    instrument_version: InstrumentVersion
    """Its version, which decides the columns of the files and the rules that judge them."""
    province: ProvinceCode
    """BPS code of the province in the frame; equals the folder."""
    delivery_id: Ulid
    """ULID, new for every delivery; equals the folder."""
    produced_at: Instant
    """When the content was taken from the producer's store, with offset; a day after the night of arrival at most."""
    producer: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,100}$")]
    """The system that made the delivery; never the name of a person."""
    enumerated_from: Day
    """First day of enumeration (item 201) in the delivery; of a stream: first day of work, of tags, or of entry."""
    enumerated_to: Day
    """Last such day in the delivery."""
    files: Annotated[tuple[DeliveredFile, ...], Field(min_length=1, max_length=MAX_FILES)]
    """All files of the delivery, in any order."""
    totals: dict[AnyDataset, Annotated[int, Field(ge=0)]]
    """Rows per dataset: the sums over the files."""
    supersedes: tuple[Ulid, ...] = ()
    """Earlier deliveries of this province that this one replaces whole; optional."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.enumerated_to < self.enumerated_from:
            raise ValueError("enumerated_to lies before enumerated_from")
        if self.delivery_id in self.supersedes:
            raise ValueError("a delivery cannot supersede itself")
        _check_parts(self.files, self.datasets)
        counted = {dataset: sum(f.rows for f in self.files if f.dataset == dataset) for dataset in self.datasets}
        if counted != self.totals:
            raise ValueError(f"totals say something else than what the files add up to, {counted}")
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """What every part holds, by the instrument; of an unknown one, what is there."""
        held = datasets_of(self.instrument, self.instrument_version)
        return held or tuple(dict.fromkeys(file.dataset for file in self.files))

    @property
    def parts(self) -> tuple[int, ...]:
        """The part numbers, ascending."""
        return tuple(sorted({file.part for file in self.files}))

    def file(self, dataset: str, part: int) -> DeliveredFile:
        """The file of ``dataset`` in ``part``; both exist once the manifest is valid."""
        return next(f for f in self.files if f.dataset == dataset and f.part == part)


def _check_parts(files: tuple[DeliveredFile, ...], datasets: tuple[str, ...]) -> None:
    if strange := sorted({file.dataset for file in files} - set(datasets)):
        raise ValueError(f"the instrument has {' and '.join(datasets)}, not {', '.join(strange)}")
    counts = Counter((file.dataset, file.part) for file in files)
    twice = [f"{dataset}-{part:05d}" for (dataset, part), n in counts.items() if n > 1]
    if twice:
        raise ValueError(f"files named twice: {', '.join(sorted(twice))}")
    having: list[set[int]] = [{part for d, part in counts if d == dataset} for dataset in datasets]
    if lone := set[int]().union(*having).difference(set[int].intersection(*having)):
        raise ValueError(f"parts without their counterpart: {sorted(lone)}")


def parse_manifest(document: bytes, *, province: str, delivery_id: str) -> Manifest:
    """Reads a manifest and checks it against the place where it was found.

    Args:
        document: the bytes of ``manifest.json``.
        province: the province of the folder it lies in.
        delivery_id: the delivery id of the folder it lies in.

    Raises:
        ContractBreachError: ``manifest_unreadable``, ``manifest_invalid``, ``wrong_province``,
            ``wrong_delivery_id`` or ``instrument_unknown``.
    """
    manifest = read_manifest_document(document)
    for breach in manifest_breaches(manifest, province=province, delivery_id=delivery_id):
        raise breach
    return manifest


def read_manifest_document(document: bytes, *, shown: int = SHOWN_FAULTS) -> Manifest:
    """Reads a manifest by itself; ``shown``: the number of faults that the error names.

    Raises:
        ContractBreachError: ``manifest_unreadable`` or ``manifest_invalid``.
    """
    if len(document) > MAX_MANIFEST_BYTES:
        raise ContractBreachError("manifest_unreadable", f"{len(document)} bytes, the limit is {MAX_MANIFEST_BYTES}")
    try:
        # Strict: a number in quotes or a date as a number is a fault, as the published JSON Schema says.
        manifest = Manifest.model_validate_json(document.removeprefix(codecs.BOM_UTF8), strict=True)
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            raise ContractBreachError("manifest_unreadable", "manifest.json is not JSON in UTF-8") from None
        raise ContractBreachError("manifest_invalid", _faults(error, shown)) from None
    _refuse_other_spellings(_without_doubled_names(document))
    return manifest


def manifest_breaches(manifest: Manifest, *, province: str, delivery_id: str) -> Iterator[ContractBreachError]:
    """What a readable manifest says wrongly of its folder (``province``, ``delivery_id``) and of its instrument."""
    if manifest.province != province:
        yield ContractBreachError("wrong_province", f"the manifest says {manifest.province}, its folder {province}")
    if manifest.delivery_id != delivery_id:
        detail = f"the manifest says {manifest.delivery_id}, its folder {delivery_id}"
        yield ContractBreachError("wrong_delivery_id", detail)
    if (manifest.instrument, manifest.instrument_version) not in {(i.instrument, i.version) for i in instruments()}:
        known = ", ".join(f"{each.instrument} version {each.version}" for each in instruments())
        yield ContractBreachError("instrument_unknown", f"version {manifest.instrument_version}; known: {known}")


def _refuse_other_spellings(given: Mapping[str, str]) -> None:
    """Refuses times and days that were read, though the contract spells them in another way."""
    faults = [
        f"{name}: must be {words}" for name, (shape, words) in _SPELLED.items() if not shape.fullmatch(given[name])
    ]
    if faults:
        raise ContractBreachError("manifest_invalid", "; ".join(faults))


def _without_doubled_names(document: bytes) -> Mapping[str, str]:
    """Readers of JSON differ in which of two equal names they believe; a manifest must not depend on its reader."""
    doubled: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.update(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return dict(pairs)

    given: dict[str, str] = json.loads(document.removeprefix(codecs.BOM_UTF8), object_pairs_hook=note)
    if doubled:
        raise ContractBreachError("manifest_invalid", f"named twice: {', '.join(sorted(map(_place, doubled)))}")
    return given


def _faults(error: ValidationError, limit: int) -> str:
    faults = error.errors(include_input=False, include_url=False)
    shown = [f"{'.'.join(map(_place, fault['loc'])) or 'manifest'}: {fault['msg']}" for fault in faults[:limit]]
    return "; ".join(shown) + (f"; and {len(faults) - limit} more" if len(faults) > limit else "")


def _place(step: int | str) -> str:
    """A step of the way to a fault; a field that we do not know could be named by anything, so it is not repeated."""
    known = {"[key]", *Manifest.model_fields, *DeliveredFile.model_fields, *ALL_DATASETS}
    return str(step) if isinstance(step, int) or step in known else "unknown field"
