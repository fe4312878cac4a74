"""The rights that one run has at a time, to a province or to the release, and the fence around what it writes.

A right is an advisory lock of a session of its own, and a session may end without the run that it serves: PostgreSQL
restarts, a firewall forgets, an administrator ends it. Whoever takes a right therefore draws a number, the fencing
token, one higher than the last. Every transaction of the run begins with a look at both, and is refused if the lock's
session is gone or somebody drew a later number. Whoever draws waits for the transactions that looked before.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from regsosek.errors import LockLostError, ProvinceBusyError
from regsosek.geography.regions import NATION
from regsosek.warehouse.heartbeat import ANSWER_SECONDS, LEASE_SECONDS, Heartbeat
from regsosek.warehouse.tables import lock_holder

log = logging.getLogger(__name__)

# First halves of the advisory locks' keys: the second is the province (of the release: 0), so that provinces never
# wait for each other.
PROVINCE_LOCK = 0x5245_4753
RELEASE_LOCK = 0x5245_4C53
FENCE = 0x5245_4646
SAY_SECONDS = 5  # of waiting, after which it is said for whom
FENCE_SECONDS = 5  # that a former holder's transaction may still take, before it is ended


@dataclass(frozen=True)
class LockScope:
    """What is locked: a province, or the release under the nation's code."""

    lock: int
    code: str

    def __str__(self) -> str:
        return "the release" if self.code == NATION else f"province {self.code}"

    @property
    def key(self) -> dict[str, int]:
        """The advisory lock."""
        return {"lock": self.lock, "code": int(self.code)}

    @property
    def fence(self) -> dict[str, int]:
        """The advisory lock that transactions of the holder share."""
        return {"lock": FENCE, "code": int(self.code)}


@dataclass(frozen=True)
class Held:
    """A right that this process holds.

    Attributes:
        engine: every transaction on it is fenced; what the holder writes goes through it alone.
        token: the number that was drawn.
        session: process id of the session that holds the lock, at the server.
        pulse: asks that session whether it lives.
    """

    right: LockScope
    engine: Engine
    token: int
    session: int
    pulse: Heartbeat

    def watch(self, connection: Connection) -> None:
        """Lets ``connection`` be cut when the server does not answer any more."""
        self.pulse.cuts(_driver(connection))


@contextmanager
def province_lock(engine: Engine, province: str, *, wait: bool = True) -> Iterator[Held]:
    """Holds the one right to load ``province``; a second holder waits, whatever process or machine it is on.

    Raises:
        ProvinceBusyError: somebody else holds it, and ``wait`` is false.
        LockLostError: the right was lost meanwhile; nothing was written since.
    """
    with _locked(engine, LockScope(PROVINCE_LOCK, province), wait=wait) as held:
        yield held


@contextmanager
def release_lock(engine: Engine) -> Iterator[Held]:
    """The one right to publish or to roll back: who comes second builds from what the first left behind.

    Raises:
        LockLostError: the right was lost meanwhile.
    """
    with _locked(engine, LockScope(RELEASE_LOCK, NATION), wait=True) as held:
        yield held


def hold_province(connection: Connection, province: str) -> None:
    """Takes the right of :func:`province_lock` until the transaction ends."""
    right = LockScope(PROVINCE_LOCK, province)
    for each in (right.key, right.fence):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock, :code)"), each)


def provinces_at_work(connection: Connection) -> frozenset[str]:
    """The provinces whose lock somebody holds now."""
    query = f"SELECT lpad(objid::text, 2, '0') FROM pg_locks WHERE {_OF_US} AND classid = :lock"
    return frozenset(connection.execute(text(query), {"lock": PROVINCE_LOCK}).scalars())


_OF_US = (
    "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@contextmanager
def _locked(engine: Engine, right: LockScope, *, wait: bool) -> Iterator[Held]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _take(connection, right, wait=wait)
        pulse = Heartbeat(_driver(connection))
        try:
            held = _fenced(engine, connection, right, pulse)
            connection.execute(text(f"SET idle_session_timeout = '{LEASE_SECONDS}s'"))
            with pulse.beating():
                yield held
        except Exception:  # by whatever library the closed connection was met
            if not pulse.silent:
                raise
            told = f"{right}: the database has not answered for {ANSWER_SECONDS:.0f} seconds"
            raise LockLostError(f"{told}; {_ADVICE}") from None
        finally:
            _let_go(connection, right, pulse)


def _driver(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _take(connection: Connection, right: LockScope, *, wait: bool) -> None:
    if connection.execute(text("SELECT pg_try_advisory_lock(:lock, :code)"), right.key).scalar_one():
        return
    if not wait:
        raise ProvinceBusyError(f"{right} is being worked on; try again when its run has ended")
    if not _lock_within(connection, right.key, SAY_SECONDS):
        log.warning("%s: waiting for %s", right, _holder(connection, right))
        connection.execute(text("SELECT pg_advisory_lock(:lock, :code)"), right.key)
        log.warning("%s: waited long enough, going on", right)


def _lock_within(connection: Connection, key: dict[str, int], seconds: int) -> bool:
    """Waits for a lock of the session; False if it was not given within ``seconds``."""
    connection.execute(text(f"SET lock_timeout = '{seconds}s'"))
    try:
        connection.execute(text("SELECT pg_advisory_lock(:lock, :code)"), key)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return False
    finally:
        connection.execute(text("RESET lock_timeout"))
    return True


LOCK_NOT_AVAILABLE, INSUFFICIENT_PRIVILEGE = "55P03", "42501"


def _holder(connection: Connection, right: LockScope) -> str:
    """Who holds a right, since when, and how its session does; nothing of what it does."""
    found = connection.execute(text(_HOLDER), right.key | {"province": right.code}).first()
    if found is None:
        return "a run that has just ended"
    at, state = found.client_addr or "this machine", found.state or "unknown"
    return f"{found.application_name} at {at}, session {found.pid} ({state}), which holds it since {found.taken_at}"


_HOLDER = f"""
SELECT l.pid, a.application_name, host(a.client_addr) AS client_addr, a.state,
       to_char(h.taken_at AT TIME ZONE 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI:SS "WIB"') AS taken_at
FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN ledger.lock_holder h ON h.province = :province
WHERE {_OF_US} AND classid = :lock AND objid = :code
"""


def _fenced(engine: Engine, connection: Connection, right: LockScope, pulse: Heartbeat) -> Held:
    session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    # An engine of its own for the listener; connections and pool are the same.
    held = Held(right, engine.execution_options(), _draw(connection, right), session, pulse)
    event.listen(held.engine, "begin", lambda begun: _look(begun, held))
    return held


def _draw(connection: Connection, right: LockScope) -> int:
    """The next token, drawn when no transaction of a former holder is under way any more."""
    if not _lock_within(connection, right.fence, FENCE_SECONDS):
        # It has lost its right, for we have it: nothing that it writes may come after what we read.
        _end_former(connection, right)
        connection.execute(text("SELECT pg_advisory_lock(:lock, :code)"), right.fence)
    drawn = insert(lock_holder).values(province=right.code, token=1, holder=text("current_setting('application_name')"))
    again = {"token": lock_holder.c.token + 1, "holder": drawn.excluded.holder, "taken_at": text("now()")}
    statement = drawn.on_conflict_do_update(index_elements=["province"], set_=again).returning(lock_holder.c.token)
    token: int = connection.execute(statement).scalar_one()
    connection.execute(text("SELECT pg_advisory_unlock(:lock, :code)"), right.fence)
    return token


def _end_former(connection: Connection, right: LockScope) -> None:
    """Ends what a former holder has under way; of another account (the portal's) it is short, and waited for."""
    try:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {_OWN_FENCE}"), right.fence)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        log.warning("%s: waiting for a transaction of another account", right)


_OWN_FENCE = f"{_OF_US} AND classid = :lock AND objid = :code AND pid <> pg_backend_pid()"


def _look(connection: Connection, held: Held) -> None:
    """Begins a transaction of the holder: no later one draws its token until this one has ended."""
    right = held.right
    held.watch(connection)
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock, :code)"), right.fence)
    values = right.key | {"province": right.code, "session": held.session}
    token, alive, holder = connection.execute(text(_PROOF), values).one()
    if token != held.token:
        raise LockLostError(f"{right}: the right to it was lost, {holder} has it since; {_ADVICE}")
    if not alive:
        raise LockLostError(f"{right}: the right to it was lost, the session that held it is gone; {_ADVICE}")


_ADVICE = "nothing more of this run is written; run it again when no other is under way"
_PROOF = f"""
SELECT token, EXISTS (
    SELECT 1 FROM pg_locks WHERE {_OF_US} AND classid = :lock AND objid = :code AND pid = :session
) AS alive, holder
FROM ledger.lock_holder WHERE province = :province
"""


def _let_go(connection: Connection, right: LockScope, pulse: Heartbeat) -> None:
    """Gives the right back; if its session is gone, it was lost, and the last transaction knew of it or came before."""
    try:
        if not pulse.silent:
            connection.execute(text("SELECT pg_advisory_unlock(:lock, :code)"), right.key)
            connection.execute(text("RESET idle_session_timeout"))
            return
    except DBAPIError:
        log.warning("%s: the session that held the right to it has ended by itself", right)
    connection.invalidate()
