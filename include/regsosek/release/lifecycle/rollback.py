"""An operator moves the pointer: one release back, or, where it is lost, to what the warehouse says was published."""

from collections.abc import Set
from dataclasses import replace

from sqlalchemy import Connection, Engine, func, select, tuple_, update

from regsosek.errors import DecisionError, PointerError
from regsosek.geography.regions import NATION
from regsosek.landing.store import Store
from regsosek.release.lifecycle.agreement import disagreement, interrupted, known_releases, require_agreement
from regsosek.release.lifecycle.pointer import POINTER, Position, put, seen, write
from regsosek.release.lifecycle.verification import in_bucket, verify
from regsosek.warehouse.locks import release_lock
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.reason import stated
from regsosek.warehouse.tables import published_release

ROLLED_BACK, REPOINTED = "release_rolled_back", "release_repointed"


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
    with release_lock(engine) as held:
        standing = seen(store, bucket)
        with held.engine.begin() as connection:
            known = known_releases(connection)
            if standing is None or not interrupted(standing, known):
                require_agreement(bucket, standing, known)
            if standing is None:
                raise DecisionError("nothing is published that could be rolled back")
            former = _before(connection, standing)
            _require_whole(store, bucket, former)
            _mark(connection, standing, former, by, reason)
        led_back = replace(former, rolled_back=(*standing.rolled_back, standing.release_id))
        with held.engine.begin():  # nobody else takes the right before the pointer is written
            write(store, bucket, led_back, standing)
    return standing, former


def repoint(engine: Engine, store: Store, bucket: str, *, by: str, reason: str) -> Position:
    """Writes a pointer that is lost, or older than what was published, anew from the warehouse; records it.

    Raises:
        DecisionError: the pointer is well, nothing is published, or the release to lead to is not whole.
    """
    reason = stated(reason)
    with release_lock(engine) as held:
        found = store.etag(bucket, POINTER)
        standing, readable = _as_far_as_readable(store, bucket)
        with held.engine.begin() as connection:
            known = known_releases(connection)
            if readable and disagreement(standing, known) is None:
                raise DecisionError("pointer and warehouse agree; there is nothing to write")
            back = {each.release_id for each in known if each.rolled_back} | set(
                standing.rolled_back if standing else ()
            )
            newest = replace(_newest(connection, back), rolled_back=tuple(sorted(back)))
            _require_whole(store, bucket, newest)
            detail = {"release": newest.release_id, "by": by, "reason": reason}
            ledger.note_event(connection, NATION, newest.night, REPOINTED, detail)
        with held.engine.begin():
            put(store, bucket, newest, over=found)
    return newest


def _as_far_as_readable(store: Store, bucket: str) -> tuple[Position | None, bool]:
    try:
        return seen(store, bucket), True
    except PointerError:
        return None, False


def _newest(connection: Connection, rolled_back: Set[str]) -> Position:
    table = published_release.c
    query = select(table.release_id, table.night, table.revision, table.content_hash, table.prefix)
    rows = connection.execute(query.order_by(table.night.desc(), table.revision.desc()))
    found = next((row for row in rows if row.release_id not in rolled_back), None)
    if found is None:
        raise DecisionError("the warehouse knows no release that readers may be led to; publish one")
    return Position(*found)


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
