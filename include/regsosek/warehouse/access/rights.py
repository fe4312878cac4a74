"""Who may do what in the warehouse: roles and their rights as data, and how a database is brought to them.

A part of the pipeline is a role that can be given a password; readers are groups that a person's login is made a
member of. What a role may do stands in ``grants.csv`` by table, in the letters that PostgreSQL's own lists use (r
select, a insert, w update, d delete), and in ``column_grants.csv`` where it may read single columns alone. A column
that stands in neither is closed. ``stream.*`` stands for every table of that schema. Only differences are written, so
that migrating again costs one look.
"""

import csv
import fnmatch
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

from sqlalchemy import Connection, text

from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import provinces
from regsosek.warehouse.tables import SCHEMAS, metadata

PREFIX = "regsosek_"
NATION = f"{PREFIX}nation"
LETTERS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


class Right(NamedTuple):
    """What a role may do: ``privilege`` on ``on``, the name of a schema, table or sequence (``column``: on that alone).

    ``kind`` is the word that PostgreSQL's GRANT has for the object.
    """

    role: str
    kind: str
    on: str
    column: str
    privilege: str


@cache
def _lines(name: str) -> tuple[dict[str, str], ...]:
    source = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(source.splitlines()))


def role_lines() -> tuple[dict[str, str], ...]:
    """The roles as the data have them, with what each may do in words."""
    return _lines("roles.csv")


def _named(kind: str) -> tuple[str, ...]:
    return tuple(PREFIX + line["role"] for line in role_lines() if line["kind"] == kind)


PARTS = _named("part")
READERS = _named("reader")


def province_role(code: str) -> str:
    """The role whose members read the rows of a province."""
    return f"{PREFIX}province_{code}"


@cache
def all_roles() -> tuple[str, ...]:
    """Every role of the warehouse but its owner."""
    return (*PARTS, *READERS, NATION, *(province_role(each.code) for each in provinces()))


@cache
def table_rights() -> frozenset[Right]:
    """The rights on tables and columns that stand in the data."""
    tables = {
        Right(PREFIX + role, "TABLE", table, "", LETTERS[letter])
        for line in _lines("grants.csv")
        for table in _named_tables(line["table"])
        for role, letters in line.items()
        if role != "table"
        for letter in letters
    }
    lines = _lines("column_grants.csv")
    columns = {Right(PREFIX + line["role"], "TABLE", line["table"], line["column"], "SELECT") for line in lines}
    return frozenset(tables | columns)


def _named_tables(pattern: str) -> list[str]:
    """The table of a line, or those that its ``*`` stands for."""
    return fnmatch.filter(metadata.tables, pattern) if "*" in pattern else [pattern]


@cache
def tables_of_readers() -> frozenset[str]:
    """The tables and views that a person may be let read."""
    return frozenset(right.on for right in table_rights() if right.role in READERS)


def _partition_rights() -> set[Right]:
    """COPY takes no table with row-level security, so it goes to the province's partition: which nobody else reads."""
    split = {t.fullname for t in metadata.sorted_tables if t.dialect_options["postgresql"]["partition_by"]}
    writers = {right for right in table_rights() if right.on in split and right.privilege == "INSERT"}
    return {right._replace(on=f"{right.on}_p{province.code}") for right in writers for province in provinces()}


def wanted_rights(connection: Connection) -> frozenset[Right]:
    """All rights that the roles should have in this database."""
    tables = table_rights() | _partition_rights()
    inserting = {(right.role, right.on) for right in tables if right.privilege == "INSERT"}
    numbered = connection.execute(text(_SEQUENCES)).all()
    sequences = {
        Right(role, "SEQUENCE", each.sequence, "", "USAGE")
        for each in numbered
        for role, table in inserting
        if table == each.table
    }
    schemas = {Right(right.role, "SCHEMA", right.on.partition(".")[0], "", "USAGE") for right in tables}
    return frozenset(tables | sequences | schemas | _database_rights(connection))


def _database_rights(connection: Connection) -> set[Right]:
    """Nobody else gets in; steps with results of their own need room for temporary tables."""
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    working = [PREFIX + line["role"] for line in role_lines() if line["temporary"] == "yes"]
    return {
        *(Right(role, "DATABASE", database, "", "CONNECT") for role in (*PARTS, *READERS)),
        *(Right(role, "DATABASE", database, "", "TEMPORARY") for role in working),
    }


_SEQUENCES = """
SELECT format('%s.%s', sn.nspname, s.relname) AS sequence, format('%s.%s', tn.nspname, t.relname) AS table
FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_namespace tn ON tn.oid = t.relnamespace WHERE s.relkind = 'S'
"""


def standing_rights(connection: Connection) -> frozenset[Right]:
    """All rights that the roles, or everybody, have in this database; PUBLIC stands as a role of that name."""
    values = {"schemas": list(SCHEMAS), "roles": list(all_roles())}
    return frozenset(Right(*row) for row in connection.execute(text(_STANDING), values))


_STANDING = """
WITH acl AS (
    SELECT 'SCHEMA' AS kind, nspname::text AS object, '' AS col, nspacl AS acl FROM pg_namespace
    WHERE nspname = ANY(:schemas)
    UNION ALL
    SELECT 'DATABASE', datname::text, '', coalesce(datacl, acldefault('d', datdba)) FROM pg_database
    WHERE datname = current_database()
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname || '.' || relname, '', relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = ANY(:schemas) AND relacl IS NOT NULL
    UNION ALL
    SELECT 'TABLE', n.nspname || '.' || relname, attname, attacl FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = ANY(:schemas) AND attacl IS NOT NULL AND NOT attisdropped
)
SELECT coalesce(r.rolname, 'PUBLIC')::text, kind, object, col::text, privilege_type
FROM acl CROSS JOIN LATERAL aclexplode(acl) e LEFT JOIN pg_roles r ON r.oid = e.grantee
WHERE e.grantee = 0 OR r.rolname = ANY(:roles)
"""


def apply_rights(connection: Connection) -> None:
    """Makes the roles that are missing and gives each of them what the data say, no more.

    Raises:
        ConfigurationError: a role is missing that this account may not make.
    """
    _make_roles(connection)
    _drop_defaults(connection)
    wanted = wanted_rights(connection)
    for statement in _statements("REVOKE", standing_rights(connection) - wanted):
        connection.execute(text(statement))
    # A right to a table that is taken back takes those to its columns with it.
    for statement in _statements("GRANT", wanted - standing_rights(connection)):
        connection.execute(text(statement))


def _statements(verb: str, rights: Iterable[Right]) -> list[str]:
    """GRANT or REVOKE, one statement for all objects and columns that a role gets the same privilege on."""
    columns: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for right in sorted(rights):
        columns[right.role, right.on, f"{right.kind} {right.privilege}"] += [right.column] if right.column else []
    objects: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (role, on, what), listed in columns.items():
        kind, privilege = what.split(" ", 1)
        named = f'"{on}"' if kind == "DATABASE" else on
        objects[role, kind, f"{privilege} ({', '.join(listed)})" if listed else privilege].append(named)
    preposition = "TO" if verb == "GRANT" else "FROM"
    return [
        f"{verb} {privilege} ON {kind} {', '.join(names)} {preposition} {role}"
        for (role, kind, privilege), names in objects.items()
    ]


def _make_roles(connection: Connection) -> None:
    standing = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    missing = [role for role in all_roles() if role not in standing]
    if missing and not connection.execute(text(_MAY_MAKE_ROLES)).scalar_one():
        raise ConfigurationError(
            f"the roles {', '.join(missing)} are missing and this account may not make them: let a superuser "
            "run ALTER ROLE ... CREATEROLE for the account that migrates"
        )
    for role in missing:
        connection.execute(text(_MAKE_ROLE.format(statement=f"CREATE ROLE {role} NOLOGIN")))
    of_nation = [province_role(each.code) for each in provinces()]
    if not set(of_nation) <= set(connection.execute(text(_GROUPS), {"role": NATION}).scalars()):
        connection.execute(text(f"GRANT {', '.join(of_nation)} TO {NATION}"))


_MAY_MAKE_ROLES = "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
# Roles belong to the whole server: another database's migration may make the same one at this moment.
_MAKE_ROLE = """
DO $$ BEGIN {statement}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""
_GROUPS = """
SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
WHERE r.rolname = :role
"""


def _drop_defaults(connection: Connection) -> None:
    """Takes back what earlier versions gave on tables to come: a partition is open to nobody but through its table."""
    values = {"roles": list(all_roles()), "schemas": list(SCHEMAS)}
    for schema, role in connection.execute(text(_DEFAULTS), values).all():
        connection.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON TABLES FROM {role}"))


_DEFAULTS = """
SELECT DISTINCT n.nspname, r.rolname FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) e JOIN pg_roles r ON r.oid = e.grantee
WHERE d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
  AND n.nspname = ANY(:schemas) AND r.rolname = ANY(:roles) AND d.defaclobjtype = 'r'
"""
