"""Nights that a module makes once, given to each of its tests as they were made."""

from collections.abc import Callable

from psycopg import sql

from field_world import FieldWorld
from regsosek.local.postgres import PostgresServer

_KEPT = "kept_for_tests"


def keep_state(world: FieldWorld, server: PostgresServer) -> Callable[[], None]:
    """Copies the warehouse of ``world`` as it is now; what is returned brings it back to that. Buckets stay."""
    database = str(world.house.engine.url.database)
    _copy(world, server, database, _KEPT)
    return lambda: _copy(world, server, _KEPT, database)


def _copy(world: FieldWorld, server: PostgresServer, of: str, to: str) -> None:
    # A database is copied and dropped only while nobody is connected to it.
    for engine in (world.house.engine, *world.house.accounts.values()):
        engine.dispose()
    names = {"of": sql.Identifier(of), "to": sql.Identifier(to)}
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {to} WITH (FORCE)").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {to} TEMPLATE {of} STRATEGY FILE_COPY").format(**names))
