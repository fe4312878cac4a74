"""CSV, JSON lines and Parquet carry the same case: the same text, the same content hash, the same repairs."""

from datetime import date
from itertools import product
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.repairs import Repair
from regsosek.staging.relations import stage
from support.checks.matrix import examples
from support.checks.staging_reading import NIK, read, values
from support.deliveries.families import PROVINCE, VERSION, WRITERS, anggota_row, delivered_file, keluarga_row

HOUSEHOLD = keluarga_row(r107_alamat='Jl. "Melati", no. 3\r\nRT 1', lintang="-0.502", r114_no_kk=NIK)
MEMBERS = [anggota_row(1, r403_nik=NIK), anggota_row(2, r402_nama="Ñoño\nélan")]


def content_hash(connection: duckdb.DuckDBPyConnection, directory: Path, keluarga: str, anggota: str) -> bytes:
    for dataset, rows, format_ in (("keluarga", [HOUSEHOLD], keluarga), ("anggota", MEMBERS, anggota)):
        assert read_part(connection, *delivered_file(dataset, rows, directory, format_=format_), version=VERSION) in (
            (),
            (Repair(dataset, "crlf", "", 1),),
        )
    stage(connection, part=1, province=PROVINCE, on=date(2022, 10, 21), version=VERSION)
    [(found,)] = connection.execute("SELECT content_hash FROM kasus").fetchall()
    return bytes(found)


def test_a_case_has_one_content_hash_whatever_the_formats_of_its_files(engine, tmp_path: Path) -> None:
    assert len({content_hash(engine, tmp_path, *formats) for formats in product(WRITERS, repeat=2)}) == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXTS, nik=TEXTS)
def test_any_text_reads_the_same_in_every_format(engine, tmp_path: Path, name: str, nik: str) -> None:
    row = anggota_row(1, r402_nama=name, r403_nik=nik)
    found = []
    for format_, write in WRITERS.items():
        read(engine, tmp_path, write("anggota", [row]), 1, format_=format_)
        found.append(values(engine, "r402_nama", "r403_nik"))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("format_", WRITERS)
def test_an_apostrophe_before_a_code_is_taken_off_and_counted(engine, tmp_path: Path, format_: str) -> None:
    rows = [
        anggota_row(1, r403_nik="'" + NIK, r407_umur="'38", r402_nama="'AISYAH"),
        anggota_row(2, r403_nik="'" + NIK, r406_tanggal_lahir="'1984-02-03", r407_umur="'tiga"),
    ]
    repairs = read(engine, tmp_path, WRITERS[format_]("anggota", rows), format_=format_)
    assert [repair for repair in repairs if repair.kind != "crlf"] == [
        Repair("anggota", "apostrophe", "r403_nik", 2),
        Repair("anggota", "apostrophe", "r406_tanggal_lahir", 1),
        Repair("anggota", "apostrophe", "r407_umur", 1),
    ]
    columns = ("r402_nama", "r403_nik", "r406_tanggal_lahir", "r407_umur")
    assert values(engine, *columns) == [
        ("'AISYAH", NIK, "1984-02-03", "38"),
        ("CONTOH", NIK, "1984-02-03", "'tiga"),
    ]


@pytest.mark.parametrize("format_", WRITERS)
@pytest.mark.parametrize(
    "damaged",
    [
        {"r407_umur": "\uff13\uff18"},
        {"r403_nik": "6.40302E+15"},
        {"r406_tanggal_lahir": "03/02/1984"},
        {"r407_umur": "38,0"},
    ],
    ids=["full-width digits", "exponent", "another order of a date", "decimal comma"],
)
def test_what_has_more_than_one_reading_is_left_to_the_rules(
    engine, tmp_path: Path, format_: str, damaged: dict[str, str]
) -> None:
    read(engine, tmp_path, WRITERS[format_]("anggota", [anggota_row(1, **damaged)]), 1, format_=format_)
    assert values(engine, *damaged) == [tuple(damaged.values())]
