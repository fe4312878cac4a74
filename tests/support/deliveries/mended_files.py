"""The same families in files that staging reads after a repair, or that differ in what the contract leaves free."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from support.deliveries.families import Row, csv_gz, parquet_of

DATASET = "keluarga"
# What a spreadsheet takes for numbers, of the columns that the second reading looks at.
NUMBERS = ("versi", "status_dokumen", "r109_no_bangunan", "r110_no_keluarga", "r205_hasil")
CODE = "id_subsls"
Writer = Callable[[Sequence[Row]], bytes]


@dataclass(frozen=True)
class Mended:
    """One way to deliver families, and the kinds of repair that it takes."""

    format: str
    write: Writer
    repairs: frozenset[str] = frozenset()


def _text(rows: Sequence[Row]) -> str:
    return gzip.decompress(csv_gz(DATASET, rows)).decode()


def _csv(change: Callable[[str], str], *repairs: str) -> Mended:
    """A CSV file with LF alone, its text changed."""

    def write(rows: Sequence[Row]) -> bytes:
        return gzip.compress(change(_text(rows).replace("\r\n", "\n")).encode())

    return Mended("csv.gz", write, frozenset(repairs))


def _rows(change: Callable[[Row], Row], *repairs: str) -> Mended:
    return Mended("csv.gz", lambda rows: csv_gz(DATASET, [change(row) for row in rows]), frozenset({"crlf", *repairs}))


def _header(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        header, rest = text.split("\n", 1)
        return ",".join(change(name) for name in header.split(",")) + "\n" + rest

    return changed


def _lines(end: str) -> Callable[[str], str]:
    """Every other line ends in ``end``."""

    def changed(text: str) -> str:
        first, second, *others = text.split("\n")
        return first + end + second + "\n" + end.join(others)

    return changed


def _unnamed(text: str) -> str:
    return "".join(f"{line},\n" for line in text.splitlines())


def _members(rows: Sequence[Row]) -> bytes:
    data = _text(rows).encode()
    return b"".join(gzip.compress(data[at : at + 700]) for at in range(0, len(data), 700))


def _json(change: Callable[[Row], dict[str, Any]], *repairs: str, end: str = "\n", start: str = "") -> Mended:
    def write(rows: Sequence[Row]) -> bytes:
        lines = (json.dumps(change({k: v or None for k, v in row.items()})) + end for row in rows)
        return gzip.compress((start + "".join(lines)).encode())

    return Mended("jsonl.gz", write, frozenset(repairs))


def _numbered(kind: Callable[[str], Any], *names: str) -> Callable[[Row], dict[str, Any]]:
    return lambda row: {name: kind(value) if name in names and value else value for name, value in row.items()}


def _parquet(types: dict[str, tuple[Callable[[str], Any], pa.DataType]], *repairs: str, **more: Any) -> Mended:
    def write(rows: Sequence[Row]) -> bytes:
        columns: dict[str, Any] = dict.fromkeys(more, [more] * len(rows))
        for name in rows[0]:
            make, kind = types.get(name, (str, pa.string()))
            columns[name] = pa.array([make(row[name]) if row[name] else None for row in rows], kind)
        return parquet_of(pa.table(columns), row_group_size=2)

    return Mended("parquet", write, frozenset(repairs))


def _spelled(rows: Sequence[Row]) -> bytes:
    table = pa.table({f" {name.upper()}": [row[name] for row in rows] for name in rows[0]})
    return parquet_of(table)


def _typed(kind: Callable[[str], Any], type_: pa.DataType, *names: str) -> dict[str, Any]:
    return dict.fromkeys(names, (kind, type_))


MENDED = {
    "byte order mark": _csv(lambda text: "\ufeff" + text, "byte_order_mark"),
    "CRLF": _csv(lambda text: text.replace("\n", "\r\n"), "crlf"),
    "CR alone": _csv(lambda text: text.replace("\n", "\r"), "line_ends"),
    "mixed with CRLF": _csv(_lines("\r\n"), "line_ends"),
    "mixed with CR": _csv(_lines("\r"), "line_ends"),
    "empty lines": _csv(lambda text: text.replace("\n", "\n\n")),
    "names in capitals": _csv(_header(lambda name: f" {name.upper()} "), "header_spelling"),
    "column without name": _csv(_unnamed, "column_empty"),
    "two columns without name": _csv(lambda text: _unnamed(_unnamed(text)), "column_empty"),
    "columns reordered": _rows(lambda row: dict(sorted(row.items(), reverse=True))),
    "unknown column": _rows(lambda row: {"r999_baru": "1", "BUDI": "2"} | row, "column_unknown"),
    "apostrophes": _rows(
        lambda row: {k: f"'{v}" if v and k in (*NUMBERS, CODE) else v for k, v in row.items()}, "apostrophe"
    ),
    "apostrophe and blank": _rows(lambda row: row | {"id_dokumen": "' " + row["id_dokumen"]}, "apostrophe"),
    "blanks around": _rows(lambda row: {k: f" \u00a0{v}\u3000 " for k, v in row.items()}),
    "blank before quotes": _csv(lambda text: text.replace(",1,", ', "1" ,')),
    "line breaks in a value": _rows(lambda row: row | {"r107_alamat": 'Jl. "A",\r\nno. 1\n\rRT\r2'}),
    "several gzip members": Mended("csv.gz", _members, frozenset({"crlf"})),
    "JSON: byte order mark": _json(dict, "byte_order_mark", start="\ufeff"),
    "JSON: CRLF": _json(dict, "crlf", end="\r\n"),
    "JSON: empty lines": _json(dict, end="\n \n\n"),
    "JSON: names in capitals": _json(lambda row: {f"{k.upper()} ": v for k, v in row.items()}, "header_spelling"),
    "JSON: whole numbers": _json(_numbered(int, *NUMBERS, CODE), "number_for_code"),
    "JSON: fractions of zero": _json(_numbered(float, *NUMBERS), "fraction_of_zero"),
    "JSON: unknown keys": _json(lambda row: {"": True, "r999_baru": [{"versi": 7}]} | row, "column_unknown"),
    "JSON: keys reordered": _json(lambda row: dict(sorted(row.items(), reverse=True))),
    "JSON: apostrophes": _json(lambda row: row | {"id_subsls": "'" + row["id_subsls"]}, "apostrophe"),
    "JSON: line separators": _json(lambda row: row | {"r107_alamat": "A\u2028B\u0085C\r\nD"}),
    "Parquet: whole numbers": _parquet(
        _typed(int, pa.int16(), *NUMBERS) | _typed(int, pa.uint64(), CODE), "number_for_code"
    ),
    "Parquet: fractions of zero": _parquet(
        _typed(float, pa.float32(), *NUMBERS) | _typed(float, pa.float64(), CODE), "fraction_of_zero", "number_for_code"
    ),
    "Parquet: decimals": _parquet(
        _typed(Decimal, pa.decimal128(9, 2), *NUMBERS) | _typed(Decimal, pa.decimal128(18, 0), CODE), "number_for_code"
    ),
    "Parquet: days as midnights": _parquet(
        _typed(datetime.fromisoformat, pa.timestamp("us"), "r201_tanggal_pencacahan"), "midnight_for_date"
    ),
    "Parquet: instants": _parquet(
        _typed(datetime.fromisoformat, pa.timestamp("ns", "UTC"), "wawancara_mulai", "waktu_sinkron")
    ),
    "Parquet: dictionaries": _parquet(_typed(str, pa.dictionary(pa.int8(), pa.string()), *NUMBERS, CODE)),
    "Parquet: large texts": _parquet(_typed(str, pa.large_string(), *NUMBERS, CODE)),
    "Parquet: names in capitals": Mended("parquet", _spelled, frozenset({"header_spelling"})),
    "Parquet: unknown columns": _parquet({}, "column_unknown", **{"versi.lama": 1, "r999_baru": 2}),
    "Parquet: apostrophes": _parquet(_typed(lambda value: f"'{value}", pa.string(), *NUMBERS), "apostrophe"),
}
