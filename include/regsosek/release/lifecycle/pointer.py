"""Which release readers see: one small object, moved by one write, forward by night and revision and back by hand.

Releases of one night are counted: the first content published is revision 1, other content the next one, and content
that is published once more after another is the newest again. The object itself names what was rolled back, so that
a lost warehouse cannot bring that back to the readers; and the warehouse knows what was published, so that an object
that is lost, or read wrongly, cannot either: where the two disagree, nothing is moved.
"""

import json
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, select

from regsosek.errors import LostRaceError, PointerError
from regsosek.landing.store import Store
from regsosek.release.lifecycle.manifest import MAX_MANIFEST_BYTES, document
from regsosek.warehouse.tables import published_release

FOLDER = "rilis/"
POINTER = f"{FOLDER}terkini.json"
KEYS = f"{FOLDER}kunci/"


def key_address(key_id: str) -> str:
    """Where the public key with this id lies: beside the releases, one file for each key that ever signed."""
    return f"{KEYS}{key_id}.pub"


@dataclass(frozen=True)
class Position:
    """A release that readers see, or may see.

    Attributes:
        revision: which content of the night it is, the newest has the highest.
        rolled_back: ids of releases that were rolled back and that readers must not be led to again.
    """

    release_id: str
    night: date
    revision: int
    content_hash: str
    prefix: str
    rolled_back: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[date, int]:
        """By night, then by revision."""
        return self.night, self.revision


def seen(store: Store, bucket: str) -> Position | None:
    """What readers see; ``None`` while nothing is published.

    Raises:
        PointerError: two readings made no sense.
    """
    for _ in range(2):
        found = store.get_bytes(bucket, POINTER, max_bytes=MAX_MANIFEST_BYTES)
        if found is None:
            return None
        try:
            return _position(found)
        except (ValueError, KeyError, TypeError) as error:
            kind = type(error).__name__
    raise PointerError(
        f"{bucket}/{POINTER} cannot be read ({kind}); restore it from a copy, or write it from the warehouse: "
        "`regsosek release repoint --reason ...`"
    )


def _position(found: bytes) -> Position:
    content = json.loads(found)
    return Position(
        content["release_id"],
        date.fromisoformat(content["night"]),
        int(content.get("revision", 0)),
        content["content_hash"],
        content["prefix"],
        tuple(content.get("rolled_back", ())),
    )


def revision_of(connection: Connection, night: date, release_id: str, standing: Position | None) -> int:
    """The revision that a release has once it is published: its own if it is its night's newest, else a new one."""
    table = published_release.c
    known = select(table.revision, table.release_id).where(table.night == night)
    revisions = [(row.revision, row.release_id) for row in connection.execute(known)]
    if standing is not None and standing.night == night:
        revisions.append((standing.revision, standing.release_id))
    newest, holder = max(revisions, default=(0, ""))
    return newest if holder == release_id and newest > 0 else newest + 1


def move_forward(store: Store, bucket: str, candidate: Position, standing: Position | None) -> bool:
    """Makes ``candidate`` what readers see, unless they see a later one or it was rolled back; whether they see it."""
    if standing is not None:
        if candidate.release_id in standing.rolled_back or standing.order > candidate.order:
            return False
        # Kept for good: a later rollback may lead to before a release that was rolled back earlier.
        candidate = replace(candidate, rolled_back=standing.rolled_back)
    if candidate != standing:
        write(store, bucket, candidate, standing)
    return True


def write(store: Store, bucket: str, position: Position, standing: Position | None) -> None:
    """Leads readers from ``standing`` to ``position``; whoever writes holds the lock of releases.

    Raises:
        LostRaceError: readers were led elsewhere meanwhile.
    """
    found = store.etag(bucket, POINTER)
    if seen(store, bucket) != standing:
        raise LostRaceError(
            f"{bucket}/{POINTER} was moved by somebody else meanwhile, nothing was overwritten; look which process "
            "that was, then run again"
        )
    put(store, bucket, position, over=found)


def put(store: Store, bucket: str, position: Position, *, over: str) -> None:
    """Writes the pointer over what has the ETag ``over``."""
    content = {
        "release_id": position.release_id,
        "night": position.night.isoformat(),
        "revision": position.revision,
        "content_hash": position.content_hash,
        "prefix": position.prefix,
        "rolled_back": list(position.rolled_back),
    }
    store.put_bytes(bucket, POINTER, document(content), over=over)
