"""Reference data in the warehouse: regions and their ancestors, frame, its changes, officers, targets, versions."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.geography.regions import RegionMaster
from regsosek.warehouse.database import copy_in, copy_out
from regsosek.warehouse.tables import officer, psls, reference_version, region, region_ancestor, subsls, target

_ANCESTORS = """
WITH RECURSIVE up AS (
    SELECT code, code AS ancestor_code FROM reference.region
    UNION ALL
    SELECT up.code, r.parent_code FROM up JOIN reference.region r ON r.code = up.ancestor_code
    WHERE r.parent_code IS NOT NULL
)
INSERT INTO reference.region_ancestor (code, ancestor_code) SELECT code, ancestor_code FROM up
"""


def load_regions(connection: Connection, master: RegionMaster, scratch: Path) -> None:
    """Replaces the region master and the closure of its tree, in the caller's transaction."""
    columns = [column.name for column in region.columns]
    rows = ([getattr(each, column) for column in columns] for each in master.regions.values())
    _replace(connection, "reference.region", columns, rows, scratch)
    connection.execute(delete(region_ancestor))
    connection.execute(text(_ANCESTORS))


def load_frame(connection: Connection, rows: Iterable[Sequence[Any]], columns: list[str], scratch: Path) -> None:
    """Replaces the sub-SLS frame of all provinces."""
    _replace(connection, f"reference.{subsls.name}", columns, rows, scratch)


def load_psls(connection: Connection, rows: Iterable[Sequence[Any]], columns: list[str], scratch: Path) -> None:
    """Replaces what became of retired sub-SLS, of all provinces."""
    _replace(connection, f"reference.{psls.name}", columns, rows, scratch)


def load_officers(connection: Connection, rows: Iterable[Sequence[Any]], columns: list[str], scratch: Path) -> None:
    """Replaces the roster of officers of all provinces."""
    _replace(connection, f"reference.{officer.name}", columns, rows, scratch)


def load_targets(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Replaces the targets."""
    connection.execute(delete(target))
    connection.execute(insert(target), list(rows))


def note_version(connection: Connection, **values: Any) -> None:
    """Notes which version of a reference dataset is loaded."""
    connection.execute(delete(reference_version).where(reference_version.c.dataset == values["dataset"]))
    connection.execute(insert(reference_version).values(**values))


def forget_version(connection: Connection, dataset: str) -> None:
    """Notes that nothing is loaded of a dataset."""
    connection.execute(delete(reference_version).where(reference_version.c.dataset == dataset))


def loaded_versions(connection: Connection) -> dict[str, str]:
    """SHA-256 of the manifest of each loaded reference dataset."""
    query = select(reference_version.c.dataset, reference_version.c.manifest_sha256)
    return {row.dataset: row.manifest_sha256 for row in connection.execute(query)}


def version_notes(connection: Connection) -> tuple[str, ...]:
    """What the loaded reference files say of themselves, each once."""
    query = select(reference_version.c.note).where(reference_version.c.note != "").distinct()
    return tuple(connection.execute(query.order_by(reference_version.c.note)).scalars())


def version_reports(connection: Connection) -> list[dict[str, Any]]:
    """What is loaded: dataset, version, rows, faults and missing provinces."""
    query = select(reference_version).order_by(reference_version.c.dataset)
    return [{"dataset": row.dataset, "version": row.version, **row.report} for row in connection.execute(query)]


def export_frame(connection: Connection, province: str, path: Path) -> None:
    """Writes the frame of ``province`` (``id_subsls, id_desa, valid_from, valid_to``) as CSV."""
    assert province.isdigit()
    copy_out(
        connection,
        f"SELECT id_subsls, id_desa, valid_from, valid_to FROM reference.subsls WHERE province = '{province}'",
        path,
    )


def export_psls(connection: Connection, province: str, path: Path) -> None:
    """Writes what became of retired sub-SLS of ``province`` (both codes, ``status, valid_from``) as CSV."""
    assert province.isdigit()
    copy_out(
        connection,
        f"SELECT id_subsls_lama, id_subsls_baru, status, valid_from FROM reference.psls WHERE province = '{province}'",
        path,
    )


def export_regions(connection: Connection, province: str, path: Path) -> None:
    """Writes the regions of ``province`` (``code, level``), itself included, as CSV."""
    assert province.isdigit()
    copy_out(
        connection,
        "SELECT r.code, r.level FROM reference.region r JOIN reference.region_ancestor a USING (code) "
        f"WHERE a.ancestor_code = '{province}'",
        path,
    )


def _replace(
    connection: Connection, table: str, columns: list[str], rows: Iterable[Sequence[Any]], scratch: Path
) -> None:
    path = scratch / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    connection.execute(text(f"DELETE FROM {table}"))
    copy_in(connection, table, columns, path)
    path.unlink()
