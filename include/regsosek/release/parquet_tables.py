"""Every published table as Parquet: the same rows as its CSV file, with types."""

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.release.schema import typed


def parquet_name(table: str) -> str:
    """``provinsi.csv`` as ``provinsi.parquet``."""
    return table.removesuffix(".csv") + ".parquet"


def parquet_files(tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Parquet file of each CSV table, by name."""
    return {parquet_name(name): parquet_bytes(typed(name, content)) for name, content in tables.items()}


def parquet_bytes(table: pa.Table) -> bytes:
    """``table`` as Parquet; the bytes depend on its rows and on the locked pyarrow alone."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", version="2.6")
    return buffer.getvalue()
