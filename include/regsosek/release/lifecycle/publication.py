"""What stands published: the last release of a night, and what is wrong with it; for whoever only asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from regsosek.geography.regions import NATION
from regsosek.minisign import SIGNATURE_SUFFIX
from regsosek.release.lifecycle.manifest import MANIFEST, MAX_MANIFEST_BYTES
from regsosek.warehouse.nights.night_faults import NightFault
from regsosek.warehouse.tables import published_release, refreshed


@dataclass(frozen=True)
class Publication:
    """A published release: where its files lie in the release bucket, and which provinces were held back."""

    release_id: str
    night: date
    prefix: str
    published_at: datetime
    held_back: tuple[str, ...]


def release_of(connection: Connection, night: date) -> Publication | None:
    """The release of ``night`` that was published last; ``None`` if there is none."""
    table = published_release.c
    query = (
        select(table.release_id, table.night, table.prefix, table.published_at, table.manifest["held_back"])
        .where(table.night == night)
        .order_by(table.published_at.desc())
        .limit(1)
    )
    found = connection.execute(query).first()
    return None if found is None else Publication(*found[:4], held_back=tuple(found[4] or ()))


def publication_fault(connection: Connection, night: date, faults: Mapping[str, NightFault]) -> str | None:
    """What is wrong with the publication of ``night``: the fault of its last try, or why it does not hold the night.

    Args:
        faults: of the night, by :func:`regsosek.warehouse.nights.night_faults.faults_of`.
    """
    release = release_of(connection, night)
    failed = faults.get(NATION)
    processed = connection.execute(select(func.max(refreshed.c.at)).where(refreshed.c.night == night)).scalar()
    stale = release is None or (processed is not None and release.published_at < processed)
    found = []
    if failed is not None and (release is None or release.published_at < failed.begun_at):
        found.append(str(failed))
    elif stale:
        found.append(f"night {night} was not published since it was last processed; see the log of publish")
    if release is not None and release.held_back and not stale:
        held = ", ".join(release.held_back)
        found.append(
            f"provinces {held} failed conservation or second reading and were published at their last good figures"
        )
    return "; ".join(found) or None


@dataclass(frozen=True)
class ReleaseFile:
    """A file of a release: its key in the release bucket and its size."""

    key: str
    bytes: int


def file_of_release(connection: Connection, release_id: str, name: str) -> ReleaseFile | None:
    """The file ``name`` of a release; ``None`` where the release, or the file in its manifest, is unknown."""
    table = published_release.c
    found = connection.execute(select(table.prefix, table.manifest).where(table.release_id == release_id)).first()
    if found is None:
        return None
    beside = dict.fromkeys((MANIFEST, MANIFEST + SIGNATURE_SUFFIX), MAX_MANIFEST_BYTES)
    sizes = {file["name"]: file["bytes"] for file in found.manifest["files"]} | beside
    return ReleaseFile(found.prefix + name, sizes[name]) if name in sizes else None
