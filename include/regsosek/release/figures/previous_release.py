"""The release that readers saw before: what it said of every region, read from its own immutable files."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from regsosek.errors import ObjectStoreError
from regsosek.landing.store import Store
from regsosek.release.figures.parquet_tables import parquet_name
from regsosek.release.figures.renamed import former_tables, with_names_of_today
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import published_release

REGION_FILES = ("nasional.csv", "provinsi.csv", "kabkota.csv", "kecamatan.csv", "desa.csv")
_TEXTS = {definitions()[field].column: str for field in ("code", "parent_code")}


@dataclass(frozen=True)
class FormerRelease:
    """A published release, as it was published.

    Attributes:
        as_of: its night, and the night that each province stood at.
        manifest: its ``manifest.json``.
    """

    release_id: str
    as_of: AsOf
    prefix: str
    content_hash: str
    published_at: datetime
    manifest: Mapping[str, Any]

    @property
    def reference(self) -> Mapping[str, str]:
        """The version of each reference dataset that it was counted by."""
        return dict(self.manifest["versions"].get("reference", {}))

    @property
    def missing(self) -> tuple[str, ...]:
        """Codes of the provinces that it named as not whole."""
        return tuple(each["code"] for each in self.manifest["missing"])


def former_release(connection: Connection, night: date) -> FormerRelease | None:
    """What was published last of the newest night before ``night`` and not rolled back; ``None`` if nothing was."""
    table = published_release.c
    query = select(published_release).where(table.night < night, table.rolled_back_at.is_(None))
    found = connection.execute(query.order_by(table.night.desc(), table.published_at.desc()).limit(1)).first()
    return None if found is None else _release(found)


def last_release(connection: Connection, night: date) -> FormerRelease | None:
    """What was published last of the newest night up to ``night``, rolled back or not; ``None`` if nothing was."""
    table = published_release.c
    query = select(published_release).where(table.night <= night)
    found = connection.execute(query.order_by(table.night.desc(), table.published_at.desc()).limit(1)).first()
    return None if found is None else _release(found)


def releases_of(connection: Connection, night: date) -> list[FormerRelease]:
    """Everything that was published of ``night``, the last one first."""
    table = published_release.c
    query = select(published_release).where(table.night == night).order_by(table.published_at.desc())
    return [_release(found) for found in connection.execute(query)]


def published_table(store: Store, bucket: str, release: FormerRelease, name: str) -> pd.DataFrame:
    """A table of a release, columns under the names of ``definitions``; codes and days as text, empty cells missing.

    Of a release that was thinned out (``release/lifecycle/thinning.py``) the Parquet files of region tables are read.

    Raises:
        ObjectStoreError: the file is not there, or is not what the manifest says.
    """
    content = _content(store, bucket, release, _name_in(release, name))
    if content is None:
        frame = _from_parquet(store, bucket, release, parquet_name(name))
    else:
        frame = pd.read_csv(
            io.BytesIO(with_names_of_today(name, content)), dtype=_TEXTS, keep_default_na=False, na_values=[""]
        )
    return frame.rename(columns={each.column: field for field, each in definitions().items()})


def published_regions(store: Store, bucket: str, release: FormerRelease) -> pd.DataFrame:
    """What a release says of every region that it tells of, all levels in one table: index code."""
    tables = [published_table(store, bucket, release, name) for name in REGION_FILES]
    return pd.concat(tables, ignore_index=True).set_index("code")


def _name_in(release: FormerRelease, name: str) -> str:
    """Under which name a release that may be older than the table's name of today has it."""
    return name if any(file["name"] == name for file in release.manifest["files"]) else former_tables().get(name, name)


def _from_parquet(store: Store, bucket: str, release: FormerRelease, name: str) -> pd.DataFrame:
    content = _content(store, bucket, release, name)
    if content is None:
        raise ObjectStoreError(f"{bucket}/{release.prefix}{name} is not the published file (bring the release back)")
    table = pq.read_table(io.BytesIO(content))
    days = [field.name for field in table.schema if pa.types.is_date(field.type)]
    frame: pd.DataFrame = table.to_pandas()
    return frame.astype(dict.fromkeys(days, "str"))


def _content(store: Store, bucket: str, release: FormerRelease, name: str) -> bytes | None:
    """The published file; ``None`` where it is not there or of another size."""
    sizes = {file["name"]: int(file["bytes"]) for file in release.manifest["files"]}
    found = store.get_bytes(bucket, release.prefix + name, max_bytes=sizes.get(name, 0) + 1) if name in sizes else None
    return found if found is not None and len(found) == sizes[name] else None


def _release(row: Any) -> FormerRelease:
    nights = {code: date.fromisoformat(night) for code, night in sorted(row.manifest["as_of"].items())}
    as_of = AsOf(row.night, nights)
    return FormerRelease(row.release_id, as_of, row.prefix, row.content_hash, row.published_at, row.manifest)
