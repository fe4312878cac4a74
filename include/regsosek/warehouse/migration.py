"""Bringing a database to the present schema: Alembic run from code, schemas, partitions per province, roles."""

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Table, inspect, text
from sqlalchemy.schema import CreateColumn

from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import provinces
from regsosek.staging.pseudonyms import HashKeys
from regsosek.warehouse.access.closed_functions import close_functions
from regsosek.warehouse.access.rights import apply_rights
from regsosek.warehouse.access.row_security import make_functions, secure_rows
from regsosek.warehouse.hashes.rekeying import key_hashes
from regsosek.warehouse.tables import SCHEMAS, core_tables, identity_tables, metadata, stream_tables
from regsosek.wording.nouns import counted

log = logging.getLogger(__name__)

# Advisory lock of migrations: two starting services may both try.
MIGRATION_LOCK = 0x5245_4754
PARTITION = re.compile(r"_p[0-9]{2}(_[0-9]{8})?(_|$)")


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration on an open connection; there is no ini file to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine, keys: HashKeys | None = None) -> list[str]:
    """Creates the schemas, brings every table to the newest revision and the rights to it; runs any number of times.

    The account must own the schemas, and may make roles.

    Args:
        keys: of the keyed hashes: what an earlier version hashed without any is hashed anew. Without them that is left
            as it is, and no night is received on top of it.

    Returns:
        the columns that the codebook has and the tables lacked until now, as ``schema.table.column``.
    """
    with engine.begin() as connection:
        _wait_for_turn(connection)
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        command.upgrade(alembic_config(connection), "head")
        ensure_province_partitions(connection, [province.code for province in provinces()])
    grown = [column for table in _derived() for column in _grow(engine, table)]
    with engine.begin() as connection:
        _wait_for_turn(connection)
        apply_rights(connection)
        close_functions(connection)
        make_functions(connection, sorted(BY_NIGHT))
        secure_rows(connection)
    if keys is not None:
        key_hashes(engine, keys)
    return grown


def ensure_current(engine: Engine, keys: HashKeys | None = None) -> None:
    """Migrates where the account owns the warehouse; where it does not, somebody who does must have.

    Raises:
        ConfigurationError: the schema is another one than this version's, and this account may not change it.
    """
    with engine.connect() as connection:
        owner = connection.execute(text(_OWNS), {"schemas": list(SCHEMAS)}).scalar_one()
        standing, newest = standing_revision(connection), newest_revision(connection)
        lacking = [] if owner or standing != newest else [name for t in _derived() for name in _missing(connection, t)]
    if owner:
        migrate(engine, keys)
    elif standing != newest or lacking:
        told = (
            f"lacks {counted(len(lacking), 'column', 'columns')}"
            if lacking
            else f"is at {standing or 'nothing'}, not at {newest}"
        )
        raise ConfigurationError(f"the warehouse {told}: run `regsosek migrate` with REGSOSEK_WAREHOUSE_OWNER_URL")


_OWNS = """
SELECT coalesce(bool_and(pg_has_role(nspowner, 'USAGE')), has_database_privilege(current_database(), 'CREATE'))
FROM pg_namespace WHERE nspname = ANY(:schemas)
"""


def standing_revision(connection: Connection) -> str | None:
    """The revision that the warehouse is at; none where it has no schema of ours."""
    if connection.execute(text("SELECT to_regnamespace('ledger')")).scalar() is None:
        return None
    return MigrationContext.configure(connection, opts={"version_table_schema": "ledger"}).get_current_revision()


def newest_revision(connection: Connection) -> str | None:
    """The revision that this version's tables are at."""
    return ScriptDirectory.from_config(alembic_config(connection)).get_current_head()


def _derived() -> Iterable[Table]:
    """The tables whose columns are the codebook's."""
    return (*core_tables.values(), *identity_tables.values(), *stream_tables.values())


def _wait_for_turn(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})


def _grow(engine: Engine, table: Table) -> list[str]:
    """Adds the variables that the codebook has and ``table`` lacks; one that was retired stays.

    A transaction of its own for each table: adding a column locks every partition, and the server counts locks.
    """
    with engine.begin() as connection:
        _wait_for_turn(connection)
        missing = _missing(connection, table)
        if missing:
            added = ", ".join(f"ADD COLUMN {CreateColumn(column).compile(connection)}" for column in missing.values())
            connection.execute(text(f"ALTER TABLE {table.fullname} {added}"))
            log.info("added from the codebook: %s", ", ".join(missing))
    return list(missing)


def _missing(connection: Connection, table: Table) -> dict[str, Column[Any]]:
    """The columns that the codebook has and ``table`` lacks, by ``schema.table.column``."""
    standing = {column["name"] for column in inspect(connection).get_columns(table.name, table.schema)}
    return {
        f"{table.fullname}.{column.name}": column
        for column in table.columns
        if column.nullable and column.name not in standing
    }


def is_partition(name: str) -> bool:
    """Whether a table or index of that name belongs to a partition of a province or night."""
    return PARTITION.search(name) is not None


def ensure_province_partitions(connection: Connection, codes: Sequence[str]) -> None:
    """Makes the partitions of the provinces ``codes``; done while migrating, for it locks the whole tables."""
    for table in partitioned_tables():
        by_night = "PARTITION BY LIST (night)" if table in BY_NIGHT else ""
        for province in codes:
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {table}_p{province} PARTITION OF {table} "
                    f"FOR VALUES IN ('{province}') {by_night}"
                )
            )


def ensure_night_partitions(connection: Connection, province: str, night: date) -> None:
    """Lets the owner make the partitions of ``night`` in the tables of answers of ``province``.

    A partition is built aside and then attached, which locks its own province's parent for an instant only: two
    provinces never wait for each other.
    """
    statement = text("SELECT core.make_night_partitions(:province, :night)")
    connection.execute(statement, {"province": province, "night": night})


BY_NIGHT = {
    "core.keluarga", "core.anggota", "restricted.keluarga_identity", "restricted.anggota_identity",
    "restricted.quarantined", "quality.reason",
}  # fmt: skip


def partitioned_tables() -> Iterable[str]:
    """The tables split by province, as ``schema.name``."""
    return (
        f"{table.schema}.{table.name}"
        for table in metadata.sorted_tables
        if table.dialect_options["postgresql"]["partition_by"]
    )
