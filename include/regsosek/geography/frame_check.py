"""Judges the rows of a reference file; what it leaves out or doubts is told by row number and never by value."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isclose
from typing import Literal, get_args

from regsosek.geography.frame import ColumnType, ReferenceColumn, ReferenceDataset, reference_columns
from regsosek.geography.regions import Level, RegionMaster

FaultKind = Literal[
    "missing_value",
    "malformed_value",
    "wrong_province",
    "wrong_scale",
    "unknown_parent",
    "validity_reversed",
    "duplicate",
    "overlap",
    "superior_unknown",
    "desa_differs",
]
# Doubtful, but usable: reported, and the row stays.
KEPT_FAULTS: frozenset[FaultKind] = frozenset({"superior_unknown", "desa_differs"})

Row = Mapping[str, str]
_Found = tuple[FaultKind, str, int]

_IDS: Mapping[ReferenceDataset, tuple[str, ...]] = {
    "sls": ("id_subsls",),
    "psls": ("id_subsls_lama", "id_subsls_baru"),
    "petugas": ("kode_petugas",),
    "target": ("province",),
}
_PARENTS: Mapping[ReferenceDataset, tuple[str, Level]] = {
    "sls": ("id_desa", "desa"),
    "petugas": ("id_kabkota", "kabkota"),
    "target": ("province", "provinsi"),
}
_SUPERIORS = {"PPL": "PML", "PML": "Koseka"}
_PATTERNS: Mapping[ColumnType, re.Pattern[str]] = {
    "token": re.compile(r"(?![0-9]{16}$)[0-9A-Za-z-]{1,20}"),  # sixteen digits might be someone's NIK
    "text": re.compile(r"\S(.{0,98}\S)?"),
    "count": re.compile(r"[0-9]{1,9}"),
    "share": re.compile(r"0\.[0-9]{1,9}|1(\.0{1,9})?"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}

_AROUND = " \t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\u200b\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class FrameFault:
    """One kind of fault in one column, and the numbers of its data rows, from 1."""

    kind: FaultKind
    column: str
    rows: tuple[int, ...]

    @property
    def left_out(self) -> bool:
        """Whether the rows were left out; otherwise they stay and are only reported."""
        return self.kind not in KEPT_FAULTS


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows that can be used, in file order, and the report on all others."""

    rows: tuple[Row, ...]
    faults: tuple[FrameFault, ...]


def check_reference_rows(
    dataset: ReferenceDataset, rows: Iterable[Row], *, province: str, scale: float, regions: RegionMaster
) -> CheckedRows:
    """Checks one province's file; holds its rows in memory.

    Args:
        dataset: which columns and rules apply.
        rows: the rows as read, all values text.
        province: the province of the file.
        scale: that of the manifest.
        regions: where parents are looked up.
    """
    numbered = {number: _stripped(row) for number, row in enumerate(rows, start=1)}
    columns = reference_columns(dataset)
    found = [(kind, column, n) for n, row in numbered.items() for kind, column in _value_faults(columns, row)]
    typed = _without(numbered, found)
    found += [fault for n, row in typed.items() for fault in _place_faults(dataset, n, row, province, scale, regions)]
    placed = _without(typed, found)
    found += _repetitions(dataset, placed)
    kept = _without(placed, found)
    found += _doubts(dataset, kept)
    return CheckedRows(tuple(kept.values()), _by_kind(found))


def _stripped(row: Row) -> Row:
    """Values without the blanks around them, a no-break space and what has no width among them: no part of a value."""
    return {name: value.strip(_AROUND) for name, value in row.items()}


def _without(rows: Mapping[int, Row], found: list[_Found]) -> dict[int, Row]:
    faulty = {number for _, _, number in found}
    return {number: row for number, row in rows.items() if number not in faulty}


def _value_faults(columns: tuple[ReferenceColumn, ...], row: Row) -> Iterator[tuple[FaultKind, str]]:
    for column in columns:
        value = row.get(column.name, "")
        if not value and column.required:
            yield "missing_value", column.name
        elif value and not _fits(column, value):
            yield "malformed_value", column.name


def _fits(column: ReferenceColumn, value: str) -> bool:
    if column.type == "code":
        return value in column.codes
    if column.type == "digits":
        return value.isascii() and value.isdigit() and len(value) == column.digits
    if not _PATTERNS[column.type].fullmatch(value):
        return False
    if column.type == "share":
        return float(value) > 0
    return column.type != "date" or _is_date(value)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _place_faults(
    dataset: ReferenceDataset, number: int, row: Row, province: str, scale: float, regions: RegionMaster
) -> Iterator[_Found]:
    if dataset == "psls":
        # Whether a code stands in the frame depends on the day, so it is asked case by case; here only the province.
        yield from (("wrong_province", column, number) for column in _IDS[dataset] if row[column][:2] != province)
        return
    column, level = _PARENTS[dataset]
    if row.get("province", province) != province:
        yield "wrong_province", "province", number
    elif not regions.region(row[column], level):
        yield "unknown_parent", column, number
    elif regions.province_of(row[column]) != province:
        yield "wrong_province", column, number
    # A sample holds more of one province than of another; a whole target within it, or a part in the whole, is wrong.
    if "scale" in row and _is_whole(float(row["scale"])) != _is_whole(scale):
        yield "wrong_scale", "scale", number
    # Dates are of one width: as text they compare like days.
    if row.get("valid_to") and row["valid_to"] < row["valid_from"]:
        yield "validity_reversed", "valid_to", number


def _is_whole(scale: float) -> bool:
    return isclose(scale, 1, abs_tol=1e-9)


def _repetitions(dataset: ReferenceDataset, rows: Mapping[int, Row]) -> list[_Found]:
    """Of the rows of one id that begin on one day the first stays; of those that overlap, the one that begins first."""
    columns = _IDS[dataset]
    ids = {number: tuple(row[column] for column in columns) for number, row in rows.items()}
    by_id = sorted(rows, key=lambda number: (ids[number], rows[number].get("valid_from", ""), number))
    found: list[_Found] = []
    kept: dict[tuple[str, ...], Row] = {}
    for number in by_id:
        row = rows[number]
        before = kept.get(ids[number])
        if before and row.get("valid_from") == before.get("valid_from"):
            found.append(("duplicate", columns[0], number))
        elif before and (not before.get("valid_to") or row["valid_from"] <= before["valid_to"]):
            found.append(("overlap", "valid_from", number))
        else:
            kept[ids[number]] = row
    return found


def _doubts(dataset: ReferenceDataset, rows: Mapping[int, Row]) -> list[_Found]:
    if dataset == "sls":
        # The parent column decides; an id that starts otherwise is either a moved sub-SLS or a slip of the pen.
        return [("desa_differs", "id_desa", n) for n, row in rows.items() if row["id_subsls"][:10] != row["id_desa"]]
    if dataset == "petugas":
        # The superior of a Koseka is no role of the roster: the column stays empty.
        known = {(row["kode_petugas"], row["peran"]) for row in rows.values()} | {("", None)}
        superiors = {n: (row.get("kode_atasan", ""), _SUPERIORS.get(row["peran"])) for n, row in rows.items()}
        return [("superior_unknown", "kode_atasan", n) for n, superior in superiors.items() if superior not in known]
    return []


def _by_kind(found: list[_Found]) -> tuple[FrameFault, ...]:
    numbers: dict[tuple[FaultKind, str], list[int]] = {}
    for kind, column, number in found:
        numbers.setdefault((kind, column), []).append(number)
    order = get_args(FaultKind)
    return tuple(
        FrameFault(kind, column, tuple(sorted(numbers[kind, column])))
        for kind, column in sorted(numbers, key=lambda fault: (order.index(fault[0]), fault[1]))
    )
