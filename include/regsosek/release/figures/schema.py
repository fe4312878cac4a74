"""What the published tables are made of: the type of each column by its definition, the key of each table.

A table is read from the bytes of its CSV file. Whatever else a release has of it (Parquet, workbook, SDMX) therefore
says exactly what the CSV says, and a table that is added to the release is there in every format.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from regsosek.errors import ConfigurationError
from regsosek.statistics.definitions.definitions import PERCENT, Definition, definitions

Kind = Literal["text", "date", "count", "number"]
TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(), "date": pa.date32(), "count": pa.int64(), "number": pa.float64(),
}  # fmt: skip
_KINDS: Mapping[str, Kind] = {
    "teks": "text",
    "tanggal": "date",
    **dict.fromkeys(("keluarga", "orang", "baris", "unit", "wilayah", "kabupaten/kota", "kiriman"), "count"),
    **dict.fromkeys(("SLS", "sub-SLS", "provinsi", "hari petugas", "menurut ukuran"), "count"),
    **dict.fromkeys((PERCENT, "poin persen", "hari", "petugas", "bagian dari satu"), "number"),
}
GLOSSARY, REGIONS = "definisi.csv", "wilayah.csv"
# The columns of the glossary itself, which no line of it defines: name and description.
GLOSSARY_COLUMNS: Mapping[str, tuple[str, str]] = {
    "kolom": ("Kolom", "Nama kolom dalam tabel rilis (column of the tables)"),
    "nama": ("Nama", "Nama yang dibaca orang (name in Indonesian)"),
    "definisi": ("Definisi", "Arti kolom (meaning in Indonesian)"),
    "satuan": ("Satuan", "Satuan (unit)"),
    "pembilang": ("Pembilang", "Kolom pembilang, bila kolom ini pembagian (column of the numerator)"),
    "penyebut": ("Penyebut", "Kolom penyebut (column of the denominator)"),
    "versi_penyebut": ("Versi penyebut", "Kolom versi penyebut (column of the denominator's version)"),
    "cakupan_penyebut": ("Cakupan penyebut", "Kolom cakupan penyebut (column of the denominator's coverage)"),
    "tingkat_terendah": ("Tingkat terendah", "Tingkat wilayah terendah yang diumumkan (lowest public level)"),
    "name": ("Name", "Nama dalam bahasa Inggris (name in English)"),
    "definition": ("Definition", "Arti kolom dalam bahasa Inggris (meaning in English)"),
}
# The columns that name a row of a table, by field.
_KEYS: Mapping[str, tuple[str, ...]] = {
    **{f"{level}.csv": ("code",) for level in ("nasional", "provinsi", "kabkota", "kecamatan", "desa")},
    "harian.csv": ("day", "code"),
    "kedatangan.csv": ("arrival_night", "code"),
    "kalender.csv": ("campaign_night", "code"),
    "mutu.csv": ("code", "rule_dataset", "rule_id", "severity"),
    "revisi.csv": ("day", "code"),
    "perubahan.csv": ("code", "measure"),
    "terendah.csv": ("code", "child_level"),
    "prakiraan.csv": ("code",),
    "skenario.csv": ("code", "extend_days", "more_officers"),
    "sumber_data.csv": ("code", "stream"),
    "foto.csv": ("code",),
    "angka.csv": ("code", "figure_day", "measure"),
    REGIONS: ("code",),
}
_REGION_FIELDS = ("code", "parent_code", "floor_code")


@dataclass(frozen=True)
class Column:
    """A column of a published table: its header, the name that people read, its meaning, its kind."""

    header: str
    title: str
    description: str
    unit: str
    kind: Kind

    @property
    def type(self) -> pa.DataType:
        """Its type in Arrow and Parquet."""
        return TYPES[self.kind]


def kind_of(definition: Definition) -> Kind:
    """How the values of a figure are written; a quotient is never whole, whatever its unit.

    Raises:
        ConfigurationError: nothing is known of its unit.
    """
    if definition.unit not in _KINDS:
        raise ConfigurationError(
            f"{definition.field}: give unit {definition.unit!r} a kind in release/figures/schema.py"
        )
    return "number" if definition.is_share else _KINDS[definition.unit]


def columns_of(name: str, content: bytes) -> list[Column]:
    """The columns of table ``name``, in the order of its CSV bytes."""
    header = next(csv.reader(io.StringIO(content.split(b"\n", 1)[0].decode())))
    if name == GLOSSARY:
        return [Column(column, *GLOSSARY_COLUMNS[column], "teks", "text") for column in header]
    return [_defined()[column] for column in header]


def key_of(name: str) -> tuple[str, ...]:
    """The columns that name a row of table ``name``.

    Raises:
        ConfigurationError: nobody said.
    """
    if name == GLOSSARY:
        return ("kolom",)
    if name not in _KEYS:
        raise ConfigurationError(f"{name}: say in release/figures/schema.py by which columns its rows are named")
    return tuple(definitions()[field].column for field in _KEYS[name])


def region_columns(name: str) -> list[str]:
    """The columns that hold codes of regions, where table ``name`` has them; in the table of regions the parent's."""
    fields = _REGION_FIELDS[1:] if name == REGIONS else () if name == GLOSSARY else _REGION_FIELDS
    return [definitions()[field].column for field in fields]


def tables_of_regions() -> dict[str, tuple[str, ...]]:
    """The tables that tell of regions, with the fields that name a row of them."""
    return {name: key for name, key in _KEYS.items() if "code" in key}


def typed(name: str, content: bytes) -> pa.Table:
    """Table ``name`` from its CSV bytes: codes as text, whole counts, dates; an empty cell is a missing value.

    Raises:
        pyarrow.ArrowInvalid: a cell is not of the kind that its definition says.
    """
    columns = columns_of(name, content)
    convert = pa_csv.ConvertOptions(
        column_types={each.header: each.type for each in columns},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    # One thread: the same bytes give the same chunks on every machine.
    read = pa_csv.ReadOptions(use_threads=False)
    table = pa_csv.read_csv(io.BytesIO(content), read, pa_csv.ParseOptions(newlines_in_values=True), convert)
    return table.combine_chunks().cast(pa.schema(map(_field, columns)))


def _field(column: Column) -> pa.Field:
    told = {"title": column.title, "description": column.description, "unit": column.unit}
    return pa.field(column.header, column.type, metadata=told)


@cache
def _defined() -> dict[str, Column]:
    return {
        each.column: Column(each.column, each.name.id, each.definition.id, each.unit, kind_of(each))
        for each in definitions().values()
    }
