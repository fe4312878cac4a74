"""Which release readers see: one small object, moved by one write, forward by night and revision and back by hand.

Releases of one night are counted: the first content published is revision 1, other content the next one, and content
that is published once more after another is the newest again. The object itself names what was rolled back, so that
a lost warehouse cannot bring that back to the readers.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, Engine, func, select, text, tuple_, update

from regsosek.errors import DecisionError
from regsosek.geography.regions import NATION
from regsosek.landing.store import Store
from regsosek.release.manifest import MAX_MANIFEST_BYTES, document
from regsosek.release.verification import in_bucket, verify
from regsosek.warehouse import ledger
from regsosek.warehouse.tables import published_release

FOLDER = "rilis/"
POINTER = f"{FOLDER}terkini.json"
RELEASE_LOCK = 0x5245_4C53
ROLLED_BACK = "release_rolled_back"


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


@contextmanager
def release_lock(engine: Engine) -> Iterator[None]:
    """The one right to publish or to roll back: who comes second builds from what the first left behind."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": RELEASE_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": RELEASE_LOCK})


def seen(store: Store, bucket: str) -> Position | None:
    """What readers see; ``None`` while nothing is published."""
    found = store.get_bytes(bucket, POINTER, max_bytes=MAX_MANIFEST_BYTES)
    if found is None:
        return None
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
        _write(store, bucket, candidate)
    return True


def roll_back(engine: Engine, store: Store, bucket: str, *, by: str, reason: str) -> tuple[Position, Position]:
    """Leads readers one release back, marks the one that they saw, and records who wanted it and why.

    Killed before the pointer is written, it is finished by the next call, which goes no further back.

    Returns:
        What readers saw, and what they see now.

    Raises:
        DecisionError: nothing is published, nothing lies before it, or what does is no longer whole.
    """
    if not reason.strip():
        raise DecisionError("a rollback needs a reason")
    with release_lock(engine):
        standing = seen(store, bucket)
        if standing is None:
            raise DecisionError("nothing is published that could be rolled back")
        with engine.begin() as connection:
            former = _before(connection, standing)
            _require_whole(store, bucket, former)
            _mark(connection, standing, former, by, reason)
        _write(store, bucket, replace(former, rolled_back=(*standing.rolled_back, standing.release_id)))
    return standing, former


def _before(connection: Connection, standing: Position) -> Position:
    table = published_release.c
    query = (
        select(table.release_id, table.night, table.revision, table.content_hash, table.prefix)
        .where(tuple_(table.night, table.revision) < tuple_(standing.night, standing.revision))
        .where(table.rolled_back_at.is_(None), table.release_id != standing.release_id)
        .order_by(table.night.desc(), table.revision.desc())
        .limit(1)
    )
    found = connection.execute(query).first()
    if found is None:
        raise DecisionError(f"nothing was published before release {standing.release_id}")
    return Position(*found)


def _require_whole(store: Store, bucket: str, release: Position) -> None:
    if faults := verify(in_bucket(store, bucket, release.prefix), None).faults:
        raise DecisionError(f"release {release.release_id} can't be gone back to: {'; '.join(faults)}")


def _mark(connection: Connection, standing: Position, former: Position, by: str, reason: str) -> None:
    """Once: a second call that only finishes the first records nothing."""
    table = published_release
    unmarked = table.c.release_id == standing.release_id, table.c.rolled_back_at.is_(None)
    if connection.execute(update(table).where(*unmarked).values(rolled_back_at=func.now())).rowcount:
        detail = {"release": standing.release_id, "back_to": former.release_id, "by": by, "reason": reason}
        ledger.note_event(connection, NATION, standing.night, ROLLED_BACK, detail)


def _write(store: Store, bucket: str, position: Position) -> None:
    content = {
        "release_id": position.release_id,
        "night": position.night.isoformat(),
        "revision": position.revision,
        "content_hash": position.content_hash,
        "prefix": position.prefix,
        "rolled_back": list(position.rolled_back),
    }
    store.put_bytes(bucket, POINTER, document(content))
