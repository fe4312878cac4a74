"""What staging asks of the reference data of one province: tables of the engine, filled from CSV."""

from pathlib import Path
from typing import Final

import duckdb

# By table of the engine: its columns, in the order of the CSV.
REFERENCE_TABLES: Final = {
    "frame": {"id_subsls": "VARCHAR", "id_desa": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE"},
    "psls": {"id_subsls_lama": "VARCHAR", "id_subsls_baru": "VARCHAR", "status": "SMALLINT", "valid_from": "DATE"},
    "region": {"code": "VARCHAR", "level": "VARCHAR"},
}


def fill_reference_table(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> int:
    """Makes ``table`` of the CSV at ``path``, which has a header, and returns its number of rows."""
    connection.execute(
        f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}', auto_detect = false, header = true, "
        f"columns = {REFERENCE_TABLES[table]})"
    )
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(rows)
