"""The headline figures of a province from all of its archived files, in bounded memory, for the weekly audit.

The same reading as every night's (``second_reading.py``), in two passes over files of a scratch directory: revisions
are sorted into buckets by case, for what a case counts depends on nothing but its own revisions; then what holds a
family key is sorted into buckets by sub-SLS, for two documents conflict only there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.release.rereading.archived_cases import (
    LOGGED,
    AcceptedDelivery,
    Archive,
    accepted_deliveries,
    read_rows,
    typed_log,
)
from regsosek.release.rereading.second_reading import Headline, counted, statements, without_conflicts

# Rows of one bucket: some 200 MB while it is worked on.
ROWS_AT_ONCE = 200_000

_PARTS = """
SELECT part, count(*) AS rows FROM core.kasus
WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND part > 0 GROUP BY part ORDER BY part
"""
_ROWS = f"""
SELECT {LOGGED} FROM core.kasus k
WHERE k.province = :province AND k.night = :night AND k.delivery_id = :delivery_id AND k.part = :part
ORDER BY k.row_no
"""


@dataclass
class Buckets:
    """Rows sorted by what a column hashes to; kept in files of ``folder``."""

    folder: Path
    column: str
    number: int
    _written: Iterator[int] = field(default_factory=count)

    def add(self, rows: pd.DataFrame) -> None:
        """Sorts ``rows`` in; a missing value goes with the empty text."""
        hashed = pd.util.hash_pandas_object(rows[self.column].fillna(""), index=False)
        for bucket, of_bucket in rows.groupby((hashed % self.number).to_numpy()):
            place = self.folder / f"{self.column}-{bucket}"
            place.mkdir(exist_ok=True)
            of_bucket.to_parquet(place / f"{next(self._written):07d}.parquet", index=False)

    def each(self) -> Iterator[pd.DataFrame]:
        """Yields bucket by bucket and deletes its files."""
        for place in sorted(self.folder.glob(f"{self.column}-*")):
            files = sorted(place.iterdir())
            yield pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
            for file in files:
                file.unlink()
            place.rmdir()


def read_whole(
    connection: Connection, archive: Archive, province: str, night: date, *, rows_at_once: int = ROWS_AT_ONCE
) -> Headline:
    """Families visited and complete of ``province`` as of ``night``, from every file that was ever accepted.

    Raises:
        AuditError: the archived files do not hold a row or case that the log names.
    """
    deliveries, archive = accepted_deliveries(connection, province, night), archive.of(connection, province)
    parts = [(each, *part) for each in deliveries for part in _parts_of(connection, province, each)]
    number = max(1, ceil(sum(rows for *_, rows in parts) / rows_at_once))
    by_case = Buckets(archive.scratch, "case_id", number)
    for delivery, part, _ in parts:
        by_case.add(_revisions(connection, archive, province, delivery, part))
    found, by_place = Headline(0, 0), Buckets(archive.scratch, "id_subsls", number)
    for revisions in by_case.each():
        current = statements(revisions, deliveries)
        holding = current["state"] != "withdrawn"
        found += counted(current[~holding])
        by_place.add(current[holding])
    return sum((counted(without_conflicts(current)) for current in by_place.each()), found)


def _parts_of(connection: Connection, province: str, delivery: AcceptedDelivery) -> Iterator[tuple[int, int]]:
    own = {"province": province, "night": delivery.night, "delivery_id": delivery.delivery_id}
    for row in connection.execute(text(_PARTS), own):
        yield row.part, row.rows


def _revisions(
    connection: Connection, archive: Archive, province: str, delivery: AcceptedDelivery, part: int
) -> pd.DataFrame:
    own: dict[str, Any] = {"province": province, "night": delivery.night, "delivery_id": delivery.delivery_id}
    log = typed_log(pd.read_sql_query(text(_ROWS), connection, params=own | {"part": part}))
    rows = read_rows(archive, province, (delivery,), log)
    return rows.assign(produced_at=pd.Timestamp(delivery.produced_at).tz_convert("UTC"))
