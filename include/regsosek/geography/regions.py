"""The region master: BPS codes from nation to desa, read from the installed package, with a report of its dirt."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple, get_args

from regsosek.geography.provinces import provinces
from regsosek.geography.region_names import gather_letters, has_lower_case, tidy_spaces, written_name

Level = Literal["nasional", "provinsi", "kabkota", "kecamatan", "desa"]
DirtKind = Literal[
    "malformed_code",
    "duplicate_code",
    "orphan",
    "extra_province",
    "missing_province",
    "kabkota_count",
    "stray_spaces",
    "spread_letters",
    "lower_case",
    "repeated_name",
]

LEVELS: tuple[Level, ...] = get_args(Level)
CODE_DIGITS: Mapping[Level, int] = {"nasional": 2, "provinsi": 2, "kabkota": 4, "kecamatan": 7, "desa": 10}
NATION = "00"
CODE_SYSTEM = "BPS"
VERSION = "django-indonesia-regions 1.0.6"
# The package states no validity: we claim no more than the year of the operation (data/SOURCES.md).
VALID_FROM = date(2022, 1, 1)

_PACKAGE = "djindonesiaregions"
_FILES: Mapping[Level, str] = {
    "provinsi": "provinces.csv",
    "kabkota": "regencies.csv",
    "kecamatan": "districts.csv",
    "desa": "villages.csv",
}


class RawRegion(NamedTuple):
    """A row of the master as it was found."""

    level: Level
    code: str
    parent_code: str
    name: str


@dataclass(frozen=True, slots=True)
class Region:
    """One region; ``valid_to`` is its last day, None while it holds. Only the nation has no parent."""

    code: str
    level: Level
    name: str
    parent_code: str | None
    code_system: str = CODE_SYSTEM
    version: str = VERSION
    valid_from: date = VALID_FROM
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Dirt:
    """One kind of dirt and where it was found (``kabkota_count``: provinces; ``repeated_name``: the later codes)."""

    kind: DirtKind
    codes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How often it was found."""
        return len(self.codes)


@dataclass(frozen=True)
class RegionMaster:
    """The regions that could be placed, parents first, and what was wrong with the rows they came from."""

    regions: Mapping[str, Region]
    dirt: tuple[Dirt, ...]

    def region(self, code: str, level: Level) -> Region | None:
        """The region with this code if it is of this level, else None."""
        found = self.regions.get(code)
        return found if found and found.level == level else None

    def province_of(self, code: str) -> str | None:
        """The province that a region lies in, found by walking up its parents; None for the nation or unknown codes."""
        found = self.regions.get(code)
        while found and found.level != "provinsi":
            found = self.regions.get(found.parent_code or "")
        return found.code if found else None


@cache
def region_master() -> RegionMaster:
    """The master of the installed package, against the provinces and their kab/kota counts. Takes about a second."""
    return place_regions(packaged_rows(), {province.code: province.kabkota for province in provinces()})


def packaged_rows() -> Iterator[RawRegion]:
    """The rows of the package's CSV files (no header, CRLF, UTF-8), upper levels first."""
    for level, file_name in _FILES.items():
        with resources.files(_PACKAGE).joinpath("csv", file_name).open(encoding="utf-8") as file:
            for code, *parent, name in csv.reader(file):
                yield RawRegion(level, code, parent[0] if parent else NATION, name)


def place_regions(rows: Iterable[RawRegion], kabkota_counts: Mapping[str, int]) -> RegionMaster:
    """Builds the tree under the nation: of equal codes the first stays, what has no parent is left out.

    Nothing goes silently: whatever was mended, left out or missing stands in the report.

    Args:
        rows: the master's rows in any order.
        kabkota_counts: number of kab/kota by code of each expected province.
    """
    placed = {NATION: Region(NATION, "nasional", "Indonesia", None)}
    found: list[tuple[DirtKind, str]] = []
    names: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: LEVELS.index(row.level)):
        refusal = _refusal(row, placed, kabkota_counts)
        if refusal:
            found.append((refusal, row.code))
            continue
        region = Region(row.code, row.level, written_name(row.name), row.parent_code)
        placed[row.code] = region
        found += [(kind, row.code) for kind in _name_dirt(row.name)]
        if (row.parent_code, region.name) in names:
            found.append(("repeated_name", row.code))
        names.add((row.parent_code, region.name))
    found += _against_provinces(placed, kabkota_counts)
    return RegionMaster(placed, _by_kind(found))


def _refusal(row: RawRegion, placed: Mapping[str, Region], expected: Mapping[str, int]) -> DirtKind | None:
    if not (row.code.isascii() and row.code.isdigit() and len(row.code) == CODE_DIGITS[row.level]):
        return "malformed_code"
    if row.code in placed:
        return "duplicate_code"
    # A province that the project does not know has no time zone and no target: nothing below it can be counted.
    if row.level == "provinsi" and row.code not in expected:
        return "extra_province"
    parent = placed.get(row.parent_code)
    if parent is None or LEVELS.index(parent.level) + 1 != LEVELS.index(row.level):
        return "orphan"
    return None


def _name_dirt(name: str) -> list[DirtKind]:
    kinds: list[DirtKind] = []
    if name != tidy_spaces(name):
        kinds.append("stray_spaces")
    if name != gather_letters(name):
        kinds.append("spread_letters")
    if has_lower_case(name):
        kinds.append("lower_case")
    return kinds


def _against_provinces(placed: Mapping[str, Region], expected: Mapping[str, int]) -> list[tuple[DirtKind, str]]:
    counts = Counter(region.parent_code for region in placed.values() if region.level == "kabkota")
    missing: list[tuple[DirtKind, str]] = [("missing_province", code) for code in expected if code not in placed]
    miscounted: list[tuple[DirtKind, str]] = [
        ("kabkota_count", code) for code, count in expected.items() if code in placed and counts[code] != count
    ]
    return missing + miscounted


def _by_kind(found: Iterable[tuple[DirtKind, str]]) -> tuple[Dirt, ...]:
    codes: dict[DirtKind, list[str]] = {}
    for kind, code in found:
        codes.setdefault(kind, []).append(code)
    return tuple(Dirt(kind, tuple(codes[kind])) for kind in get_args(DirtKind) if kind in codes)
