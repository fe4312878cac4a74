"""Finds what a province delivered: folders with a manifest are deliveries, and nothing else goes unnoticed.

Layout: ``landing/prov=<pp>/tanggal=<YYYY-MM-DD>/<delivery_id>/<file>``; the manifest is written last.
"""

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from regsosek.contract.manifest import FILE_NAME, MANIFEST_NAME, SIGNATURE_NAME, ProvinceCode, Ulid
from regsosek.landing.store import Store, StoredObject

LANDING = "landing/"
SHOWN_STRAYS = 100
# What completes the key of a folder to that of a delivery, whichever level it is of.
_REST = ("", "01ARZ3NDEKTSV4RRFFQ69G5FAV/", "tanggal=2022-10-15/01ARZ3NDEKTSV4RRFFQ69G5FAV/")
_FOLDER = re.compile(
    re.escape(LANDING) + r"prov=(?P<province>[^/]+)/tanggal=(?P<delivered_on>[^/]+)/(?P<delivery_id>[^/]+)/"
)


class DeliveryFolder(BaseModel):
    """Where one delivery lies; ``delivered_on`` is the day of delivery (WIB)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    province: ProvinceCode
    delivered_on: date
    delivery_id: Ulid

    @property
    def prefix(self) -> str:
        """The folder's key prefix, ``/`` at its end."""
        return f"{province_prefix(self.province)}tanggal={self.delivered_on.isoformat()}/{self.delivery_id}/"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies in the folders of one province, as seen on one night.

    Folders are sorted by (day of delivery, delivery id). Keys of strays were named by others: show them to people who
    may see the landing bucket, never in logs or messages.

    Attributes:
        deliveries: folders with a manifest, delivered up to that night; the same delivery id may come twice.
        unfinished: folders up to that night that have files and no manifest.
        later: folders of days after that night, finished or not; they belong to the night of their day.
        strays: keys that are no part of any delivery, the first ``SHOWN_STRAYS`` in alphabetical order.
        stray_count: how many strays there are in all.
        debris: how many keys are what well-known tools leave beside files (``debris.csv``): harmless, and no strays.
    """

    deliveries: tuple[DeliveryFolder, ...]
    unfinished: tuple[DeliveryFolder, ...]
    later: tuple[DeliveryFolder, ...]
    strays: tuple[str, ...]
    stray_count: int
    debris: int = 0

    def misdated(self, today: date) -> tuple[DeliveryFolder, ...]:
        """Folders of a day that no office's clock has reached: after tomorrow. The other later ones await their night.

        Clocks in the east are up to two hours ahead of those in Jakarta, and a night is often run again days after it.

        Args:
            today: by the clock, in Jakarta.
        """
        return tuple(folder for folder in self.later if folder.delivered_on > today + timedelta(days=1))


class KeyPlace(NamedTuple):
    """What a key says: a file of that name in that delivery."""

    folder: DeliveryFolder
    name: str


def province_prefix(province: str) -> str:
    """The key prefix below which a province delivers."""
    return f"{LANDING}prov={province}/"


def place_of(key: str) -> KeyPlace | None:
    """Reads a key; ``None`` when it is not exactly where a delivery's file must be."""
    prefix, _, name = key.rpartition("/")
    folder = _folder(prefix + "/")
    if folder is None or not (name in {MANIFEST_NAME, SIGNATURE_NAME} or FILE_NAME.fullmatch(name)):
        return None
    return KeyPlace(folder, name)


def discover(store: Store, bucket: str, province: str, night: date) -> Discovery:
    """Lists the folders of ``province`` and sorts what is there, whatever the order of the listing.

    Memory grows with the number of deliveries, not with the number of objects.

    Raises:
        ObjectStoreError: the listing could not be finished; half a listing is never returned.
    """
    finished: dict[DeliveryFolder, bool] = {}
    strays, debris = _Strays(), 0
    for found in store.list_objects(bucket, province_prefix(province)):
        place = place_of(found.key)
        if place is not None:
            finished[place.folder] = finished.get(place.folder, False) or place.name == MANIFEST_NAME
        elif is_debris(found.key):
            debris += 1
        elif not is_folder_marker(found):
            strays.add(found.key)
    due = {folder: whole for folder, whole in finished.items() if folder.delivered_on <= night}
    return Discovery(
        deliveries=_in_order(folder for folder, whole in due.items() if whole),
        unfinished=_in_order(folder for folder, whole in due.items() if not whole),
        later=_in_order(finished.keys() - due.keys()),
        strays=strays.first(),
        stray_count=strays.count,
        debris=debris,
    )


def is_folder_marker(found: StoredObject) -> bool:
    """Whether it is the empty object by which consoles and file managers show a folder, where folders belong."""
    is_folder = found.size == 0 and found.key.endswith("/")
    return is_folder and any(_folder(found.key + rest) is not None for rest in _REST)


def is_debris(key: str) -> bool:
    """Whether its name is one that a tool leaves beside files, which nobody delivered."""
    return _debris().fullmatch(key.rpartition("/")[2]) is not None


@cache
def _debris() -> re.Pattern[str]:
    text = resources.files(__package__).joinpath("debris.csv").read_text(encoding="utf-8")
    return re.compile("|".join(row["pattern"] for row in csv.DictReader(text.splitlines())))


def misplaced(store: Store, bucket: str, provinces: Collection[str]) -> tuple[str, ...]:
    """Keys and folders that no province's discovery will ever look at, such as ``landing/prov=053/``.

    Args:
        provinces: the codes of all provinces, not only those of this run.
    """
    known = {LANDING, "reference/", *(province_prefix(province) for province in provinces)}
    seen = {*store.list_level(bucket, ""), *store.list_level(bucket, LANDING)}
    return tuple(sorted(seen - known))


@dataclass(slots=True)
class _Strays:
    """Counts all and keeps the alphabetically first, so that a heap of rubbish cannot fill the memory."""

    count: int = 0
    _kept: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        self.count += 1
        self._kept.append(key)
        if len(self._kept) >= 2 * SHOWN_STRAYS:
            self._kept = list(self.first())

    def first(self) -> tuple[str, ...]:
        return tuple(sorted(self._kept)[:SHOWN_STRAYS])


def _folder(prefix: str) -> DeliveryFolder | None:
    parts = _FOLDER.fullmatch(prefix)
    if parts is None:
        return None
    try:
        folder = DeliveryFolder.model_validate(parts.groupdict())
    except ValidationError:
        return None
    # Dates have more than one spelling; only the one that leads back here counts.
    return folder if folder.prefix == prefix else None


def _in_order(folders: Iterable[DeliveryFolder]) -> tuple[DeliveryFolder, ...]:
    return tuple(sorted(folders, key=lambda folder: (folder.delivered_on, folder.delivery_id)))
