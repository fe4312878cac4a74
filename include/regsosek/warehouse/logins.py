"""Logins of persons who ask the warehouse in SQL: made, changed and closed; what each reads is membership alone.

A password leaves this process as the SCRAM verifier that the server keeps, so that no log of the server holds it.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, text

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.geography.regions import NATION as NATION_CODE
from regsosek.warehouse.access.rights import NATION, PREFIX, READERS, all_roles, province_role
from regsosek.warehouse.nights.ledger import note_event

LONGEST = timedelta(days=400)
SESSIONS = 3
GIVEN, CLOSED = "sql_login_given", "sql_login_closed"
_NAME = re.compile(r"(?!regsosek|pg_)[a-z][a-z0-9_]{2,40}")
_STANDING = """
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls OR r.rolreplication AS powerful,
       array(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid) AS groups
FROM pg_roles r WHERE r.rolname = :name
"""


@dataclass(frozen=True)
class Login:
    """Who reads what of whose rows, and until when.

    Attributes:
        reads: ``analyst``, ``health``, ``small_area``.
        provinces: codes; ``00``: every province.
        valid_until: the last day.
    """

    name: str
    reads: frozenset[str]
    provinces: frozenset[str]
    valid_until: date

    @property
    def groups(self) -> set[str]:
        """The roles that it is a member of."""
        rows = (NATION if code == NATION_CODE else province_role(code) for code in self.provinces)
        return {PREFIX + read for read in self.reads} | set(rows)


def give(connection: Connection, login: Login, *, today: date, by: str, reason: str, anew: bool = False) -> str | None:
    """Makes the login, or brings one that is there to what is asked; its password is told once, when it is made.

    By the account of the warehouse's owner, who may make roles, in the caller's transaction.

    Args:
        anew: a login that is there gets another password.

    Raises:
        ConfigurationError: the name is taken by another kind of account, a right is none, or the end is too far.
    """
    groups = _standing_groups(connection, login.name)
    _require_sound(login, today)
    _require_admin(connection, login.groups)
    if groups is None:
        _execute(connection, "CREATE ROLE {name} NOLOGIN", login.name)
    password = secrets.token_urlsafe(24) if groups is None or anew else None
    if password:
        _execute(
            connection, "ALTER ROLE {name} PASSWORD {value}", login.name, _verifier(connection, login.name, password)
        )
    ends = datetime.combine(login.valid_until + timedelta(days=1), time(), NIGHT_ZONE).astimezone(UTC).isoformat()
    _execute(
        connection, f"ALTER ROLE {{name}} LOGIN CONNECTION LIMIT {SESSIONS} VALID UNTIL {{value}}", login.name, ends
    )
    _be_member_of(connection, login.name, groups or set(), login.groups)
    detail = {"login": login.name, "groups": sorted(login.groups), "until": str(login.valid_until)}
    note_event(connection, NATION_CODE, today, GIVEN, {**detail, "by": by, "reason": reason})
    return password


def close(connection: Connection, name: str, *, today: date, by: str, reason: str) -> None:
    """Closes a login: what it has open reads nothing more either. Its name stays, for the trail.

    Raises:
        ConfigurationError: there is none of that name, or it is no login of a person.
    """
    groups = _standing_groups(connection, name)
    if groups is None:
        raise ConfigurationError(f"there is no login {name}")
    _execute(connection, "ALTER ROLE {name} NOLOGIN PASSWORD NULL", name)
    _be_member_of(connection, name, groups, set())
    note_event(connection, NATION_CODE, today, CLOSED, {"login": name, "by": by, "reason": reason})


def _require_sound(login: Login, today: date) -> None:
    if unknown := login.groups - set(all_roles()):
        raise ConfigurationError(f"{', '.join(sorted(unknown))}: no such role; docs/warehouse-roles.md has them")
    if not login.reads <= {role.removeprefix(PREFIX) for role in READERS} or not login.reads or not login.provinces:
        raise ConfigurationError("say what it reads (analyst, health, small_area) and of which provinces")
    if not today <= login.valid_until <= today + LONGEST:
        raise ConfigurationError(f"name a last day from {today} to {today + LONGEST}: logins are asked for anew")


def _require_admin(connection: Connection, groups: Collection[str]) -> None:
    """Who made the roles may grant them; on some servers that was another account."""
    closed = connection.execute(text(_CLOSED), {"groups": sorted(groups)}).scalars().all()
    if closed:
        raise ConfigurationError(
            f"this account may not grant {', '.join(closed)}: run this where REGSOSEK_WAREHOUSE_OWNER_URL is set; if "
            "it is, let a superuser run GRANT ... TO that account WITH ADMIN OPTION"
        )


_CLOSED = """
SELECT name FROM unnest(CAST(:groups AS text[])) AS name
WHERE NOT pg_has_role(current_user, name, 'MEMBER WITH ADMIN OPTION') ORDER BY 1
"""


def _standing_groups(connection: Connection, name: str) -> set[str] | None:
    """The groups of a login that is there; an account of another kind is left alone."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError("a login's name has 3 to 41 small letters, digits and _, and begins with a letter")
    found = connection.execute(text(_STANDING), {"name": name}).first()
    if found is None:
        return None
    ours = {NATION, *READERS, *(role for role in all_roles() if role.startswith(f"{PREFIX}province_"))}
    if found.powerful or not set(found.groups) <= ours:
        raise ConfigurationError(f"{name} is an account of another kind: choose another name")
    return set(found.groups)


def _be_member_of(connection: Connection, name: str, standing: Collection[str], wanted: Collection[str]) -> None:
    for group in sorted(set(standing) - set(wanted)):
        _execute(connection, f"REVOKE {group} FROM {{name}}", name)
    for group in sorted(set(wanted) - set(standing)):
        _execute(connection, f"GRANT {group} TO {{name}}", name)


def _execute(connection: Connection, statement: str, name: str, value: str = "") -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(sql.SQL(statement).format(name=sql.Identifier(name), value=sql.Literal(value)))


def _verifier(connection: Connection, name: str, password: str) -> str:
    driver: Any = connection.connection.driver_connection
    made: bytes = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    return made.decode()
