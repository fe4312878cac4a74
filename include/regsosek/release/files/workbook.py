"""The workbook of a release, for people: what it is, a sheet for each table that a person reads, and the glossary.

Codes are text, dates are dates, percentages keep two decimals; no cell is ever read as a formula or a link. The desa,
and the changes below kab/kota, are left to CSV and Parquet: nobody scrolls through 80,000 rows.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from regsosek.release.figures.imprint import About
from regsosek.release.figures.schema import GLOSSARY, Column, Kind, columns_of, typed

NAME, COVER = "rilis.xlsx", "Tentang"
SHEETS: Mapping[str, str] = {
    "nasional.csv": "Indonesia",
    "provinsi.csv": "Provinsi",
    "kabkota.csv": "Kabupaten-Kota",
    "kecamatan.csv": "Kecamatan",
    "terendah.csv": "Terendah",
    "prakiraan.csv": "Prakiraan",
    "skenario.csv": "Skenario",
    "sumber_data.csv": "Sumber data",
    "foto.csv": "Foto",
    "harian.csv": "Harian",
    "kedatangan.csv": "Kedatangan",
    "kalender.csv": "Kalender",
    "mutu.csv": "Mutu",
    "revisi.csv": "Revisi",
    "perubahan.csv": "Perubahan",
    GLOSSARY: "Glosarium",
}
LEVELS_OF_CHANGES = ("nasional", "provinsi", "kabkota")
_FORMATS: Mapping[Kind, str] = {"text": "@", "date": "yyyy-mm-dd", "count": "#,##0", "number": "0.00"}
# A scale of 0.0005 must not be shown as zero.
_SCALE, _SCALE_FORMAT = "skala", "General"
_WIDTHS: Mapping[Kind, int] = {"text": 12, "date": 12, "count": 12, "number": 12}
_WIDE = {
    "nama": 28,
    "definisi": 70,
    "definition": 70,
    "name": 28,
    "data_sampai": 22,
    "provinsi_belum_lengkap": 30,
    "isi_aturan": 70,
    "isi_aturan_inggris": 70,
}
_HEADER_HEIGHT = 60
_COVER_WIDTHS = (34, 100)

Write = Callable[[int, int, Any, Format], Any]


def workbook(about: About, tables: Mapping[str, bytes]) -> bytes:
    """``rilis.xlsx`` from the CSV bytes of the tables; the same tables of the same night give the same bytes."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(buffer, options)
    book.set_properties(
        {
            "title": about.title("id"),
            "author": about.imprint.publisher,
            "company": about.imprint.publisher,
            "comments": about.citation("id"),
            "created": about.created.replace(tzinfo=None),
        }
    )
    formats = {kind: book.add_format({"num_format": written}) for kind, written in _FORMATS.items()}
    scale = book.add_format({"num_format": _SCALE_FORMAT})
    header = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#e8eef5", "border": 1})
    _cover(book, about)
    for name, title in SHEETS.items():
        columns = columns_of(name, tables[name])
        of_column = [scale if each.header == _SCALE else formats[each.kind] for each in columns]
        _sheet(book.add_worksheet(title), columns, _rows(name, tables[name]), header, of_column)
    book.close()
    return buffer.getvalue()


def _cover(book: Workbook, about: About) -> None:
    """Two columns: what is told, in both languages, and what it is."""
    sheet = book.add_worksheet(COVER)
    label = book.add_format({"bold": True, "valign": "top", "text_wrap": True})
    text = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    for at, width in enumerate(_COVER_WIDTHS):
        sheet.set_column(at, at, width)
    for at, (named, told) in enumerate(cover_lines(about)):
        sheet.write_string(at, 0, named, label)
        sheet.write_string(at, 1, told, text)


def cover_lines(about: About) -> list[tuple[str, str]]:
    """The lines of the cover sheet."""
    own, incomplete = about.imprint, "; ".join(about.missing) or "–"
    lines = [
        ("Rilis", about.title("id")),
        ("Release", about.title("en")),
        ("Sifat data / Nature", f"{about.nature('id')} / {about.nature('en')}"),
        ("Skala / Scale", f"{about.scale:g}"),
        ("Provinsi belum lengkap / Incomplete provinces", incomplete),
        ("Penerbit / Publisher", f"{own.publisher} ({own.unit})"),
        ("Kontak / Contact", f"{own.contact}, {own.homepage}"),
        ("Lisensi / Licence", f"{own.licence}: {own.licence_title}, {own.licence_url}"),
        ("Kutipan", about.citation("id")),
        ("Citation", about.citation("en")),
        ("Versi / Version", f"{about.version} (manifest.json: release_id)"),
        ("Data sampai / Data until", about.created.isoformat()),
        ("Rilis berikutnya", about.next_release("id")),
        ("Next release", about.next_release("en")),
    ]
    return [
        *lines,
        *(("Yang tidak dapat dibaca dari angka ini", each) for each in about.limits("id")),
        *(("What this cannot tell you", each) for each in about.limits("en")),
    ]


def _rows(name: str, content: bytes) -> pa.Table:
    table = typed(name, content)
    if name == "perubahan.csv":
        return table.filter(pc.field("tingkat").isin(LEVELS_OF_CHANGES))
    return table


def _sheet(sheet: Worksheet, columns: list[Column], rows: pa.Table, header: Format, formats: list[Format]) -> None:
    """Writes one sheet: header frozen, autofilter; the first columns up to the name stay in view."""
    headers = [each.header for each in columns]
    named = headers.index("nama") + 1 if "nama" in headers else 1
    sheet.freeze_panes(1, named)
    sheet.set_row(0, _HEADER_HEIGHT)
    for at, (column, format_) in enumerate(zip(columns, formats, strict=True)):
        sheet.write_string(0, at, column.title, header)
        sheet.set_column(at, at, _WIDE.get(column.header, _WIDTHS[column.kind]))
        _column(_writer(sheet, column.kind), at, rows.column(column.header), format_)
    sheet.autofilter(0, 0, rows.num_rows, len(columns) - 1)


def _column(write: Write, at: int, values: pa.ChunkedArray, format_: Format) -> None:
    for row, value in enumerate(values.to_pylist(), start=1):
        if value is not None:
            write(row, at, value, format_)


def _writer(sheet: Worksheet, kind: Kind) -> Write:
    """Each kind by its own method: nothing guesses from the text what a cell might be."""
    if kind == "text":
        write: Write = sheet.write_string
    elif kind == "date":
        write = sheet.write_datetime
    else:
        write = sheet.write_number
    return write
