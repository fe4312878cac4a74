"""Names of tables and columns that earlier releases had: they can be read on, and old files are published once more.

``renamed.csv`` is the one place; when its lines are deleted, the old names are gone. The first release under new names
tells of them and has the old files beside the new ones; the releases after it have and tell nothing. A column that got
a new name in a table of the same name has no old file: two columns of one meaning would be worse than a name that is
no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from regsosek.geography.reference_table import read_table

_FILE = Path(__file__).with_name("renamed.csv")
_COLUMNS = ("table", "column", "former_table", "former_column")


@dataclass(frozen=True)
class Renamed:
    """A table, or a column of it, under another name than before; of a table both columns are empty."""

    table: str
    column: str
    former_table: str
    former_column: str


@cache
def renamed() -> tuple[Renamed, ...]:
    """All of them, each table before its columns."""
    return tuple(Renamed(**row) for row in read_table(_FILE, _COLUMNS))


@cache
def former_tables() -> dict[str, str]:
    """The former name of each table that had another one."""
    return {each.table: each.former_table for each in renamed() if not each.column}


def former_columns(table: str) -> dict[str, str]:
    """By their names of today the former names of the columns of ``table``."""
    return {each.column: each.former_column for each in renamed() if each.column and each.table == table}


def renamed_since(manifest: Mapping[str, Any]) -> tuple[Renamed, ...]:
    """What has another name than in the release of ``manifest``, which readers saw before."""
    files = {file["name"] for file in manifest["files"]}
    columns = manifest.get("definitions", {})

    def is_new(each: Renamed) -> bool:
        if each.column:
            return each.column not in columns
        return each.former_table in files and each.table not in files

    return tuple(each for each in renamed() if is_new(each))


def under_former_names(tables: Mapping[str, bytes], told: Iterable[Renamed]) -> dict[str, bytes]:
    """The tables that ``told`` tells of as they were called before, under their old headers."""
    own = [each for each in told if not each.column]
    return {each.former_table: _headed(tables[each.table], former_columns(each.table)) for each in own}


def with_names_of_today(table: str, content: bytes) -> bytes:
    """The CSV bytes of ``table``, perhaps of an older release, under the headers of today."""
    return _headed(content, {former: column for column, former in former_columns(table).items()})


def _headed(content: bytes, names: Mapping[str, str]) -> bytes:
    header, line_end, rows = content.partition(b"\n")
    columns = header.decode().split(",")
    return ",".join(names.get(column, column) for column in columns).encode() + line_end + rows
