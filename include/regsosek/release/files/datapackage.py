"""``datapackage.json``: the CSV tables of a release described for machines, by the Frictionless standard (v1).

Version 1 is what today's readers know; a package of it is valid for readers of version 2. It tells no figure of any
region, so that whoever may see any of the release may see it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from regsosek.release.figures.imprint import About
from regsosek.release.figures.schema import REGIONS, Column, Kind, columns_of, key_of, region_columns
from regsosek.release.files.code_lists import code_lists
from regsosek.release.files.offered import offered_files
from regsosek.wording import Language

NAME = "datapackage.json"
_TYPES: Mapping[Kind, str] = {"text": "string", "date": "date", "count": "integer", "number": "number"}
_DIALECT = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "header": True, "lineTerminator": "\n"}


def datapackage(about: About, tables: Mapping[str, bytes]) -> bytes:
    """The description of ``tables`` (CSV bytes by name): nothing in it tells when it was made."""
    content = {
        "profile": "tabular-data-package",
        "name": f"regsosek-{about.version}",
        **_told(about),
        "resources": [_resource(name, data) for name, data in tables.items()],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _told(about: About) -> dict[str, Any]:
    """What the release says of itself; ``created`` is until when data count (``imprint.About.created``)."""
    own = about.imprint
    return {
        "title": about.title("id"),
        "title_en": about.title("en"),
        "description": _description(about, "id"),
        "description_en": _description(about, "en"),
        "version": about.version,
        "created": about.created.isoformat(),
        "homepage": own.homepage,
        "licenses": [{"name": own.licence, "title": own.licence_title, "path": own.licence_url}],
        "contributors": [
            {"title": own.publisher, "email": own.contact, "path": own.homepage, "role": "publisher"},
            {"title": own.unit, "email": own.contact, "role": "contributor"},
        ],
        "sources": [{"title": own.activity, "path": own.homepage, "email": own.contact}],
        "citation": about.citation("id"),
        "citation_en": about.citation("en"),
        "simulated": about.simulated,
        "disclosure": about.disclosed.document,
        "scale": about.scale,
        "next_release": about.next_release("id"),
        "next_release_en": about.next_release("en"),
        "limits": about.limits("id"),
        "limits_en": about.limits("en"),
    }


def _description(about: About, language: Language) -> str:
    tables = {
        "id": "Tabel CSV satu rilis; tabel yang sama dengan tipe data: nama berkas berakhiran .parquet.",
        "en": "The CSV tables of one release; the same tables with types: the file of that name ending in .parquet.",
    }
    return f"{about.nature(language)}. {tables[language]}"


def _resource(name: str, data: bytes) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": name.removesuffix(".csv"),
        "path": name,
        "title": offered_files()[name]["id"],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "dialect": _DIALECT,
        "schema": _schema(name, data),
    }


def _schema(name: str, data: bytes) -> dict[str, Any]:
    key, columns = key_of(name), columns_of(name, data)
    schema: dict[str, Any] = {
        "fields": [_field(column, key) for column in columns],
        "missingValues": [""],
        "primaryKey": list(key),
    }
    present = {column.header for column in columns}
    if leading := [column for column in region_columns(name) if column in present]:
        schema["foreignKeys"] = [_leads(name, column) for column in leading]
    return schema


def _leads(name: str, column: str) -> dict[str, Any]:
    """A column of region codes leads to the table of regions; within that table, to itself."""
    resource = "" if name == REGIONS else REGIONS.removesuffix(".csv")
    return {"fields": [column], "reference": {"resource": resource, "fields": ["kode"]}}


def _field(column: Column, key: tuple[str, ...]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.header,
        "type": _TYPES[column.kind],
        "title": column.title,
        "description": column.description,
        "unit": column.unit,
    }
    constraints: dict[str, Any] = {"required": True} if column.header in key else {}
    if column.header in code_lists():
        constraints["enum"] = list(code_lists()[column.header])
    return described | ({"constraints": constraints} if constraints else {})
