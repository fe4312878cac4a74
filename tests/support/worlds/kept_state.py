"""Warehouses as they were: nights that a module makes once are given to each of its tests as they were made."""

from collections.abc import Callable, Mapping

from psycopg import sql

from local_services.postgres import PostgresServer
from regsosek.landing.store import Store
from support.worlds.field_world import FieldWorld

_KEPT = "kept_for_tests"


def keep_state(world: FieldWorld, server: PostgresServer) -> Callable[[], None]:
    """Copies the warehouse of ``world`` as it is now; what is returned brings it back to that. Buckets stay."""
    database = str(world.resources.engine.url.database)
    _copy(world, server, database, _KEPT)
    return lambda: _copy(world, server, _KEPT, database)


def keep_all(world: FieldWorld, server: PostgresServer) -> Callable[[], None]:
    """The same with the buckets: what was written there since goes, what was changed or deleted comes back."""
    restore_warehouse, resources = keep_state(world, server), world.resources
    settings = resources.settings
    buckets = (settings.landing_bucket, settings.archive_bucket, settings.release_bucket)
    kept = {bucket: _contents(resources.store, bucket) for bucket in buckets}

    def restore() -> None:
        restore_warehouse()
        world.resources = resources
        for bucket, objects in kept.items():
            _put_back(resources.store, bucket, objects)

    return restore


def _contents(store: Store, bucket: str) -> dict[str, tuple[str, bytes]]:
    """By key the tag and the bytes of every object."""
    found = list(store.list_objects(bucket, ""))
    return {each.key: (each.etag, store.get_bytes(bucket, each.key, max_bytes=each.size) or b"") for each in found}


def _put_back(store: Store, bucket: str, objects: Mapping[str, tuple[str, bytes]]) -> None:
    lying = {each.key: each.etag for each in store.list_objects(bucket, "")}
    for key in lying.keys() - objects.keys():
        store.delete(bucket, key)
    for key, (etag, content) in objects.items():
        if lying.get(key) != etag:
            store.put_bytes(bucket, key, content)


def copy_database(server: PostgresServer, of: str, to: str) -> None:
    """Makes ``to`` a copy of ``of``, which nobody may be connected to; what ``to`` was is gone."""
    names = {"of": sql.Identifier(of), "to": sql.Identifier(to)}
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {to} WITH (FORCE)").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {to} TEMPLATE {of} STRATEGY FILE_COPY").format(**names))


def _copy(world: FieldWorld, server: PostgresServer, of: str, to: str) -> None:
    for engine in (world.resources.engine, *world.resources.accounts.values()):
        engine.dispose()
    copy_database(server, of, to)
