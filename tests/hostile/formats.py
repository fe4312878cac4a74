"""Kinds of JSON lines and of Parquet, each with the oddities that its format alone allows."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from hostile.draft import Draft, hostile
from support.deliveries.families import parquet_of

Line = dict[str, Any]


def _lines(draft: Draft, spoil: Callable[[Line], Line] = dict) -> None:
    """Delivers keluarga as JSON lines, its first object spoilt."""
    draft.pack(keluarga="jsonl.gz")

    def spoilt(text: str) -> str:
        first, *others = text.splitlines(keepends=True)
        return json.dumps(spoil(json.loads(first))) + "\n" + "".join(others)

    draft.retext(spoilt)


def _line_text(draft: Draft, old: str, new: str, **cells: str) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.change(**cells)
    draft.retext(lambda text: text.replace(old, new, 1))


@hostile
def formats_mixed(draft: Draft) -> None:
    draft.pack(keluarga="parquet", anggota="jsonl.gz")


@hostile
def json_null_and_absent(draft: Draft) -> None:
    _lines(draft, lambda line: {k: v for k, v in line.items() if k != "r106_nama_sls"} | {"r107_alamat": None})


@hostile
def json_key_twice(draft: Draft) -> None:
    _line_text(draft, '{"id_dokumen"', '{"versi": "2", "id_dokumen"')


@hostile
def json_list_around(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: "[" + ",".join(text.splitlines()) + "]\n")


@hostile
def json_line_of_text(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: text + '"RAHASIA"\n')


@hostile
def json_cut_within_a_line(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: text[:-40])


@hostile
def json_two_objects_on_a_line(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: text.replace("}\n{", "}{", 1))


@hostile
def json_indented(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: "".join(json.dumps(json.loads(line), indent=1) + "\n" for line in text.splitlines()))


@hostile
def json_boolean(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r502a_gas": True, "r303_lantai": True})


@hostile
def json_nested(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r107_alamat": {"jalan": "RAHASIA"}})


@hostile
def json_too_deep(draft: Draft) -> None:
    _line_text(draft, '"JALAN"', '{"a":' * 100_000 + "1" + "}" * 100_000, r107_alamat="JALAN")


@hostile
def json_number_for_code(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r114_no_kk": 9171040302840011})


@hostile
def json_fraction_of_zero(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r302_luas_lantai": 48.0})


@hostile
def json_not_a_number(draft: Draft) -> None:
    _line_text(draft, '"48"', "NaN")


@hostile
def json_comma_too_many(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: text.replace("}\n", ",}\n", 1))


@hostile
def json_too_deep_under_an_unknown_key(draft: Draft) -> None:
    _line_text(draft, '{"id_dokumen"', f'{{"r432_baru": {"[" * 9999 + "]" * 9999}, "id_dokumen"')


@hostile
def json_huge_number(draft: Draft) -> None:
    _line_text(draft, '"48"', "9" * 400)


@hostile
def json_exponent(draft: Draft) -> None:
    _line_text(draft, '"48"', "4.8e1")


@hostile
def json_lone_surrogate(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r106_nama_sls": "\ud800"})


@hostile
def json_escaped_nul(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"r106_nama_sls": "RT\0"})


@hostile
def json_keys_in_capitals(draft: Draft) -> None:
    draft.pack(keluarga="jsonl.gz")
    draft.retext(lambda text: text.replace('"r302_luas_lantai"', '"R302_LUAS_LANTAI"'))


@hostile
def json_two_spellings_of_a_key(draft: Draft) -> None:
    _lines(draft, lambda line: line | {"R302_LUAS_LANTAI": "50"})


def _table(draft: Draft, spoil: Callable[[pa.Table], pa.Table] = lambda table: table, **options: Any) -> None:
    """Delivers keluarga as Parquet, its table spoilt."""
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: parquet_of(spoil(pq.read_table(io.BytesIO(packed))), **options))


def _column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.names.index(name), name, values)


@hostile
def parquet_truncated(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: packed[: len(packed) // 2])


@hostile
def parquet_schema_of_arrow_damaged(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: packed.replace(_schema(packed), b"/" * 20))


def _schema(packed: bytes) -> bytes:
    """A piece of the schema that Arrow keeps among the metadata."""
    place = packed.index(b"ARROW:schema") + 30
    return packed[place : place + 20]


@hostile
def parquet_footer_damaged(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: packed[: -_footer(packed)] + bytes(100) + packed[100 - _footer(packed) :])


@hostile
def parquet_page_damaged(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: packed[:40] + bytes([255] * 200) + packed[240:])


@hostile
def csv_named_parquet(draft: Draft) -> None:
    csv = draft.files[draft.entry("keluarga")["name"]]
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda _: gzip.decompress(csv))


@hostile
def parquet_encrypted(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: encrypted(pq.read_table(io.BytesIO(packed)), plaintext_footer=False))


@hostile
def parquet_columns_encrypted(draft: Draft) -> None:
    draft.pack(keluarga="parquet")
    draft.rewrite(lambda packed: encrypted(pq.read_table(io.BytesIO(packed)), plaintext_footer=True))


@hostile
def parquet_row_count(draft: Draft) -> None:
    _table(draft, lambda table: table.slice(0, 2))


@hostile
def parquet_bomb(draft: Draft) -> None:
    rows = 2_000_000
    _table(draft, lambda table: pa.table({n: pa.nulls(rows, pa.string()) for n in table.schema.names}))
    draft.promise("keluarga", rows)


@hostile
def parquet_long_value(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r107_alamat", pa.array(["A" * (2 << 20), None, None])))


@hostile
def parquet_list(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r107_alamat", pa.array([["RAHASIA"], [], []])))


@hostile
def parquet_boolean(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r303_lantai", pa.array([True, True, False])))


@hostile
def parquet_bytes(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r107_alamat", pa.array([b"\xff\xfe", b"RAHASIA", b""])))


@hostile
def parquet_numbers_for_codes(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r114_no_kk", table["r114_no_kk"].cast(pa.int64())))


@hostile
def parquet_zeros_lost(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r102_kabkota", table["r102_kabkota"].cast(pa.int64())))


@hostile
def parquet_float_for_long_code(draft: Draft) -> None:
    floats = pa.array([9171040302840011.5, 9.2e18, 1.0])
    _table(draft, lambda table: _column(table, "r114_no_kk", floats))


@hostile
def parquet_fractions_of_zero(draft: Draft) -> None:
    _table(draft, lambda table: _column(table, "r302_luas_lantai", table["r302_luas_lantai"].cast(pa.float64())))


@hostile
def parquet_date_as_midnight(draft: Draft) -> None:
    day = "r201_tanggal_pencacahan"
    _table(draft, lambda table: _column(table, day, table[day].cast(pa.timestamp("us"))))


@hostile
def parquet_instant_in_nanoseconds(draft: Draft) -> None:
    name = "wawancara_mulai"
    instants = pa.timestamp("ns", "UTC")
    _table(draft, lambda table: _column(table, name, pa.array(pd.to_datetime(table[name].to_pylist()), instants)))


@hostile
def parquet_span_of_time(draft: Draft) -> None:
    spans = pa.array([60_000_000, None, None], pa.duration("us"))
    _table(draft, lambda table: _column(table, "r107_alamat", spans))


@hostile
def parquet_column_twice(draft: Draft) -> None:
    _table(draft, lambda table: table.append_column("versi", table["versi"]))


@hostile
def parquet_without_columns(draft: Draft) -> None:
    _table(draft, lambda table: table.select([]))


def _footer(packed: bytes) -> int:
    """How many bytes from its end the metadata of a Parquet file begin."""
    return int.from_bytes(packed[-8:-4], "little") + 8


class _NoSecret(pe.KmsClient):  # type: ignore[misc]  # pyarrow has no types
    """Keys that lie beside the data, as the test needs no secret."""

    def __init__(self, _: Any) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return key.hex().encode()

    def unwrap_key(self, wrapped: bytes, _: str) -> bytes:
        return bytes.fromhex(wrapped.decode())


def encrypted(table: pa.Table, *, plaintext_footer: bool) -> bytes:
    """A Parquet file with encrypted columns, written by pyarrow's own modular encryption."""
    wanted = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"column": table.schema.names}, plaintext_footer=plaintext_footer
    )
    properties = pe.CryptoFactory(_NoSecret).file_encryption_properties(pe.KmsConnectionConfig(), wanted)
    return parquet_of(table, encryption_properties=properties)
