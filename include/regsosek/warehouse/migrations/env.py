"""Alembic's entry: runs the migrations on the connection that the caller hands over."""

from typing import Any

from alembic import context

from regsosek.warehouse.migration import is_partition
from regsosek.warehouse.tables import SCHEMAS, metadata


def include_name(name: str | None, type_: str, _parents: Any) -> bool:
    """Looks at our schemas alone; the same server may hold Airflow's tables in others."""
    return name in SCHEMAS if type_ == "schema" else True


def include_object(_object: Any, name: str | None, type_: str, reflected: bool, _compared: Any) -> bool:
    """Partitions come and go with provinces and nights; only their parents are migrated."""
    return not (type_ in {"table", "index"} and reflected and name is not None and is_partition(name))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    include_name=include_name,
    include_object=include_object,
    compare_type=True,
    version_table_schema="ledger",
)
with context.begin_transaction():
    context.run_migrations()
