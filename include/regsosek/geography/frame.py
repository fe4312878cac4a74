"""The reference files (sub-SLS frame, its changes, officers, targets): where they lie, what they hold, their manifest.

``docs/reference-files.md`` tells the same to those who produce them; ``frame_check`` judges the rows.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from io import TextIOWrapper
from typing import Annotated, BinaryIO, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import DATA, read_table

CONTRACT_VERSION = "1"
ReferenceDataset = Literal["sls", "psls", "petugas", "target"]
ColumnType = Literal["digits", "token", "text", "code", "count", "share", "date"]
DATASETS: tuple[ReferenceDataset, ...] = get_args(ReferenceDataset)
# A nation whose SLS do not change needs no list of changes.
OPTIONAL_DATASETS: frozenset[ReferenceDataset] = frozenset({"psls"})

SIMULATED = "simulasi"  # so begins the note of reference files that are of no real families

# Versions compare as text, so that the newest one is simply the greatest.
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[0-9]{2})?$")]


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """One column of a reference file; ``digits`` is the width of a code, ``codes`` the values it may take."""

    name: str
    type: ColumnType
    digits: int | None
    codes: tuple[str, ...]
    required: bool
    meaning_id: str
    meaning_en: str


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReferenceFile(_Document):
    """One province's file of a version."""

    name: str
    province: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]$")]
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="after")
    def _is_named_for_its_province(self) -> Self:
        if self.name != file_name(self.province):
            raise ValueError(f"the file of province {self.province} must be named {file_name(self.province)}")
        return self


class ReferenceManifest(_Document):
    """What one version of a reference dataset holds; written last, so that a version without it does not exist yet."""

    contract_version: Literal["1"]
    dataset: ReferenceDataset
    version: Version
    produced_at: AwareDatetime
    producer: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    scale: Annotated[float, Field(gt=0, le=1, description="fraction of the real operation, 1 = whole")]
    note: Annotated[str, StringConstraints(max_length=500)]
    files: Annotated[tuple[ReferenceFile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_known_provinces_once(self) -> Self:
        named = [file.province for file in self.files]
        if len(set(named)) != len(named):
            raise ValueError("a province has more than one file")
        unknown = sorted(set(named) - {province.code for province in provinces()})
        if unknown:
            raise ValueError(f"unknown provinces: {', '.join(unknown)}")
        return self

    @property
    def missing_provinces(self) -> tuple[str, ...]:
        """Codes of the provinces without a file: a gap that whoever loads the version must name."""
        named = {file.province for file in self.files}
        return tuple(province.code for province in provinces() if province.code not in named)


def simulated(notes: Iterable[str]) -> bool:
    """Whether reference files with such notes are of a simulation: whatever is counted or told by them says so."""
    return any(note.startswith(SIMULATED) for note in notes)


def file_name(province: str) -> str:
    """The name of a province's file."""
    return f"prov={province}.csv.gz"


def file_key(dataset: ReferenceDataset, version: str, province: str) -> str:
    """The object key of a province's file."""
    return f"reference/{dataset}/{version}/{file_name(province)}"


def manifest_key(dataset: ReferenceDataset, version: str) -> str:
    """The object key of a version's manifest."""
    return f"reference/{dataset}/{version}/manifest.json"


@cache
def reference_columns(dataset: ReferenceDataset) -> tuple[ReferenceColumn, ...]:
    """The columns of a dataset's files, in the order of their header."""
    header = ("dataset", "name", "type", "digits", "codes", "required", "meaning_id", "meaning_en")
    rows = read_table(DATA / "reference-columns.csv", header)
    return tuple(_column(row) for row in rows if row["dataset"] == dataset)


def parse_reference_manifest(document: bytes, *, dataset: ReferenceDataset, version: str) -> ReferenceManifest:
    """Reads a manifest and checks it against the place where it was found.

    Raises:
        ReferenceDataError: it is not JSON, breaks the format, or names another dataset or version than its folder.
    """
    place = manifest_key(dataset, version)
    try:
        manifest = ReferenceManifest.model_validate(json.loads(document))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'manifest'}: {fault['msg']}" for fault in faults)
        raise ReferenceDataError(f"{place}: {told}; see docs/reference-files.md") from None
    except (ValueError, RecursionError):
        raise ReferenceDataError(f"{place}: is not JSON in UTF-8; write it again") from None
    if (manifest.dataset, manifest.version) != (dataset, version):
        found = f"{manifest.dataset} {manifest.version}"
        raise ReferenceDataError(f"{place}: describes {found}; put it into its own folder")
    return manifest


def read_reference_rows(dataset: ReferenceDataset, content: BinaryIO, *, province: str) -> Iterator[dict[str, str]]:
    """The rows of one ``csv.gz`` file, one by one; the header must be the documented one.

    Raises:
        ReferenceDataError: the file is not gzip, not UTF-8, or its header or a row does not fit the columns.
    """
    names = [column.name for column in reference_columns(dataset)]
    place = f"{dataset} {file_name(province)}"
    try:
        with gzip.open(content) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            if next(reader, None) != names:
                raise ReferenceDataError(f"{place}: the header must be {','.join(names)}")
            for number, cells in enumerate(reader, start=1):
                if len(cells) != len(names):
                    raise ReferenceDataError(f"{place}: data row {number} must have {len(names)} cells")
                yield dict(zip(names, cells, strict=True))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        fix = "send it again as gzipped CSV in UTF-8"
        raise ReferenceDataError(f"{place}: cannot be read ({type(error).__name__}); {fix}") from None


def _column(row: dict[str, str]) -> ReferenceColumn:
    kinds: dict[str, ColumnType] = {kind: kind for kind in get_args(ColumnType)}
    return ReferenceColumn(
        name=row["name"],
        type=kinds[row["type"]],
        digits=int(row["digits"]) if row["digits"] else None,
        codes=tuple(row["codes"].split("|")) if row["codes"] else (),
        required=row["required"] == "yes",
        meaning_id=row["meaning_id"],
        meaning_en=row["meaning_en"],
    )
