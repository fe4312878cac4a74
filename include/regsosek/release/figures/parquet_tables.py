"""Every published table as Parquet: the same rows as its CSV file, with types."""

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.release.figures.imprint import About
from regsosek.release.figures.schema import typed


def parquet_name(table: str) -> str:
    """``provinsi.csv`` as ``provinsi.parquet``."""
    return table.removesuffix(".csv") + ".parquet"


def parquet_files(about: About, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Parquet file of each CSV table, by name; its metadata say what release it is of."""
    told = about_table(about)
    return {
        parquet_name(name): parquet_bytes(typed(name, content).replace_schema_metadata(told))
        for name, content in tables.items()
    }


def about_table(about: About) -> dict[str, str]:
    """What the metadata of each file say of the release, so that a file that travels alone still says it."""
    return {
        "title": about.title("id"),
        "night": about.version,
        "scale": f"{about.scale:g}",
        "simulated": str(about.simulated).lower(),
        "incomplete_provinces": "; ".join(about.missing),
        "publisher": about.imprint.publisher,
        "contact": about.imprint.contact,
        "licence": about.imprint.licence,
        "citation": about.citation("en"),
    }


def parquet_bytes(table: pa.Table) -> bytes:
    """``table`` as Parquet; the bytes depend on its rows and on the locked pyarrow alone."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", version="2.6")
    return buffer.getvalue()
