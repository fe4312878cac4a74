"""``datapackage.json``: the CSV tables of a release described for machines, by the Frictionless standard (v1).

Version 1 is what today's readers know; a package of it is valid for readers of version 2.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from regsosek.release.schema import Column, Kind, columns_of, key_of
from regsosek.release.site.files import offered_files

NAME = "datapackage.json"
_TYPES: Mapping[Kind, str] = {"text": "string", "date": "date", "count": "integer", "number": "number"}
_DIALECT = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "header": True, "lineTerminator": "\n"}
# The table in which the region above is a row.
_ABOVE = {"kabkota.csv": "provinsi", "kecamatan.csv": "kabkota", "desa.csv": "kecamatan"}


def datapackage(night: date, tables: Mapping[str, bytes]) -> bytes:
    """The description of ``tables`` (CSV bytes by name): nothing in it tells when it was made."""
    content = {
        "profile": "tabular-data-package",
        "name": f"regsosek-{night.isoformat()}",
        "title": f"Regsosek: penyelesaian pencacahan, malam {night.isoformat()}",
        "description": "Tabel CSV satu rilis; tabel yang sama dengan tipe data: nama berkas berakhiran .parquet. "
        "The CSV tables of one release; the same tables with types: the file of that name ending in .parquet.",
        "resources": [_resource(name, data) for name, data in tables.items()],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


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
    key = key_of(name)
    schema: dict[str, Any] = {
        "fields": [_field(column, key) for column in columns_of(name, data)],
        "missingValues": [""],
        "primaryKey": list(key),
    }
    if name in _ABOVE:
        above = {"resource": _ABOVE[name], "fields": ["kode"]}
        schema["foreignKeys"] = [{"fields": ["kode_induk"], "reference": above}]
    return schema


def _field(column: Column, key: tuple[str, ...]) -> dict[str, Any]:
    described = {
        "name": column.header,
        "type": _TYPES[column.kind],
        "title": column.title,
        "description": column.description,
        "unit": column.unit,
    }
    return described | ({"constraints": {"required": True}} if column.header in key else {})
