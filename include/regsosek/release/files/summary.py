"""``progres.json``: nation, provinces and the national series for applications, in the words and columns of the tables.

``progres.schema.json`` describes it as a JSON Schema, made of the same definitions.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.figures.figures import Figures, Missing
from regsosek.release.figures.schema import Kind, kind_of
from regsosek.release.figures.words import night_states
from regsosek.release.files.code_lists import code_lists
from regsosek.release.files.tables import PERCENT_PLACES, REGION_TABLES, region_table, with_context
from regsosek.statistics.definitions.definitions import definitions

NAME, SCHEMA = "progres.json", "progres.schema.json"
_SERIES = ("day", "visited", "complete", "visited_so_far", "complete_so_far", "plan_families")
_TYPES: Mapping[Kind, dict[str, Any]] = {
    "text": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "count": {"type": "integer"},
    "number": {"type": "number"},
}


def summary_files(figures: Figures) -> dict[str, bytes]:
    """The summary and its schema, by name."""
    return {NAME: _document(_content(figures)), SCHEMA: _document(_schema())}


def _content(figures: Figures) -> dict[str, Any]:
    series = figures.daily[figures.daily["code"] == NATION].sort_values("day")
    [nation] = _records(region_table(figures, "nasional"), REGION_TABLES["nasional.csv"][1])
    about = figures.about
    return {
        "judul": about.title("id"),
        "penerbit": about.imprint.publisher,
        "kontak": about.imprint.contact,
        "lisensi": about.imprint.licence,
        "kutipan": about.citation("id"),
        "simulasi": about.simulated,
        "malam": figures.night.isoformat(),
        "skala": float(Decimal(str(figures.scale))),
        "rilis_berikutnya": about.next_release("id"),
        "batasan": about.limits("id"),
        "provinsi_belum_lengkap": [_missing(each) for each in figures.missing],
        "nasional": nation,
        "provinsi": _records(region_table(figures, "provinsi"), REGION_TABLES["provinsi.csv"][1]),
        "harian_nasional": _records(with_context(figures, series, "code"), _SERIES),
        "definisi": {each.column: each.definition.id for each in definitions().values()},
    }


def _missing(province: Missing) -> dict[str, Any]:
    return {
        "kode": province.code,
        "nama": province.name,
        "keadaan": night_states()[province.state].label.id,
        "angka_sampai_malam": _plain(province.figures_night),
        "keluarga_ditahan": province.held_families,
    }


def _records(frame: pd.DataFrame, fields: Sequence[str]) -> list[dict[str, Any]]:
    columns = [definitions()[field].column for field in (*fields, "data_until")]
    rows = frame[[*fields, "data_until"]].itertuples(index=False, name=None)
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    """A value as JSON knows it; with as many decimals as the tables have."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float):
        return round(value, PERCENT_PLACES)
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else int(value)


def _schema() -> dict[str, Any]:
    text, day = {"type": "string"}, _TYPES["date"]
    missing = {
        "kode": text,
        "nama": text,
        "keadaan": {"enum": [words.label.id for words in night_states().values()]},
        "angka_sampai_malam": {"type": ["string", "null"], "format": "date"},
        "keluarga_ditahan": _TYPES["count"],
    }
    content = {
        **dict.fromkeys(("judul", "penerbit", "kontak", "lisensi", "kutipan", "rilis_berikutnya"), text),
        "simulasi": {"type": "boolean"},
        "malam": day,
        "skala": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "batasan": {"type": "array", "items": text},
        "provinsi_belum_lengkap": {"type": "array", "items": _object(missing)},
        "nasional": _row(REGION_TABLES["nasional.csv"][1]),
        "provinsi": {"type": "array", "items": _row(REGION_TABLES["provinsi.csv"][1])},
        "harian_nasional": {"type": "array", "items": _row(_SERIES)},
        "definisi": {"type": "object", "additionalProperties": text},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": NAME, **_object(content)}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _row(fields: Sequence[str]) -> dict[str, Any]:
    return _object({definitions()[field].column: _value(field) for field in (*fields, "data_until")})


def _value(field: str) -> dict[str, Any]:
    """A figure by its definition: any of them may be unknown."""
    each = definitions()[field]
    told = {"title": each.name.id, "description": f"{each.definition.id} [{each.unit}]"}
    if each.column in code_lists():
        return {**told, "enum": [*code_lists()[each.column], None]}
    type_ = _TYPES[kind_of(each)]
    return {**told, **type_, "type": [type_["type"], "null"]}


def _document(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
