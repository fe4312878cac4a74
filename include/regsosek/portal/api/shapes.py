"""The shapes of published tables for the OpenAPI document and for reading queries, made of their definitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, create_model

from regsosek.geography.reference_table import read_table
from regsosek.geography.regions import Level
from regsosek.portal.api.responses import Envelope, Paging, ProvinceCode, RegionCode, Shape, Unset
from regsosek.release.figures.schema import GLOSSARY_COLUMNS, Kind, key_of, kind_of
from regsosek.release.files.tables import REGION_TABLES, TABLE_FIELDS
from regsosek.statistics.definitions.definitions import definitions, needed_beside
from regsosek.statistics.streams.clocks import streams

_FILE = Path(__file__).with_name("tables.csv")
_PYTHON: Mapping[Kind, Any] = {"text": str | None, "date": date | None, "count": int | None, "number": float | None}
_CONTEXT = ("night", "data_until", "scale", "missing")
RELEASE_ID = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{12}$"
ReleaseId = Annotated[
    str,
    Field(
        pattern=RELEASE_ID,
        examples=["2022-10-23-c4557882ba43"],
        description="id of a release",
    ),
]
# By these columns the rows of a table can be chosen, where it has them.
_FILTERS: Mapping[str, Any] = {
    "code": RegionCode,
    "parent_code": RegionCode,
    "region_level": Level,
    "day": date,
    "arrival_night": date,
    "measure": Annotated[str, Field(pattern=r"^[a-z_]{1,60}$", description="a column of the tables of regions")],
    "stream": Literal[tuple(stream.name.id for stream in streams().values())],
}
REGION_FILTERS = ("code", "parent_code")


class TableQuery(Paging):
    """What rows and columns of a published table are asked for; the tables' own filters stand in subclasses."""

    release: ReleaseId | Unset = None
    provinsi: ProvinceCode | Unset = None

    @property
    def columns_asked(self) -> list[str]:
        """The columns asked for, all if empty."""
        return list(getattr(self, "kolom", ()))


@dataclass(frozen=True)
class TablePath:
    """A path that answers with one published table."""

    path: str
    table: str
    summary: str


@cache
def table_paths() -> tuple[TablePath, ...]:
    """The tables that have a path of their own; those of regions stand under ``figures``."""
    return tuple(TablePath(**row) for row in read_table(_FILE, ("path", "table", "summary")))


def columns_of_table(name: str) -> list[str]:
    """The columns of a published table."""
    return [definitions()[field].column for field in TABLE_FIELDS[name]]


def shown_columns(name: str, asked: Sequence[str]) -> list[str]:
    """The columns that an answer has: key, context, what is asked for, and whatever a share is never told without."""
    if not asked:
        return columns_of_table(name)
    by_column = {each.column: each for each in definitions().values()}
    shares = [by_column[column] for column in asked if by_column[column].is_share]
    beside = [field for share in shares for field in needed_beside(share)]
    named = {"name", "status", *_CONTEXT, *beside}
    kept = {*key_of(name), *asked, *(definitions()[field].column for field in named)}
    return [column for column in columns_of_table(name) if column in kept]


def filter_columns(fields: Sequence[str]) -> list[str]:
    """The columns by which rows of a table with these fields can be chosen."""
    return [definitions()[field].column for field in _FILTERS if field in fields]


def query_model(name: str, fields: Sequence[str], **further: Any) -> type[TableQuery]:
    """What can be asked of a table with these fields."""
    made: dict[str, Any] = {
        definitions()[field].column: (_FILTERS[field] | Unset, None) for field in _FILTERS if field in fields
    }
    columns = tuple(definitions()[field].column for field in fields if field not in _CONTEXT)
    described: Any = Field(default_factory=list, description="only these columns, and what must stand beside them")
    made["kolom"] = (list[Literal[columns]], described)  # type: ignore[valid-type]  # known when the module is loaded
    return create_model(f"{name}Query", __base__=TableQuery, **made, **further)


def envelope_model(name: str, fields: Sequence[str]) -> type[Shape]:
    """A page of rows with some of these fields."""
    made: dict[str, Any] = {definitions()[field].column: _column(field) for field in fields}
    row = create_model(name, __base__=Shape, **made)
    return cast("type[Shape]", Envelope.__class_getitem__(row))


def _column(field: str) -> Any:
    of = definitions()[field]
    described = Field(None, title=of.name.id, description=f"{of.definition.en} [{of.unit}]")
    return _PYTHON[kind_of(of)], described


def region_fields() -> tuple[str, ...]:
    """Every field that a table of regions has, at any level."""
    return tuple(dict.fromkeys(field for name in REGION_TABLES for field in TABLE_FIELDS[name]))


_GLOSSARY: dict[str, Any] = {
    column: (str | None, Field(None, title=title, description=described))
    for column, (title, described) in GLOSSARY_COLUMNS.items()
}
Glossary = create_model("Definition", __base__=Shape, **_GLOSSARY)
