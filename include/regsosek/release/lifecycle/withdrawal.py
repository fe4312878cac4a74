"""An operator takes away the files of a release that told too much: readers were led back before, and it stays away.

Manifest and signature stay: that it was published, when, and the hashes of its files. A mark beside them says that it
was withdrawn, to a warehouse that is rebuilt too. What others copied is out of reach.
"""

import json
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine, select

from regsosek.errors import AuditError, DecisionError
from regsosek.geography.regions import NATION
from regsosek.landing.store import Store, StoreReader
from regsosek.minisign import SIGNATURE_SUFFIX
from regsosek.release.lifecycle.manifest import MANIFEST
from regsosek.warehouse.locks import release_lock
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.reason import stated
from regsosek.warehouse.tables import published_release

WITHDRAWN, MARK = "release_withdrawn", "ditarik.json"
STAYING = frozenset({MANIFEST, MANIFEST + SIGNATURE_SUFFIX, MARK})


def withdraw(engine: Engine, store: Store, bucket: str, release_id: str, *, by: str, reason: str) -> int:
    """Deletes the files of a release that was rolled back; returns how many. Killed in between, the next call goes on.

    Raises:
        DecisionError: it is unknown, or was not rolled back: later releases are compared with it.
    """
    reason = stated(reason)
    with release_lock(engine) as held:
        with held.engine.begin() as connection:
            night, prefix = _rolled_back(connection, release_id)
            detail = {"release": release_id, "by": by, "reason": reason}
            ledger.note_event(connection, NATION, night, WITHDRAWN, detail)
            if not was_withdrawn(store, bucket, prefix):
                mark = {"rilis": release_id, "ditarik": datetime.now(UTC).isoformat(timespec="seconds")}
                store.put_bytes(bucket, prefix + MARK, f"{json.dumps(mark)}\n".encode())
        found = [each.key for each in store.list_objects(bucket, prefix)]
        going = [key for key in found if key.removeprefix(prefix) not in STAYING]
        for key in going:
            store.delete(bucket, key)
    return len(going)


def was_withdrawn(store: StoreReader, bucket: str, prefix: str) -> bool:
    """Whether the files of a release were taken away, or are just being."""
    return store.size(bucket, prefix + MARK) is not None


def require_not_withdrawn(store: StoreReader, bucket: str, prefix: str) -> None:
    """Lets content be published that nobody took back.

    Raises:
        AuditError: it was withdrawn; the same content would bring all of it back.
    """
    if was_withdrawn(store, bucket, prefix):
        raise AuditError(
            f"{prefix} was withdrawn because of what it told, and the night has the same content again: change what "
            "made it tell that (limits of disclosure, reference files, a correction), then publish the night"
        )


def _rolled_back(connection: Connection, release_id: str) -> tuple[date, str]:
    table = published_release.c
    query = select(table.night, table.prefix, table.rolled_back_at).where(table.release_id == release_id)
    found = connection.execute(query).first()
    if found is None:
        raise DecisionError(f"there is no release {release_id}; the page of releases names them")
    if found.rolled_back_at is None:
        raise DecisionError(f"release {release_id} was not rolled back: first `regsosek release rollback`")
    return found.night, found.prefix
