"""Who saw which cases: an entry for each access, written before what was read is shown, or it is not shown.

An entry names account, way, reason and moment; the cases stand beside it by keyed hashes, so that the trail says
nothing to whoever has it without the key. No account may change an entry or take one out (``grants.csv`` of the
warehouse, and a trigger that holds for the owner too); retention alone ends them (:func:`end_before`).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from regsosek.errors import AccessTrailError
from regsosek.privacy.trail.ways import ways
from regsosek.staging.pseudonyms import HASH_BYTES

EVERYWHERE = "*"
AT_ONCE = 5000
# Somebody waits for the page: an entry that another transaction holds up is none.
LONGEST_WAIT = "SET LOCAL lock_timeout = '5s'"


@dataclass(frozen=True)
class Access:
    """Who reads what by which way.

    Attributes:
        role: the rights that it is read by; ``provinces``: of which provinces, ``*`` for all.
        way: a name in ``ways.csv``; ``told``: what of it: a delivery, a dataset, a figure.
        reason: why, in the reader's own words; empty: the purpose of the way.
    """

    account: str
    role: str
    provinces: tuple[str, ...]
    way: str
    told: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        """A way that is not in the data is a fault of ours."""
        assert self.way in ways(), f"{self.way} has no line in ways.csv"


def case_key(key: bytes, province: str, case_id: str) -> bytes:
    """The keyed hash by which the trail names a case."""
    return hmac.digest(key, f"{province}/{case_id}".encode(), hashlib.sha256)[:HASH_BYTES]


def key_id(key: bytes) -> str:
    """Says which key an entry's cases are hashed by, and nothing of the key."""
    return hmac.digest(key, b"trail of access", hashlib.sha256).hex()[:8]


_ENTRY = text("""
INSERT INTO ledger.access (id, account, role, provinces, way, told, reason, key_id)
VALUES (:id, :account, :role, :provinces, :way, :told, :reason, :key_id)
""")
_CASES = text("""
INSERT INTO ledger.access_case (province, case_key, access_id)
SELECT :province, key, :id FROM unnest(CAST(:keys AS bytea[])) AS key ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True)
class AccessTrail:
    """The trail, written by the account of ``engine``; cases are hashed by ``key``."""

    engine: Engine
    key: bytes

    def enter(self, access: Access, province: str, cases: Iterable[str]) -> None:
        """Writes that ``cases`` of ``province`` are shown; call it before they are. It is committed when this returns.

        Raises:
            AccessTrailError: it could not be written: nothing may be shown.
        """
        entry = {"id": ULID().to_uuid(), "key_id": key_id(self.key)}
        try:
            with self.engine.begin() as connection:
                connection.execute(text(LONGEST_WAIT))
                connection.execute(_ENTRY, {**vars(access), "provinces": list(access.provinces), **entry})
                keys = [case_key(self.key, province, case) for case in dict.fromkeys(cases)]
                for first in range(0, len(keys), AT_ONCE):
                    portion = {"province": province, "keys": keys[first : first + AT_ONCE]}
                    connection.execute(_CASES, {**portion, "id": entry["id"]})
        except SQLAlchemyError as error:
            raise AccessTrailError(
                f"the trail of access takes no entry ({type(error).__name__}), and no case is shown without one: "
                "look at the warehouse, and with `regsosek doctor` at the rights of this account"
            ) from error


def end_before(connection: Connection, moment: datetime) -> int:
    """Takes out the entries made before ``moment``, as retention says; for the owner alone. Returns how many.

    In the caller's transaction.
    """
    connection.execute(text("SET LOCAL regsosek.ends_access = 'on'"))
    values = {"moment": moment}
    connection.execute(text(_CASES_BEFORE), values)
    ended = connection.execute(text("DELETE FROM ledger.access WHERE at < :moment"), values).rowcount
    connection.execute(text("SET LOCAL regsosek.ends_access = 'off'"))
    return ended


def rename_cases(
    connection: Connection, keys: Sequence[bytes], province: str, renamed: Iterable[tuple[str, str]]
) -> None:
    """Lets entries of cases whose id is another one now be found by that; for the owner alone.

    In the caller's transaction.

    Args:
        keys: of the trail, former ones too.
        renamed: the ids before and now.
    """
    moved = [{"own": province, "former": case_key(key, province, former), "now": case_key(key, province, now)}
             for former, now in renamed for key in keys]  # fmt: skip
    if moved:
        connection.execute(text("SET LOCAL regsosek.ends_access = 'on'"))
        connection.execute(text(_RENAMED), moved)
        connection.execute(text("SET LOCAL regsosek.ends_access = 'off'"))


_RENAMED = "UPDATE ledger.access_case SET case_key = :now WHERE province = :own AND case_key = :former"
_CASES_BEFORE = """
DELETE FROM ledger.access_case c USING ledger.access a WHERE a.id = c.access_id AND a.at < :moment
"""
