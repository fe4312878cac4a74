"""The files of a night of the bench's campaign, whole: every column of families and members, as an office writes them.

What the log says of a family stands in its columns; all other questions are answered alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.codebook import DATASETS, variables
from regsosek.landing.archive import archive_file
from regsosek.landing.store import Store
from regsosek.release.rereading.contents import contents
from regsosek.warehouse.database import copy_in

ANSWER, VERSION = "1", "1"
# Columns of ``brought`` under the names that the files give them.
_PART = """
SELECT row_no, case_id AS id_dokumen, versi, CASE status WHEN 'withdrawn' THEN 9 ELSE 1 END AS status_dokumen,
       id_subsls, r109_no_bangunan, r110_no_keluarga, result AS r205_hasil, members
FROM brought WHERE part = :part ORDER BY row_no
"""
_HASHES = "CREATE TEMPORARY TABLE hashed (part int, row_no int, content_hash text) ON COMMIT DROP"


@dataclass(frozen=True)
class Archive:
    """Where the files go, a directory to write them in, and the keys of the hashes."""

    store: Store
    bucket: str
    scratch: Path
    keys: Sequence[bytes]


def archive_files(connection: Connection, archive: Archive) -> list[dict[str, Any]]:
    """Archives what stands in the temporary table ``brought``, and leaves the hash of each family in ``hashed``.

    Returns:
        The files as a manifest lists them.
    """
    connection.execute(text(_HASHES))
    parts = connection.execute(text("SELECT DISTINCT part FROM brought ORDER BY part")).scalars().all()
    return [file for part in parts for file in _archive_part(connection, archive, part)]


def _archive_part(connection: Connection, archive: Archive, part: int) -> Iterator[dict[str, Any]]:
    cases = pd.read_sql_query(text(_PART), connection, params={"part": part}, dtype=str)
    places = cases.index.repeat(cases["members"].astype(int))
    files = dict(zip(DATASETS, (_whole("keluarga", cases), _whole("anggota", cases.loc[places])), strict=True))
    hashed = contents(files["keluarga"], files["anggota"], archive.keys)
    hashes = cases[["row_no"]].assign(part=part, content_hash=hashed)
    path = archive.scratch / "hashes.csv"
    hashes.to_csv(path, index=False)
    copy_in(connection, "hashed", list(hashes.columns), path)
    for dataset, rows in files.items():
        yield _archive_file(archive, dataset, part, rows)


def _whole(dataset: str, cases: pd.DataFrame) -> pd.DataFrame:
    """All columns of ``dataset``, one row per row of ``cases``."""
    names = [each.name for each in variables(dataset, VERSION)]
    return pd.DataFrame({name: cases.get(name, ANSWER) for name in names}, index=cases.index)


def _archive_file(archive: Archive, dataset: str, part: int, rows: pd.DataFrame) -> dict[str, Any]:
    path = archive.scratch / f"{dataset}-{part:05d}.csv.gz"
    rows.to_csv(path, index=False, compression={"method": "gzip", "compresslevel": 1})
    size = path.stat().st_size
    return {
        "name": path.name, "dataset": dataset, "part": part, "format": "csv.gz", "rows": len(rows), "bytes": size,
        "sha256": archive_file(archive.store, archive.bucket, path),
    }  # fmt: skip
