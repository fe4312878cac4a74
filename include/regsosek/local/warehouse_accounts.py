"""The accounts of the local warehouse: its owner, and one for each part of the pipeline (docs/security.md)."""

from urllib.parse import quote

from psycopg import Connection, sql

from local_services.loopback import HOST
from local_services.postgres import PostgresServer
from local_services.private_files import kept_secret
from regsosek.settings import PARTS, Part
from regsosek.warehouse.access.closed_functions import closing
from regsosek.warehouse.tables import SCHEMAS

ACCOUNT_PREFIX = "regsosek"  # alone, the superuser of the local server
BASE: Part = "loader"  # whose account asks where no part is named


def account_url(server: PostgresServer, database: str, part: Part) -> str:
    """SQLAlchemy URL of ``database`` for the account of ``part``, with the password in it."""
    account, password = _account(part), _password(server, part)
    return f"postgresql+psycopg://{account}:{quote(password)}@{HOST}:{server.port}/{database}"


def accounts_environment(server: PostgresServer, database: str) -> dict[str, str]:
    """The variables that name the warehouse: for whoever asks, and for each part."""
    own = {f"REGSOSEK_WAREHOUSE_{part.upper()}_URL": account_url(server, database, part) for part in PARTS}
    return {"REGSOSEK_WAREHOUSE_URL": account_url(server, database, BASE), **own}


def ensure_accounts(server: PostgresServer) -> None:
    """Makes the accounts, or gives those that a migration made their passwords."""
    with server.connect() as connection:
        for part in PARTS:
            _ensure_account(connection, part, _password(server, part))


def ensure_owner(server: PostgresServer, database: str) -> None:
    """Gives the owner's account ``database`` and all of our schemas in it, whoever made them; closes it to others."""
    with server.connect(database) as connection:
        owner = _account("owner")
        to_owner = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), sql.Identifier(owner))
        connection.execute(to_owner)
        found = connection.execute(_FOREIGN, {"schemas": list(SCHEMAS), "owner": owner}).fetchall()
        for (statement,) in found:
            connection.execute(statement)
        connection.execute(closing().encode())


def _account(part: Part) -> str:
    return f"{ACCOUNT_PREFIX}_{part}"


def _password(server: PostgresServer, part: Part) -> str:
    return kept_secret(server.folder / f"password-{part}")


def _ensure_account(connection: Connection, part: Part, password: str) -> None:
    account = sql.Identifier(_account(part))
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_account(part)]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(account))
    may = sql.SQL("CREATEROLE" if part == "owner" else "NOCREATEROLE")
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(account, may, password))


# Sequences go with the tables that they number.
_FOREIGN = """
WITH ours AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
SELECT format('ALTER SCHEMA %%I OWNER TO %%I', nspname, %(owner)s::text) FROM ours
WHERE pg_get_userbyid(nspowner) <> %(owner)s
UNION ALL
SELECT format('ALTER %%s %%I.%%I OWNER TO %%I', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, nspname, relname,
              %(owner)s::text)
FROM pg_class c JOIN ours n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v') AND pg_get_userbyid(relowner) <> %(owner)s
UNION ALL
SELECT format('ALTER FUNCTION %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s::text)
FROM pg_proc p JOIN ours n ON n.oid = pronamespace WHERE pg_get_userbyid(proowner) <> %(owner)s
"""
