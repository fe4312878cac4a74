"""Which published number is asked for, in whatever table it stands: its region, its measure, and its row.

Every refusal names the choices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from regsosek.asking.figures.published_figure import known_region, release_of_night, shown_names
from regsosek.errors import UnknownFigureError
from regsosek.geography.regions import Level
from regsosek.landing.store import Store
from regsosek.release.figures.previous_release import FormerRelease, published_table
from regsosek.release.figures.schema import tables_of_regions
from regsosek.release.files.tables import REGION_TABLES
from regsosek.statistics.definitions.definitions import Definition, definitions
from regsosek.statistics.definitions.origins import made_of


@dataclass(frozen=True)
class AskedNumber:
    """A number of a release.

    Attributes:
        release: the one that was published last of its night; ``releases``: how many were.
        file: the published table that it stands in.
        row: what names its row besides the region, by field.
        value: as published; None where the table leaves the region out, or its cell empty.
    """

    code: str
    level: Level
    name: str
    night: date
    measure: Definition
    release: FormerRelease
    releases: int
    file: str
    row: Mapping[str, str]
    value: str | None

    @property
    def day(self) -> date | None:
        """The day of enumeration that its row is of."""
        return date.fromisoformat(self.row["day"]) if "day" in self.row else None


def asked_number(
    connection: Connection, store: Store, bucket: str, region: str, measure: str, night: date, row: Mapping[str, str]
) -> AskedNumber:
    """The published number that is meant.

    Args:
        measure: a field or a published column, as ``docs/glossary.md`` lists them.
        row: what names the row where a table has several of a region, by field or published column.

    Raises:
        UnknownFigureError: nothing was published of the night, or it has no such region, number or row.
    """
    release, releases = release_of_night(connection, night)
    level, name = known_region(connection, region)
    field = _number(measure)
    chosen = {_field(column): value for column, value in row.items()}
    file, table = _table(store, bucket, release, level, field, chosen)
    only = _only(_rows_of(table[table["code"] == region], chosen, file), file)
    found = (region, level, name, night, definitions()[field], release, releases, file)
    keys = {key: str(only[key]) for key in _keys(file)} if only is not None else chosen
    return AskedNumber(*found, row=keys, value=None if only is None else _text(only[field]))


def _field(name: str) -> str:
    for each in definitions().values():
        if name in {each.field, each.column}:
            return each.field
    raise UnknownFigureError(f"{name!r} is no published column; docs/glossary.md lists them")


def _number(measure: str) -> str:
    field = _field(measure)
    if not made_of(definitions()[field]):
        raise UnknownFigureError(f"{measure!r} is a word or a key, not a number; docs/glossary.md lists the numbers")
    return field


def _table(
    store: Store, bucket: str, release: FormerRelease, level: Level, field: str, row: Mapping[str, str]
) -> tuple[str, pd.DataFrame]:
    """The first table with the column and the columns that name the row; that of the region's level before all."""
    for file in _tables(level):
        table = published_table(store, bucket, release, file)
        if {field, *row} <= set(table.columns):
            return file, table
    words = "".join(f" by {definitions()[each].column}" for each in row)
    public = definitions()[field].lowest_level
    raise UnknownFigureError(f"no table tells {field} of {level}{words}; it is public down to {public}")


def _tables(level: Level) -> Iterator[str]:
    yield f"{level}.csv"
    yield from (file for file in tables_of_regions() if file not in REGION_TABLES)


def _rows_of(rows: pd.DataFrame, row: Mapping[str, str], file: str) -> pd.DataFrame:
    for field, value in row.items():
        found = rows[rows[field].astype("str") == value]
        if found.empty:
            there = shown_names(sorted({str(each) for each in rows[field]}, reverse=True))
            raise UnknownFigureError(f"{file} has no {definitions()[field].column} {value}; it has {there or 'none'}")
        rows = found
    return rows


def _keys(file: str) -> list[str]:
    """What names a row of a table besides the region."""
    return [name for name in tables_of_regions()[file] if name != "code"]


def _only(rows: pd.DataFrame, file: str) -> "pd.Series[Any] | None":
    if len(rows) > 1:
        said = ((definitions()[key].column, shown_names(map(str, rows[key].unique()))) for key in _keys(file))
        choices = "; ".join(f"{column}={values}" for column, values in said)
        raise UnknownFigureError(f"{file} has several rows of this region; name one with --row: {choices}")
    return None if rows.empty else rows.iloc[0]


def _text(value: Any) -> str | None:
    if pd.isna(value):
        return None
    return f"{value:g}" if isinstance(value, float) and value == round(value) else str(value)
