"""What a check without the warehouse knows of frame and regions, and which rules it can therefore judge."""

import csv
from functools import cache
from pathlib import Path

import duckdb

from regsosek.contract.codebook import STREAMS
from regsosek.errors import ReferenceDataError
from regsosek.geography.frame import ReferenceDataset
from regsosek.geography.regions import region_master
from regsosek.landing.folder_store import FolderStore
from regsosek.night.reference import checked_rows, newest_whole
from regsosek.quality.rules import Rule, violation
from regsosek.staging.reference_tables import REFERENCE_TABLES, fill_reference_table


def needs_frame(rule: Rule) -> bool:
    """Whether ``rule`` asks what the frame says of a code; ``unknown`` rests for families on the regions alone."""
    predicate = violation(rule)
    if rule.dataset in STREAMS:
        return "frame_status" in predicate
    return any(f"frame_status = '{status}'" in predicate for status in ("known", "retired", "desa_known"))


def fill_reference(duck: duckdb.DuckDBPyConnection, province: str, reference: Path | None, scratch: Path) -> None:
    """Fills what staging asks of frame and regions: from the directory ``reference``, else without a frame.

    Raises:
        ReferenceDataError: the directory has no usable frame of the province.
    """
    rows: dict[str, list[dict[str, str | None]]] = {
        "frame": _reference_rows("sls", province, reference, scratch),
        "psls": _reference_rows("psls", province, reference, scratch),
        "region": _regions_of(province),
    }
    if reference is not None and not rows["frame"]:
        raise ReferenceDataError(f"{reference} has no sub-SLS of province {province}; give its frame, or none")
    for table, columns in REFERENCE_TABLES.items():
        path = scratch / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows[table])
        fill_reference_table(duck, table, path)


@cache
def _regions_of(province: str) -> list[dict[str, str | None]]:
    """Finds the regions of a province among all 90,000 once, however many folders are checked."""
    master = region_master()
    return [
        {"code": code, "level": each.level}
        for code, each in master.regions.items()
        if master.province_of(code) == province
    ]


def _reference_rows(
    dataset: ReferenceDataset, province: str, reference: Path | None, scratch: Path
) -> list[dict[str, str | None]]:
    if reference is None:
        return []
    prefix = "" if (reference / "reference").is_dir() else "reference/"
    found = newest_whole(FolderStore(reference, prefix), "", dataset, scratch)
    if found is None:
        return []
    manifest, _, directory = found
    files = [file for file in manifest.files if file.province == province]
    return [dict(row) for file in files for row in checked_rows(manifest, file, directory).rows]
