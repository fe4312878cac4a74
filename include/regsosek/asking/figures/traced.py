"""The deliveries that a number is made of: what each contributes, and where its files, manifest and receipt lie."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from regsosek.errors import ObjectStoreError
from regsosek.landing.archive import Receipt, list_receipts
from regsosek.landing.store import Store
from regsosek.statistics.definitions.definitions import Definition

# A reused id names an older delivery.
_DELIVERIES = """
SELECT province, delivery_id, night, decided_night, prefix, manifest_sha256 FROM ledger.delivery
WHERE province = :province AND delivery_id = ANY(:ids) AND reason IS DISTINCT FROM 'id_reused' ORDER BY night, position
"""


@dataclass(frozen=True)
class TracedDelivery:
    """A delivery that a number is made of.

    Attributes:
        night: of its arrival; ``counted_night`` the one from which it counts (later if it was held and freed).
        prefix: of its files in the landing bucket; ``receipt``: the key of its receipt in the archive.
        counted: what it contributes, of cases by cause, else under the name of the number.
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
    """The deliveries of a count.

    Attributes:
        published: what the release says of it; None where it does not say it of this region.
    """

    field: Definition
    published: int | None
    deliveries: tuple[TracedDelivery, ...]

    @property
    def total(self) -> int:
        """What the deliveries add up to."""
        return sum(each.total for each in self.deliveries)

    @property
    def moved_since(self) -> int:
        """By how much a new frame, or a night processed again, has moved it since it was published; mostly 0."""
        return 0 if self.published is None else self.total - self.published


def provinces_traced(nights: Mapping[str, date], level: str, own: str) -> list[str]:
    """The provinces of which a region's numbers are counted, of those that a release has figures of."""
    if level == "nasional":
        return list(nights)
    return [own] if own in nights else []


def traced_deliveries(
    connection: Connection, store: Store, archive_bucket: str, parts: Mapping[tuple[str, str], Mapping[str, int]]
) -> tuple[TracedDelivery, ...]:
    """Describes deliveries by province and night.

    Args:
        parts: what each contributes, by province and id.

    Raises:
        ObjectStoreError: a delivery's receipt is not in the archive, or names another manifest.
    """
    receipts = _Receipts(store, archive_bucket)
    return tuple(_traced(row, parts[row.province, row.delivery_id], receipts) for row in _rows(connection, parts))


def _rows(connection: Connection, keys: Iterable[tuple[str, str]]) -> Iterator[Any]:
    for province, own in groupby(sorted(keys), key=lambda key: key[0]):
        asked = {"province": province, "ids": [delivery_id for _, delivery_id in own]}
        yield from connection.execute(text(_DELIVERIES), asked)


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
