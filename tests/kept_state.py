"""Warehouses as they were: nights that a module makes once are given to each of its tests as they were made."""

from collections.abc import Callable

from psycopg import sql

from field_world import FieldWorld
from local_services.postgres import PostgresServer

_KEPT = "kept_for_tests"


def keep_state(world: FieldWorld, server: PostgresServer) -> Callable[[], None]:
    """Copies the warehouse of ``world`` as it is now; what is returned brings it back to that. Buckets stay."""
    database = str(world.house.engine.url.database)
    _copy(world, server, database, _KEPT)
    return lambda: _copy(world, server, _KEPT, database)


def copy_database(server: PostgresServer, of: str, to: str) -> None:
    """Makes ``to`` a copy of ``of``, which nobody may be connected to; what ``to`` was is gone."""
    names = {"of": sql.Identifier(of), "to": sql.Identifier(to)}
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {to} WITH (FORCE)").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {to} TEMPLATE {of} STRATEGY FILE_COPY").format(**names))


def _copy(world: FieldWorld, server: PostgresServer, of: str, to: str) -> None:
    for engine in (world.house.engine, *world.house.accounts.values()):
        engine.dispose()
    copy_database(server, of, to)
