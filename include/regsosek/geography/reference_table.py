"""Reads the small CSV tables that say what is where: exactly the named columns, every row complete."""

import csv
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from regsosek.errors import ReferenceDataError

DATA = Path(__file__).parent / "data"


def read_table(path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The rows of a CSV file (UTF-8, header, comma; a BOM is tolerated), cells stripped of outer spaces.

    A file may end its header with all ``optional`` columns or with none; then they are empty in every row.

    Raises:
        ReferenceDataError: the file cannot be read, its header is not ``columns``, or a row has more or fewer cells.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *lines = [line for line in csv.reader(file) if line] or [[]]
    except (OSError, UnicodeDecodeError) as error:
        fix = "name a readable CSV file in UTF-8"
        raise ReferenceDataError(f"{path.name}: cannot be read ({type(error).__name__}); {fix}") from error
    if tuple(header) not in {columns, (*columns, *optional)}:
        more = f", or that and {','.join(optional)}" if optional else ""
        raise ReferenceDataError(f"{path.name}: the header must be {','.join(columns)}{more}")
    uneven = [str(number) for number, line in enumerate(lines, start=1) if len(line) != len(header)]
    if uneven:
        raise ReferenceDataError(f"{path.name}: data rows {', '.join(uneven)} must have {len(header)} cells each")
    absent = dict.fromkeys(optional, "")
    return [absent | dict(zip(header, (cell.strip() for cell in line), strict=True)) for line in lines]


def require_one_each(file_name: str, found: Collection[str], expected: Collection[str]) -> None:
    """Checks that a table names every expected province once and no other.

    Raises:
        ReferenceDataError: naming the provinces that are missing, unknown or named twice.
    """
    counts = Counter(found)
    faults = {
        "missing": sorted(set(expected) - set(counts)),
        "unknown": sorted(set(counts) - set(expected)),
        "named twice": sorted(code for code, n in counts.items() if n > 1),
    }
    told = "; ".join(f"{what}: {', '.join(codes)}" for what, codes in faults.items() if codes)
    if told:
        raise ReferenceDataError(f"{file_name}: provinces {told}; give every province exactly one row")
