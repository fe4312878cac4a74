"""Everything that nights leave behind, without its clocks: where two runs are equal here, they did the same."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from psycopg import sql

from local_services.postgres import PostgresServer
from regsosek.landing.archive import list_receipts
from regsosek.warehouse.tables import identity_tables, stream_tables
from support.worlds.field_world import FieldWorld

TABLES = (
    "core.kasus", "core.keluarga", "core.anggota", "core.kasus_terkini", "quality.reason", "quality.rule_result",
    "quality.error_share", "quality.error_region",
    "restricted.quarantined",
    "restricted.untyped_value", "mart.change", "mart.total", "mart.province_day", "mart.region_day", "mart.arrivals",
    "mart.province_arrivals", "mart.refreshed", "ledger.delivery",
    "ledger.delivery_count", "ledger.former_state", "ledger.seal", "ledger.event", "ledger.repair",
    "ledger.replacement",
    *(table.fullname for table in (*stream_tables.values(), *identity_tables.values())),
)  # fmt: skip
# When something was done, and the number that it got, is all that two runs may differ in.
CLOCKS = "{at,registered_at,decided_at,sealed_at,id}"


def contents(world: FieldWorld, nights: Iterable[date]) -> dict[str, list[str]]:
    """Every row of every table that receiving writes, sorted; and the receipts of ``nights``."""
    query = 'SELECT (to_jsonb(t) - CAST(:clocks AS text[]))::text COLLATE "C" FROM {} t ORDER BY 1'
    found = {name: [row for (row,) in world.rows(query.format(name), clocks=CLOCKS)] for name in TABLES}
    archive = world.resources.settings.archive_bucket
    receipts = [r for night in nights for r in list_receipts(world.resources.store, archive, night=night)]
    return found | {"receipts": [r.model_dump_json(exclude={"registered_at"}) for r in receipts]}


def on_landing(world: FieldWorld, bucket: str) -> FieldWorld:
    """The same world, reading its deliveries from ``bucket``."""
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"landing_bucket": bucket})
    )
    return world


def lose_warehouse(world: FieldWorld, server: PostgresServer, scratch: Path) -> None:
    """Drops the database and makes it anew with nothing in it but reference data."""
    name = world.resources.engine.url.database
    assert name is not None
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    server.ensure_database(name)
    world.prepare(scratch)
