"""A number of a release taken back to the deliveries that it is made of, and to their cases.

Each case that the number counts stands in one delivery: the one whose revision of it was accepted (or, if none was,
its newest). What a delivery contributes is told by the cause that its revision counts for; over all deliveries it is
the number. Cases are named by their keys alone; those lists are for operators, never for the public.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from regsosek.errors import ObjectStoreError
from regsosek.landing.archive import Receipt, list_receipts
from regsosek.landing.store import Store
from regsosek.night.asked_figure import AskedFigure
from regsosek.statistics.changes import COUNTED_OF_CASE
from regsosek.statistics.restatement import PLACED
from regsosek.warehouse.case_state import case_state_steps, revised

CASE_COLUMNS = (
    "province", "delivery_id", "cause", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "case_id", "enumerated_on",
    "counted",
)  # fmt: skip

_PLACE = f"""
place AS (
    SELECT p.province, p.placed_code FROM (
        SELECT DISTINCT province, placed_code FROM core.kasus WHERE province = :province AND night <= :night
    ) p {PLACED.format("p")} WHERE a.ancestor_code = :region
)"""
# Besides the cases that were ever placed in the region, those that claim the same family key: one of them holds it.
_ASKED = f"""
WITH {_PLACE},
in_region AS (
    SELECT DISTINCT case_id, id_subsls, r109_no_bangunan, r110_no_keluarga
    FROM core.kasus k JOIN place USING (province, placed_code) WHERE k.night <= :night
)
SELECT case_id FROM in_region
UNION
SELECT k.case_id FROM core.kasus k JOIN in_region USING (id_subsls, r109_no_bangunan, r110_no_keluarga)
WHERE k.province = :province AND k.night <= :night
"""
_COUNTED = f"""
WITH {_PLACE},
{case_state_steps("night")},
first_seen AS (SELECT case_id, min(night) AS first_night FROM revisions GROUP BY case_id),
stated AS (
    SELECT case_id, id_subsls, r109_no_bangunan, r110_no_keluarga, enumerated_on, night, delivery_id, settled_state,
           {COUNTED_OF_CASE}
    FROM case_state s JOIN place USING (placed_code)
    WHERE CAST(:day AS date) IS NULL OR s.enumerated_on = :day
),
counted AS (
    SELECT d.province, d.delivery_id, s.id_subsls, s.r109_no_bangunan, s.r110_no_keluarga, s.case_id, s.enumerated_on,
           {{counted}} AS counted,
           CASE WHEN s.settled_state = 'conflicting' THEN 'conflicting'
                WHEN d.decided_night = s.night THEN 'freed'
                WHEN f.first_night < s.night AND jsonb_array_length(d.supersedes) > 0 THEN 'superseded'
                WHEN f.first_night < s.night THEN 'corrected'
                WHEN s.enumerated_on < s.night THEN 'late'
                ELSE 'new' END AS cause
    FROM stated s JOIN first_seen f USING (case_id)
    JOIN ledger.delivery d ON d.province = :province AND d.delivery_id = s.delivery_id AND d.state = 'accepted'
)
"""
_BY_DELIVERY = """
SELECT c.province, c.delivery_id, d.night, d.decided_night, d.prefix, d.manifest_sha256, d.position, c.cause, c.counted
FROM (SELECT province, delivery_id, cause, sum(counted)::bigint AS counted FROM counted GROUP BY 1, 2, 3) c
JOIN ledger.delivery d ON d.province = c.province AND d.delivery_id = c.delivery_id AND d.state = 'accepted'
WHERE c.counted <> 0 ORDER BY d.night, d.position, c.cause
"""
_CASES = f"""
SELECT {", ".join(CASE_COLUMNS)} FROM counted WHERE counted <> 0
ORDER BY id_subsls, r109_no_bangunan, r110_no_keluarga, case_id
"""


@dataclass(frozen=True)
class TracedDelivery:
    """A delivery that a number is made of.

    Attributes:
        night: of its arrival; ``counted_night`` the one from which it counts (later if it was held and freed).
        prefix: of its files in the landing bucket; ``receipt``: the key of its receipt in the archive.
        counted: what it contributes, by cause.
    """

    province: str
    delivery_id: str
    night: date
    counted_night: date
    prefix: str
    manifest_sha256: str
    receipt: str
    counted: Mapping[str, int]

    @property
    def total(self) -> int:
        """What it contributes."""
        return sum(self.counted.values())


@dataclass(frozen=True)
class Trace:
    """The deliveries of a number; ``total`` is their sum, ``asked.published_count`` what was published."""

    asked: AskedFigure
    deliveries: tuple[TracedDelivery, ...]

    @property
    def total(self) -> int:
        """What the deliveries add up to."""
        return sum(each.total for each in self.deliveries)

    @property
    def moved_since(self) -> int:
        """By how much a new frame, or a night processed again, has moved it since it was published; mostly 0."""
        return self.total - self.asked.published_count


def trace(connection: Connection, store: Store, archive_bucket: str, asked: AskedFigure) -> Trace:
    """Takes a published number back to its deliveries, as the release counted them.

    Raises:
        ObjectStoreError: a delivery's receipt is not in the archive, or names another manifest.
    """
    found: dict[tuple[str, str], tuple[Any, dict[str, int]]] = {}
    for row in _rows(connection, asked, _BY_DELIVERY):
        found.setdefault((row.province, row.delivery_id), (row, {}))[1][row.cause] = row.counted
    receipts = _Receipts(store, archive_bucket)
    return Trace(asked, tuple(_traced(row, counted, receipts) for row, counted in found.values()))


def write_cases(connection: Connection, asked: AskedFigure, path: Path) -> int:
    """Writes the keys of every case that a number counts as CSV, without any answer; returns the sum."""
    total = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CASE_COLUMNS)
        for row in _rows(connection, asked, _CASES):
            writer.writerow(row)
            total += row.counted
    return total


def _rows(connection: Connection, asked: AskedFigure, tail: str) -> Iterator[Any]:
    """Province by province, each as of the night that the release had of it."""
    query = text(_COUNTED.format(counted=" + ".join(asked.parts)) + tail)
    nights, own = asked.release.as_of.nights, asked.province.code if asked.province else asked.code
    for province in nights if asked.level == "nasional" else [own] if own in nights else []:
        values = {"province": province, "night": nights[province], "region": asked.code, "day": asked.day}
        # Taken back after reading: so the locks of one province's tables are free before those of the next are taken.
        with connection.begin_nested() as savepoint:
            with revised(connection, _ASKED, values):
                found = connection.execute(query, values).all()
            savepoint.rollback()
        yield from found


class _Receipts:
    """The archive's receipts, each night of a province listed once."""

    def __init__(self, store: Store, bucket: str) -> None:
        self._store, self._bucket = store, bucket
        self._listed: dict[tuple[str, date], dict[str, Receipt]] = {}

    def of(self, province: str, night: date, delivery_id: str) -> Receipt:
        if (province, night) not in self._listed:
            listed = list_receipts(self._store, self._bucket, night=night, province=province)
            self._listed[province, night] = {each.delivery_id: each for each in listed if each.reason != "id_reused"}
        receipt = self._listed[province, night].get(delivery_id)
        if receipt is None:
            raise ObjectStoreError(f"delivery {delivery_id} of night {night} has no receipt in {self._bucket}")
        return receipt


def _traced(row: Any, counted: Mapping[str, int], receipts: _Receipts) -> TracedDelivery:
    receipt = receipts.of(row.province, row.night, row.delivery_id)
    if receipt.manifest_sha256 != row.manifest_sha256:
        raise ObjectStoreError(f"{receipt.key} names another manifest than the ledger; the archive was altered")
    return TracedDelivery(
        province=row.province,
        delivery_id=row.delivery_id,
        night=row.night,
        counted_night=row.decided_night or row.night,
        prefix=row.prefix,
        manifest_sha256=row.manifest_sha256,
        receipt=receipt.key,
        counted=counted,
    )
