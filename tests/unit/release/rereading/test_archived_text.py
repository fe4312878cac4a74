"""The second reading of a file says what staging typed of it, whatever the format and whatever had to be repaired."""

import gzip
import uuid
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import variables
from regsosek.contract.repairs import repair_kinds
from regsosek.release.rereading.archived_cases import COLUMNS, typed_rows
from regsosek.release.rereading.archived_text import UNREADABLE, read_columns
from regsosek.release.rereading.contents import contents
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.typing_sql import typed
from support.checks.matrix import examples, sampled
from support.deliveries.families import (
    SUBSLS,
    VERSION,
    WRITERS,
    anggota_row,
    csv_gz,
    described_file,
    jsonl_gz,
    keluarga_row,
    parquet,
    parquet_of,
    reference_tables,
    stage_rows,
)
from support.deliveries.mended_files import MENDED

DATASET = "keluarga"
WITA = timedelta(hours=8)
ROWS = [
    keluarga_row(id_dokumen="64-0007-000123"),
    keluarga_row(id_dokumen="D2", versi="3", status_dokumen="9", r109_no_bangunan="012", r110_no_keluarga="120"),
    keluarga_row(id_dokumen="d-3", versi="12", r110_no_keluarga="003", r205_hasil="4"),
]
# Document, revision, withdrawn, key, complete.
CASES = [
    ("64-0007-000123", 1, False, SUBSLS, 1, 1, True),
    ("D2", 3, True, SUBSLS, 12, 120, True),
    ("d-3", 12, False, SUBSLS, 1, 3, False),
]
Case = tuple[Any, ...]
KEY = b"a key of this test alone, 32 byte"
Law = settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    with open_engine(tmp_path, memory_limit="300MB", threads=2, keys=(KEY,)) as connection:
        reference_tables(connection)
        yield connection


def staged(
    connection: duckdb.DuckDBPyConnection, directory: Path, content: bytes, rows: int, format_: str
) -> tuple[list[Case], set[str]]:
    """The cases that staging reads, and the kinds of its repairs."""
    file, path = described_file(DATASET, content, rows, directory, format_=format_)
    repairs = read_part(connection, file, path, version=VERSION, offset=WITA)
    value = {v.name: typed(v, v.name) for v in variables(DATASET, VERSION)}
    found = connection.execute(
        f"SELECT {value['id_dokumen']}, coalesce({value['versi']}, 0),"
        f" {value['status_dokumen']} IS NOT DISTINCT FROM 9, {value['id_subsls']},"
        f" {value['r109_no_bangunan']}, {value['r110_no_keluarga']},"
        f" {value['r205_hasil']} IS NOT DISTINCT FROM 1 FROM keluarga_text ORDER BY row_no"
    ).fetchall()
    return found, {repair.kind for repair in repairs}


def texts_again(directory: Path, content: bytes, format_: str) -> pd.DataFrame:
    path = directory / f"again.{format_}"
    path.write_bytes(content)
    return read_columns(path, format_, variables(DATASET, VERSION), WITA)


def same_texts(connection: duckdb.DuckDBPyConnection, directory: Path, content: bytes, format_: str) -> None:
    """What was staged last is the text of every column as it is read again."""
    again = texts_again(directory, content, format_)
    columns = ", ".join(f"coalesce({name}, '')" for name in again)
    once = connection.execute(f"SELECT {columns} FROM keluarga_text ORDER BY row_no").fetchall()
    assert list(again.itertuples(index=False, name=None)) == once


def read_again(directory: Path, content: bytes, format_: str) -> list[Case]:
    rows = typed_rows(texts_again(directory, content, format_), "", 1)
    rows["complete"] = (rows["result"] == 1).fillna(value=False)
    names = ["id_dokumen", "versi", "withdrawn", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "complete"]
    columns = rows[names].astype(object)
    return list(columns.where(columns.notna(), None).itertuples(index=False, name=None))


def named_alike(read: list[Case], other: list[Case]) -> list[Case]:
    """``read`` without the document ids that are none to staging, which gives such a row an id of its own."""
    return [(document and case[0], *case[1:]) for case, (document, *_) in zip(read, other, strict=True)]


def agree(connection: duckdb.DuckDBPyConnection, directory: Path, content: bytes, rows: int, format_: str) -> None:
    cases, _ = staged(connection, directory, content, rows, format_)
    assert named_alike(read_again(directory, content, format_), cases) == cases
    same_texts(connection, directory, content, format_)


@pytest.mark.parametrize("format_", WRITERS)
def test_plain_files_are_read_as_staging_typed_them(engine, tmp_path: Path, format_: str) -> None:
    content = WRITERS[format_](DATASET, ROWS)
    assert staged(engine, tmp_path, content, len(ROWS), format_)[0] == CASES
    assert read_again(tmp_path, content, format_) == CASES


@pytest.mark.parametrize("way", sampled({way: way for way in MENDED}, 4))
def test_what_is_repaired_is_read_as_staging_typed_it(engine, tmp_path: Path, way: str) -> None:
    content, format_ = MENDED[way].write(ROWS), MENDED[way].format
    assert staged(engine, tmp_path, content, len(ROWS), format_) == (CASES, MENDED[way].repairs)
    assert read_again(tmp_path, content, format_) == CASES
    same_texts(engine, tmp_path, content, format_)


def test_every_kind_of_repair_is_among_them() -> None:
    assert {kind for way in MENDED.values() for kind in way.repairs} == set(repair_kinds())


@pytest.mark.parametrize("format_", WRITERS)
def test_a_file_without_rows_is_read(tmp_path: Path, format_: str) -> None:
    assert read_again(tmp_path, WRITERS[format_](DATASET, []), format_) == []


# Digits, and everything that stands around a value or makes it another.
CELLS = st.one_of(
    st.sampled_from(["", "1", "9", "007", "1.0", "1e1", "NA", "null", "nan", "None", "'1", "' D1", "D'1", "''1", "1'"]),
    st.text("0123456789", min_size=1, max_size=9),
    st.text("019A'\"., \t\r\n\u00a0\u3000\u2028\uff11/-", max_size=6),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
)
CODES = ("status_dokumen", "r205_hasil")
# Beside the columns that say which case: one of every kind.
OF_EVERY_KIND = (
    "r107_alamat",
    "r114_no_kk",
    "r201_tanggal_pencacahan",
    "wawancara_mulai",
    "lintang",
    "r302_luas_lantai",
)
READ = (*COLUMNS, *OF_EVERY_KIND)
OTHER_CELLS = CELLS | st.sampled_from(
    [
        "2022-10-20",
        "'2022-10-20",
        "'-0.5",
        "-0.50",
        "' 48",
        "2022-10-20T09:00:00.5+08:00",
        "'2022-10-20T09:00:00Z",
        '5"',
    ]
)
FAMILIES = st.lists(
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS) | dict.fromkeys(OF_EVERY_KIND, OTHER_CELLS)),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("format_", WRITERS)
@Law
@given(cells=FAMILIES)
def test_any_text_is_read_as_staging_typed_it(
    engine, tmp_path: Path, format_: str, cells: list[dict[str, str]]
) -> None:
    content = WRITERS[format_](DATASET, [keluarga_row(**each) for each in cells])
    agree(engine, tmp_path, content, len(cells), format_)


WHOLE = st.integers(-5, 10**19)
FLOATS = st.one_of(
    st.floats(0.001, 2**53, exclude_max=True), st.integers(-5, 2**53 - 1).map(float), st.sampled_from([-0.0, 0.5, 38.0])
)


@Law
@given(
    numbers=st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(
                (*COLUMNS, "r107_alamat", "lintang", "r302_luas_lantai"),
                st.none() | WHOLE | FLOATS | st.floats(allow_nan=False, allow_infinity=False),
            )
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_json_number_is_read_as_staging_typed_it(engine, tmp_path: Path, numbers: list[dict[str, Any]]) -> None:
    content = jsonl_gz(DATASET, [{**keluarga_row(), **each} for each in numbers])
    agree(engine, tmp_path, content, len(numbers), "jsonl.gz")


COLUMN_OF_NUMBERS = st.one_of(
    st.tuples(st.just(pa.int32()), st.lists(st.none() | st.integers(-5, 2**31 - 1), min_size=3, max_size=3)),
    st.tuples(st.just(pa.uint64()), st.lists(st.none() | st.integers(0, 2**64 - 1), min_size=3, max_size=3)),
    st.tuples(st.just(pa.float64()), st.lists(st.none() | st.just(float("nan")) | FLOATS, min_size=3, max_size=3)),
    st.tuples(st.just(pa.float32()), st.lists(st.integers(-5, 2**20).map(float), min_size=3, max_size=3)),
    st.tuples(
        st.just(pa.decimal128(18, 4)),
        st.lists(st.none() | st.decimals(-5, 10**9, places=4).map(Decimal), min_size=3, max_size=3),
    ),
)


@Law
@given(columns=st.fixed_dictionaries(dict.fromkeys((*COLUMNS, "r107_alamat", "lintang"), COLUMN_OF_NUMBERS)))
def test_any_parquet_number_is_read_as_staging_typed_it(engine, tmp_path: Path, columns: dict[str, Any]) -> None:
    table = pq.read_table(pa.BufferReader(parquet(DATASET, ROWS)))
    for name, (kind, values) in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, kind))
    agree(engine, tmp_path, parquet_of(table), len(ROWS), "parquet")


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n"])
def test_a_blank_line_before_an_empty_value_shifts_nothing(engine, tmp_path: Path, ends: str) -> None:
    rows = [*ROWS[:2], ROWS[2] | {"id_dokumen": ""}]
    lines = gzip.decompress(csv_gz(DATASET, rows)).decode().splitlines()
    content = gzip.compress((ends.join([*lines[:3], "", lines[3]]) + ends).encode())
    agree(engine, tmp_path, content, len(rows), "csv.gz")


def test_a_document_id_of_type_uuid_is_its_text(engine, tmp_path: Path) -> None:
    ids = [str(uuid.UUID(int=n, version=4)) for n in range(3)]
    columns = ", ".join(f"r.{name}{'::UUID' if name == 'id_dokumen' else ''} AS {name}" for name in ROWS[0])
    table = pa.Table.from_pylist([row | {"id_dokumen": id_} for row, id_ in zip(ROWS, ids, strict=True)])
    engine.register("given", table)
    engine.execute(f"COPY (SELECT {columns} FROM given r) TO '{tmp_path}/uuid.parquet' (FORMAT parquet)")
    content = (tmp_path / "uuid.parquet").read_bytes()
    assert [case[0] for case in staged(engine, tmp_path, content, 3, "parquet")[0]] == ids
    assert [case[0] for case in read_again(tmp_path, content, "parquet")] == ids


MOMENTS = st.lists(st.none() | st.integers(-(10**9), 2 * 10**9), min_size=3, max_size=3)


@Law
@given(
    moments=MOMENTS,
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    below=st.integers(0, 999_999_999),
    small=st.lists(st.none() | st.floats(-0.001, 0.001) | st.floats(-180, 180, width=32), min_size=3, max_size=3),
)
def test_any_moment_of_parquet_is_read_as_staging_wrote_it(
    engine, tmp_path: Path, moments: list[int | None], unit: str, below: int, small: list[float | None]
) -> None:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    counts = [None if each is None else each * scale + below % scale for each in moments]
    columns = {
        "wawancara_mulai": pa.array(counts, pa.timestamp(unit, "UTC")),
        "r201_tanggal_pencacahan": pa.array([each and each // 86_400 for each in moments], pa.date32()),
        "r203_tanggal_pemeriksaan": pa.array([each and each * scale for each in moments], pa.timestamp(unit)),
        "lintang": pa.array(small, pa.float64()),
        "bujur": pa.array(small, pa.float32()),
        "akurasi_m": pa.array([each if each is None else Decimal(each).quantize(Decimal("0.0001")) for each in small]),
    }
    table = pq.read_table(pa.BufferReader(parquet(DATASET, ROWS)))
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    agree(engine, tmp_path, parquet_of(table), len(ROWS), "parquet")


@pytest.mark.parametrize("width", [np.float16, np.float32])
def test_coordinates_of_few_digits_are_read_alike_and_in_the_fewest(engine, tmp_path: Path, width: type) -> None:
    chance = np.random.default_rng(20221020)
    ties = np.arange(95 * 64, 141 * 64) / 64
    powers = [each * 2.0**power for power in range(-9, 10) for each in (-1, 1)]
    drawn = np.concatenate([chance.uniform(-11, 6, 4000), chance.uniform(95, 141, 4000), [134.921875], ties, powers])
    numbers = drawn[np.abs(drawn) >= 0.001].astype(width)
    row = {name: pa.array([value] * len(numbers)) for name, value in keluarga_row().items()}
    content = parquet_of(pa.table(row | {"lintang": pa.array(numbers), "bujur": pa.array(numbers[::-1])}))
    file, path = described_file(DATASET, content, len(numbers), tmp_path, format_="parquet")
    read_part(engine, file, path, version=VERSION, offset=WITA)
    [*told] = (text for (text,) in engine.execute("SELECT lintang FROM keluarga_text ORDER BY row_no").fetchall())
    assert told == [np.format_float_positional(np.float32(number), trim="0") for number in numbers]
    same_texts(engine, tmp_path, content, "parquet")


DAY = 86_400
FAR = (-719_161, -172_000, 0, 106_000, 2_932_895)  # days, the first and last ones that are read among them


@pytest.mark.parametrize(("unit", "zone"), [("int96", None), *product(["ms", "us", "ns"], [None, "UTC"])])
def test_moments_far_from_today_and_just_off_midnight_are_read_alike(
    engine, tmp_path: Path, unit: str, zone: str | None
) -> None:
    scale = {"ms": 10**3, "us": 10**6, "ns": 10**9, "int96": 10**6}[unit]
    days = [day for day in FAR if unit != "ns" or abs(day) < 106_500]
    counts = [day * DAY * scale + past for day in days for past in (0, 1, DAY * scale - scale)]
    column = pa.array(counts, pa.timestamp("us" if unit == "int96" else unit, zone))
    table = pa.Table.from_pylist([keluarga_row(id_dokumen=f"D{n}") for n in range(len(counts))])
    name = "wawancara_mulai" if zone else "r201_tanggal_pencacahan"
    table = table.set_column(table.schema.get_field_index(name), name, column)
    content = parquet_of(table, use_deprecated_int96_timestamps=unit == "int96")
    agree(engine, tmp_path, content, len(counts), "parquet")
    [(told,)] = engine.execute(f"SELECT count(DISTINCT {name}) FROM keluarga_text").fetchall()
    assert told == len(counts)


KEYS = st.sampled_from(["", "1", "01", "2", "x", "6403010001000100"])
CLAIMS = st.fixed_dictionaries(
    {
        "id_dokumen": st.sampled_from(["", "D1", "D2", "?", "6403010001000100"]), "versi": KEYS,
        "r109_no_bangunan": KEYS, "r110_no_keluarga": KEYS,
    }
)  # fmt: skip


@settings(Law, max_examples=examples(60))
@given(
    families=st.lists(CLAIMS, min_size=1, max_size=6), picks=st.lists(st.tuples(st.integers(0, 5), CELLS), max_size=8)
)
def test_the_contents_of_cases_are_hashed_as_staging_does(
    engine, tmp_path: Path, families: list[dict[str, str]], picks: list[tuple[int, str]]
) -> None:
    keluarga = [keluarga_row(**each) for each in families]
    claims = [families[pick % len(families)] for pick, _ in picks]
    anggota = [
        anggota_row(n, r402_nama=name, **claim) for n, (claim, (_, name)) in enumerate(zip(claims, picks, strict=True))
    ]
    stage_rows(engine, tmp_path, keluarga, anggota)
    staged_ = engine.execute("SELECT lower(hex(content_hash)) FROM kasus ORDER BY keluarga_row").fetchall()
    texts = []
    for dataset, rows in (("keluarga", keluarga), ("anggota", anggota)):
        path = tmp_path / f"again-{dataset}.csv.gz"
        path.write_bytes(csv_gz(dataset, rows))
        texts.append(read_columns(path, "csv.gz", variables(dataset, VERSION), WITA))
    assert contents(*texts, (KEY,)) == [found for (found,) in staged_]


CSV, JSON, PARQUET = csv_gz(DATASET, ROWS), jsonl_gz(DATASET, ROWS), parquet(DATASET, ROWS)
SHORT = [{name: value for name, value in row.items() if name != "versi"} for row in ROWS]


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        pytest.param("csv.gz", CSV[:-20], id="CSV cut short"),
        pytest.param("csv.gz", CSV[:100] + b"\xff" * 40 + CSV[140:], id="CSV damaged"),
        pytest.param("csv.gz", b"", id="CSV of no bytes"),
        pytest.param("csv.gz", PARQUET, id="CSV that is none"),
        pytest.param("csv.gz", gzip.compress(b"\xe9" + gzip.decompress(CSV)), id="CSV in Latin-1"),
        pytest.param("csv.gz", csv_gz(DATASET, SHORT), id="CSV without a column"),
        pytest.param("jsonl.gz", JSON[:-20], id="JSON cut short"),
        pytest.param("jsonl.gz", gzip.compress(b'{"versi": '), id="JSON half"),
        pytest.param("jsonl.gz", gzip.compress(b"[1]"), id="JSON list"),
        pytest.param("jsonl.gz", gzip.compress(b'{"a": ' + b"[" * 99_999 + b"]" * 99_999 + b"}"), id="JSON too deep"),
        pytest.param("parquet", PARQUET[:-20], id="Parquet cut short"),
        pytest.param("parquet", CSV, id="Parquet that is none"),
        pytest.param("parquet", parquet(DATASET, SHORT), id="Parquet without a column"),
    ],
)
def test_an_unreadable_file_raises_what_is_announced(tmp_path: Path, format_: str, content: bytes) -> None:
    with pytest.raises(UNREADABLE):
        read_again(tmp_path, content, format_)
