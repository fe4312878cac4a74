"""One clean family and its members as delivered text, to be changed one answer at a time; and files made of them."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from regsosek.contract.manifest import DeliveredFile
from regsosek.staging.reading.files import read_part
from regsosek.staging.relations import stage

VERSION = first_version()
PROVINCE = "64"
DESA = "6403010001"
SUBSLS = DESA + "000100"
DELIVERED_ON = date(2022, 10, 21)
Row = dict[str, str]

_DWELLING = {
    "r301a_status_bangunan": "1", "r301b_bukti_kepemilikan": "1", "r302_luas_lantai": "48", "r303_lantai": "2",
    "r304_dinding": "1", "r305_atap": "3", "r306a_air_minum": "03", "r307a_penerangan": "1", "r307b1_daya": "2",
    "r308_bahan_bakar": "04", "r309a_fasilitas_bab": "1", "r309b_kloset": "1", "r310_pembuangan_tinja": "1",
}  # fmt: skip
_TIMES = {
    "wawancara_mulai": "2022-10-20T09:00:00+08:00", "wawancara_selesai": "2022-10-20T09:40:00+08:00",
    "waktu_sinkron": "2022-10-20T19:00:00+08:00",
}  # fmt: skip


def keluarga_row(**changes: str) -> Row:
    """A clean family of two in East Kalimantan, as delivered; ``changes`` by column name."""
    row = dict.fromkeys((v.name for v in variables("keluarga", VERSION)), "")
    row |= {v.name: "2" for v in variables("keluarga", VERSION) if v.codes == "ya_tidak"}
    row |= {v.name: "0" for v in variables("keluarga", VERSION) if v.item.startswith("504")}
    row |= {
        "id_dokumen": "D1", "versi": "1", "status_dokumen": "1", "id_subsls": SUBSLS, "r101_provinsi": "64",
        "r102_kabkota": "03", "r103_kecamatan": "010", "r104_desa": "001", "r105a_sls": "0001", "r105b_subsls": "00",
        "r109_no_bangunan": "001", "r110_no_keluarga": "001", "r112_jumlah_anggota": "02",
        "r201_tanggal_pencacahan": "2022-10-20", "r202_kode_ppl": "0007", "r205_hasil": "1", "r505_internet": "3",
        "r506_rekening": "4",
    }  # fmt: skip
    return row | _DWELLING | _TIMES | changes


def anggota_row(number: int = 1, **changes: str) -> Row:
    """A clean adult member: number 1 is the head, the others are spouses of 38; ``changes`` by column name."""
    row = dict.fromkeys((v.name for v in variables("anggota", VERSION)), "")
    row |= {v.name: "4" for v in variables("anggota", VERSION) if v.item.startswith("428")}
    row |= {
        "id_dokumen": "D1", "versi": "1", "id_subsls": SUBSLS, "r109_no_bangunan": "001", "r110_no_keluarga": "001",
        "r401_no_urut": f"{number:02d}", "r402_nama": "CONTOH", "r404_keberadaan": "1",
        "r405_jenis_kelamin": "1" if number == 1 else "2", "r406_tanggal_lahir": "1984-02-03", "r407_umur": "038",
        "r408_status_kawin": "2", "r409_hubungan": "1" if number == 1 else "2",
        "r410_hamil": "" if number == 1 else "2", "r411_identitas": "5", "r412_sekolah": "3", "r413_jenjang": "13",
        "r414_kelas": "8", "r415_ijazah": "13", "r416a_bekerja": "2", "r420a_usaha": "2", "r430_penyakit_kronis": "01",
        "r431a_jaminan_kesehatan": "01", "r431b_prakerja": "2", "r431c_kur": "2", "r431d_umi": "2",
        "r431f_jaminan_ketenagakerjaan": "00",
    }  # fmt: skip
    return row | changes


def csv_gz(dataset: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """A delivered file of ``dataset``, with the columns of its first row."""
    rows, text = list(rows), io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [v.name for v in variables(dataset, VERSION)])
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def jsonl_gz(dataset: str, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The same as JSON lines; an empty value is null."""
    lines = (json.dumps({name: None if value == "" else value for name, value in row.items()}) for row in rows)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def parquet(dataset: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """The same as Parquet, all columns text; an empty value is null."""
    written = list(rows)
    names = list(written[0]) if written else [v.name for v in variables(dataset, VERSION)]
    table = pa.table({n: pa.array([row[n] or None for row in written], pa.string()) for n in names})
    return parquet_of(table)


def parquet_of(table: pa.Table, **options: Any) -> bytes:
    """A Parquet file in memory."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue().to_pybytes())


WRITERS = {"csv.gz": csv_gz, "jsonl.gz": jsonl_gz, "parquet": parquet}


def described_file(
    dataset: str, content: bytes, rows: int, directory: Path, part: int = 1, format_: str = "csv.gz"
) -> tuple[DeliveredFile, Path]:
    """Writes ``content`` as one file and describes it as its manifest would."""
    name = f"{dataset}-{part:05d}.{format_}"
    (directory / name).write_bytes(content)
    described = DeliveredFile.model_validate(
        {"name": name, "dataset": dataset, "part": part, "format": format_, "rows": rows}
        | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    )
    return described, directory / name


_CHANGE = date(2022, 10, 18)
_BEFORE = date(2022, 10, 17)
_OPENS = date(2022, 1, 1)
# Sub-SLS below DESA: six digits, desa that the frame says, first and last day.
_FRAME: list[list[str | date | None]] = [
    ["000100", DESA, _OPENS, None],
    ["000300", DESA, _OPENS, _BEFORE], ["000301", DESA, _CHANGE, None], ["000302", DESA, _CHANGE, None],
    ["000400", DESA, _OPENS, _BEFORE],
    ["000500", DESA, _OPENS, date(2022, 5, 31)],
    ["000600", DESA, _OPENS, _BEFORE],
    ["000700", DESA, _OPENS, _BEFORE], ["000800", DESA, _CHANGE, None],
]  # fmt: skip
# What became of them: old and new, status, from which day.
_PSLS: list[tuple[str, str, int, date]] = [
    ("000300", "000301", 1, _CHANGE), ("000300", "000302", 1, _CHANGE),
    ("000400", "000100", 2, _CHANGE),
    ("000500", "000400", 3, date(2022, 6, 1)),
    ("000600", "000699", 3, _CHANGE),
    ("000700", "000100", 1, _CHANGE), ("000700", "000800", 1, _CHANGE),
]  # fmt: skip


def _psls(old: str, new: str, status: int, valid_from: date) -> list[str | int | date]:
    return [DESA, old, DESA, new, status, valid_from]


def delivered_file(
    dataset: str, rows: list[Row], directory: Path, part: int = 1, format_: str = "csv.gz"
) -> tuple[DeliveredFile, Path]:
    """Writes ``rows`` as one file in ``format_`` and describes it."""
    return described_file(dataset, WRITERS[format_](dataset, rows), len(rows), directory, part, format_)


def reference_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """A frame of one sub-SLS that stays and some that change on 18 October, their PSLS, and the regions above them."""
    connection.execute("CREATE TABLE frame (id_subsls VARCHAR, id_desa VARCHAR, valid_from DATE, valid_to DATE)")
    connection.executemany("INSERT INTO frame VALUES (? || ?, ?, ?, ?)", [[DESA, *row] for row in _FRAME])
    connection.execute(
        "CREATE TABLE psls (id_subsls_lama VARCHAR, id_subsls_baru VARCHAR, status SMALLINT, valid_from DATE)"
    )
    connection.executemany("INSERT INTO psls VALUES (? || ?, ? || ?, ?, ?)", [_psls(*row) for row in _PSLS])
    connection.execute("CREATE TABLE region (code VARCHAR, level VARCHAR)")
    connection.execute(
        "INSERT INTO region VALUES ('64', 'provinsi'), ('6403', 'kabkota'), ('6403010', 'kecamatan'), (?, 'desa')",
        [DESA],
    )


def stage_rows(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    keluarga: list[Row],
    anggota: list[Row],
    version: str = VERSION,
    *,
    alone: bool = True,
) -> None:
    """Reads and stages one part made of ``keluarga`` and ``anggota``: the whole delivery, or one of counted parts."""
    for dataset, rows in (("keluarga", keluarga), ("anggota", anggota)):
        read_part(connection, *delivered_file(dataset, rows, directory), version=version)
    stage(connection, part=1, province=PROVINCE, on=DELIVERED_ON, version=version, alone=alone)
