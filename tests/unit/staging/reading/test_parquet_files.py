"""Parquet: typed columns become the text of a CSV where that is certain, and nothing in a file hurts the reader."""

import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import STREAMS, variables
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.repairs import Repair
from support.checks.matrix import examples
from support.checks.staging_reading import NIK, ROWS, read, refused, values
from support.deliveries.families import VERSION, parquet, parquet_of

FORMAT = "parquet"
WHOLE = parquet("anggota", ROWS)
# A piece of the schema that Arrow keeps among the metadata.
SCHEMA = WHOLE[(_place := WHOLE.index(b"ARROW:schema") + 30) : _place + 20]
TABLE = pq.read_table(pa.BufferReader(WHOLE))
NAN = float("nan")
MIDNIGHT = datetime(1984, 2, 3, tzinfo=UTC).replace(tzinfo=None)  # as pandas keeps a date
FAMILIES = pa.table({v.name: pa.nulls(2, pa.string()) for v in variables("keluarga", VERSION)})


def with_column(name: str, column: Any, table: pa.Table = TABLE) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def of_pages(**options: Any) -> bytes:
    return parquet_of(TABLE, **options)


@pytest.mark.parametrize(
    ("name", "column", "texts", "repairs"),
    [
        ("r407_umur", pa.array([38, None], pa.int64()), ["38", None], {}),
        ("r407_umur", pa.array([38, 7], pa.uint8()), ["38", "7"], {}),
        ("r407_umur", pa.array([38.0, NAN]), ["38", None], {"fraction_of_zero": 1}),
        ("r407_umur", pa.array([38.0, 7.0], pa.float32()), ["38", "7"], {"fraction_of_zero": 2}),
        ("r407_umur", pa.array([38.5, None]), ["38.5", None], {}),
        ("r407_umur", pa.array([Decimal("38.00"), None]), ["38", None], {}),
        ("r403_nik", pa.array([int(NIK), None]), [NIK, None], {"number_for_code": 1}),
        ("r403_nik", pa.array([float(NIK), NAN]), [NIK, None], {"number_for_code": 1}),
        ("r402_nama", pa.array(["A", "B"]).dictionary_encode(), ["A", "B"], {}),
        ("r402_nama", pa.array(["A", "B"], pa.large_string()), ["A", "B"], {}),
        ("r402_nama", pa.nulls(2), [None, None], {}),
        ("r402_nama", pa.nulls(2, pa.bool_()), [None, None], {}),
        ("r406_tanggal_lahir", pa.nulls(2), [None, None], {}),
        ("r406_tanggal_lahir", pa.array([date(1984, 2, 3), None]), ["1984-02-03", None], {}),
        ("r406_tanggal_lahir", pa.array([MIDNIGHT, None]), ["1984-02-03", None], {"midnight_for_date": 1}),
        (
            "r406_tanggal_lahir",
            pa.array([MIDNIGHT, MIDNIGHT + timedelta(hours=9)], pa.timestamp("ns")),
            ["1984-02-03", "1984-02-03T09:00:00"],
            {"midnight_for_date": 1},
        ),
    ],
)
def test_a_typed_column_becomes_the_text_that_a_csv_would_have_carried(
    engine, tmp_path: Path, name: str, column: Any, texts: list[str | None], repairs: dict[str, int]
) -> None:
    found = read(engine, tmp_path, parquet_of(with_column(name, column)), format_=FORMAT)
    assert [text for (text,) in values(engine, name)] == texts
    assert found == [Repair("anggota", kind, name, amount) for kind, amount in repairs.items()]


def test_nan_among_several_whole_numbers_is_missing(engine, tmp_path: Path) -> None:
    content = parquet_of(with_column("r407_umur", pa.array([38.0, NAN, 7.0, 9.0]), pa.concat_tables([TABLE, TABLE])))
    read(engine, tmp_path, content, 4, format_=FORMAT)
    assert values(engine, "r407_umur") == [("38",), (None,), ("7",), ("9",)]


def test_nan_is_missing_whatever_bounds_the_file_names(engine, tmp_path: Path) -> None:
    families = pa.table({v.name: pa.nulls(3, pa.string()) for v in variables("keluarga", VERSION)})
    content = parquet_of(with_column("id_dokumen", pa.array([NAN, 0.5, 0.25]), families))
    bounds = pq.read_metadata(pa.BufferReader(content)).row_group(0).column(0).statistics
    assert (bounds.min, bounds.max) == (0.25, 0.5)
    read(engine, tmp_path, content, 3, format_=FORMAT, dataset="keluarga")
    assert values(engine, "id_dokumen", dataset="keluarga") == [(None,), ("0.5",), ("0.25",)]


@pytest.mark.parametrize(
    ("name", "column", "texts"),
    [
        ("lintang", pa.array([-0.502, 1e-05]), ["-0.502", "0.00001"]),
        ("lintang", pa.array([-7.25, NAN], pa.float32()), ["-7.25", None]),
        ("lintang", pa.array([Decimal("-0.5020"), None]), ["-0.5020", None]),
        (
            "waktu_sinkron",
            pa.array([datetime(2022, 10, 20, 1, tzinfo=UTC), datetime(2022, 10, 20, 1, 2, 3, 500_000, tzinfo=UTC)]),
            ["2022-10-20T09:00:00+08:00", "2022-10-20T09:02:03.5+08:00"],
        ),
        (
            "waktu_sinkron",
            pa.array([datetime(2022, 10, 20, 9, tzinfo=timezone(timedelta(hours=8))), None]),
            ["2022-10-20T09:00:00+08:00", None],
        ),
    ],
)
def test_coordinates_and_instants_keep_their_value(
    engine, tmp_path: Path, name: str, column: Any, texts: list[str | None]
) -> None:
    content = parquet_of(with_column(name, column, FAMILIES))
    assert read(engine, tmp_path, content, format_=FORMAT, dataset="keluarga") == []
    assert [text for (text,) in values(engine, name, dataset="keluarga")] == texts


@pytest.mark.parametrize("dataset", ["keluarga", *STREAMS])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Makassar"])
def test_instants_are_read_in_every_unit(engine, tmp_path: Path, dataset: str, unit: str, zone: str) -> None:
    columns = [v for v in variables(dataset, VERSION) if v.kind == "timestamp"]
    table = pa.table({v.name: pa.nulls(3, pa.string()) for v in variables(dataset, VERSION)})
    moment = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] * 1_666_227_600
    half = 0 if unit == "s" else moment // 1_666_227_600 // 2
    for variable in columns:
        column = pa.array([moment, moment + half, None], pa.timestamp(unit, zone))
        table = with_column(variable.name, column, table)
    assert read(engine, tmp_path, parquet_of(table), 3, format_=FORMAT, dataset=dataset) == []
    told = "2022-10-20T09:00:00.5+08:00" if half else "2022-10-20T09:00:00+08:00"
    for variable in columns:
        found = [text for (text,) in values(engine, variable.name, dataset=dataset)]
        assert found == ["2022-10-20T09:00:00+08:00", told, None]


def test_what_a_clock_says_below_a_microsecond_is_not_lost(engine, tmp_path: Path) -> None:
    column = pa.array([1_666_227_600_123_456_789, None], pa.timestamp("ns", "UTC"))
    content = parquet_of(with_column("waktu_sinkron", column, FAMILIES))
    read(engine, tmp_path, content, format_=FORMAT, dataset="keluarga")
    assert values(engine, "waktu_sinkron", dataset="keluarga") == [("2022-10-20T09:00:00.123456789+08:00",), (None,)]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        pytest.param("r402_nama", pa.array([True, None]), id="boolean"),
        pytest.param("r402_nama", pa.array([timedelta(1), None], pa.duration("us")), id="span of time for text"),
        pytest.param("r407_umur", pa.array([timedelta(1), None], pa.duration("ns")), id="span of time for a number"),
        pytest.param("r402_nama", pa.array([b"CONTOH", None]), id="binary"),
        pytest.param("r402_nama", pa.array([["CONTOH"], None]), id="list"),
        pytest.param("r402_nama", pa.array([{"a": "CONTOH"}, None]), id="structure"),
        pytest.param("r402_nama", pa.array([date(1984, 2, 3), None]), id="date for text"),
        pytest.param("r403_nik", pa.array([9.5e15, None]), id="digits that a double lost"),
        pytest.param("r403_nik", pa.array([float(2**24), None], pa.float32()), id="digits that a float lost"),
        pytest.param("r407_umur", pa.array([float("inf"), None]), id="infinity"),
        pytest.param("r406_tanggal_lahir", pa.array([19840203, None]), id="whole number for a date"),
        pytest.param("r406_tanggal_lahir", pa.array([datetime(1984, 2, 3, tzinfo=UTC), None]), id="instant for a date"),
    ],
)
def test_a_type_without_certain_text_is_refused_by_the_column_s_name(
    engine, tmp_path: Path, name: str, column: Any
) -> None:
    breach = refused(engine, tmp_path, parquet_of(with_column(name, column)), format_=FORMAT)
    assert breach.reason == "column_type"
    assert f"send as text: {name} (" in breach.detail


DAY, UNITS = 86_400, {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FIRST, LAST = -719_161, 2_932_895  # 0001-01-02 and 9999-12-30, in days


def moments(unit: str, count: int, zone: str | None = None) -> Any:
    return pa.array([count, None], pa.timestamp(unit, zone))


@pytest.mark.parametrize(
    "column",
    [
        *(pa.array([day, None], pa.date32()) for day in (FIRST - 1, LAST + 1, LAST + 2, -(2**31), 2**31 - 1)),
        pa.array([(LAST + 2) * DAY * 1000, None], pa.date64()),
        *(moments(unit, day * DAY * UNITS[unit]) for unit in ("s", "ms", "us") for day in (FIRST - 1, LAST + 1)),
        *(moments(unit, count) for unit in ("us", "ns") for count in (2**63 - 1, 2**63 - 2, 1 - 2**63, -(2**63))),
    ],
)
def test_a_date_that_not_every_reader_can_tell_is_refused(engine, tmp_path: Path, column: Any) -> None:
    breach = refused(engine, tmp_path, parquet_of(with_column("r406_tanggal_lahir", column)), format_=FORMAT)
    days = "1677-09-23 to 2262-04-10" if column.type == pa.timestamp("ns") else "0001-01-02 to 9999-12-30"
    assert str(breach).endswith(
        f"column_type: anggota-00001.parquet: send as text: r406_tanggal_lahir (moments outside {days})"
    )


@pytest.mark.parametrize(
    "column",
    [
        *(moments(unit, day * DAY * UNITS[unit], "UTC") for unit in ("s", "ms", "us") for day in (FIRST - 1, LAST + 1)),
        *(moments(u, count, "UTC") for u in ("us", "ns") for count in (2**63 - 1, 2**63 - 2, 1 - 2**63, -(2**63))),
    ],
)
def test_an_instant_that_not_every_reader_can_tell_is_refused(engine, tmp_path: Path, column: Any) -> None:
    content = parquet_of(with_column("waktu_sinkron", column, FAMILIES))
    with pytest.raises(ContractBreachError, match=r"^column_type: .*: waktu_sinkron \(moments outside [0-9-]{10} to "):
        read(engine, tmp_path, content, format_=FORMAT, dataset="keluarga")


def nested_before() -> bytes:
    structure = pa.array([{"r402_nama": "LAIN", "b": {"c": 1}}] * 2)
    return parquet_of(TABLE.add_column(0, "lain", structure))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(of_pages(compression="zstd"), id="zstd"),
        pytest.param(of_pages(compression="gzip", use_dictionary=False), id="gzip"),
        pytest.param(of_pages(row_group_size=1), id="a row group per row"),
        pytest.param(of_pages(data_page_version="2.0", version="2.6"), id="pages of version 2"),
        pytest.param(parquet_of(TABLE.select(TABLE.column_names[::-1])), id="columns in another order"),
        pytest.param(parquet_of(TABLE.append_column("__index_level_0__", pa.array([0, 1]))), id="index of pandas"),
        pytest.param(nested_before(), id="unknown nested column"),
        pytest.param(parquet_of(TABLE.rename_columns([n.upper() for n in TABLE.column_names])), id="capitals"),
    ],
)
def test_however_a_file_is_laid_out_it_reads_the_same(engine, tmp_path: Path, content: bytes) -> None:
    read(engine, tmp_path, content, format_=FORMAT)
    assert values(engine, "r402_nama", "r403_nik") == [("CONTOH", NIK), ("LAIN", None)]


def test_a_file_without_rows_is_read(engine, tmp_path: Path) -> None:
    assert read(engine, tmp_path, parquet_of(TABLE.slice(0, 0)), 0, format_=FORMAT) == []


def long_value() -> bytes:
    """A value of 10 MB that the metadata show once, however many rows repeat it."""
    return parquet_of(with_column("r402_nama", pa.array(["X" * 10_000_000] * 2)))


def repeated_value() -> bytes:
    """20 GB of text in a few kilobytes: one value in a dictionary, referred to by every row."""
    rows = 40_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["X" * 500_000]))
    columns = {
        v.name: column if v.name == "r402_nama" else pa.nulls(rows, pa.string()) for v in variables("anggota", VERSION)
    }
    return parquet_of(pa.table(columns), row_group_size=rows)


def repeated_row() -> bytes:
    """Two million rows without a value."""
    nothing = pa.nulls(2_000_000, pa.string())
    return parquet_of(pa.table({v.name: nothing for v in variables("anggota", VERSION)}), row_group_size=2_000_000)


@pytest.mark.parametrize(
    ("reason", "content", "rows"),
    [
        pytest.param("file_unreadable", b"", 2, id="empty"),
        pytest.param("file_unreadable", b"r402_nama,r403_nik\r\n", 2, id="not Parquet"),
        pytest.param("file_unreadable", WHOLE[:-20], 2, id="cut short"),
        pytest.param("file_unreadable", WHOLE.replace(SCHEMA, b"/" * len(SCHEMA)), 2, id="Arrow's schema damaged"),
        pytest.param("file_unreadable", WHOLE[: len(WHOLE) // 2] + WHOLE[-400:], 2, id="a piece missing"),
        pytest.param("file_unreadable", b"PARE" + WHOLE[4:-4] + b"PARE", 2, id="encrypted"),
        pytest.param("file_unreadable", parquet_of(pa.table({})), 2, id="no columns"),
        pytest.param("row_count", WHOLE, 3, id="another number of rows"),
        pytest.param("columns_differ", parquet_of(TABLE.drop_columns(["r402_nama"])), 2, id="missing column"),
        pytest.param(
            "columns_differ", parquet_of(TABLE.append_column("r402_nama", TABLE["r403_nik"])), 2, id="column twice"
        ),
        pytest.param(
            "columns_differ",
            parquet_of(TABLE.append_column("R402_nama", TABLE["r403_nik"])),
            2,
            id="twice but for case",
        ),
        pytest.param("file_too_large", repeated_row(), 2_000_000, id="a bomb of rows"),
        pytest.param("file_too_large", long_value(), 2, id="a long value"),
        pytest.param("file_too_large", repeated_value(), 40_000, id="a bomb of one value"),
        pytest.param("nul_characters", parquet_of(with_column("r402_nama", pa.array(["CON\0TOH", None]))), 2, id="NUL"),
    ],
)
def test_what_breaks_the_contract_is_refused_without_quoting_it(
    engine, tmp_path: Path, reason: str, content: bytes, rows: int
) -> None:
    assert refused(engine, tmp_path, content, rows, format_=FORMAT).reason == reason


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.integers(4, len(WHOLE) - 9), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_file_is_read_or_refused_and_never_our_fault(engine, tmp_path: Path, changes: dict[int, int]) -> None:
    damaged = bytearray(WHOLE)
    for place, byte in changes.items():
        damaged[place] = byte
    try:
        read(engine, tmp_path, bytes(damaged), format_=FORMAT)
    except ContractBreachError as breach:
        assert NIK not in str(breach)


def test_a_column_that_ends_early_is_refused_for_the_audit_could_not_read_it(engine, tmp_path: Path) -> None:
    """The engine reads such a file whole, and Arrow's batches end with the column, without an error."""
    changed = (WHOLE[:place] + b"\0" + WHOLE[place + 1 :] for place in range(4, 200))
    early = next(content for content in changed if _ends_early(content))
    assert refused(engine, tmp_path, early, 2, format_=FORMAT).reason == "file_unreadable"


def _ends_early(content: bytes) -> bool:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        return sum(each.num_rows for each in file.iter_batches(use_threads=False)) < file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        return False
