"""Simulated answers without planted defects keep every rule of the catalogue and have plausible margins."""

from pathlib import Path

import duckdb
import pytest

from regsosek.contract.codebook import DATASETS, block, variables
from regsosek.quality.rules import load_suites, violation

_HERE = "r404_keberadaan IN (1, 5)"
# Level of a school or diploma: 0 none, 1 primary, 2 junior, 3 senior secondary, then 18 to 22 as they stand.
_LEVEL = "CASE WHEN {0} = 23 THEN 0 WHEN {0} <= 5 THEN 1 WHEN {0} <= 10 THEN 2 WHEN {0} <= 17 THEN 3 ELSE {0} END"
_BIRTH = "r406_tanggal_lahir"
_PROGRAMMES = {letter: name for letter, name in zip("abcdefg", (
    "sembako", "pkh", "blt_desa", "subsidi_listrik", "bantuan_pemda", "subsidi_pupuk", "subsidi_lpg"), strict=True)}  # fmt: skip

# Rules of domain.md 2.5 that the suites do not hold yet, as the rows that break them.
BROKEN = {
    "F01": ("k", "r205_hasil BETWEEN 2 AND 5 AND r600_catatan IS NULL"),
    "F02": ("k", "r205_hasil IN (3, 4, 5) AND (r301a_status_bangunan IS NOT NULL OR roster_rows > 0)"),
    "F03": ("k", "r203_tanggal_pemeriksaan < r201_tanggal_pencacahan OR r203_tanggal_pemeriksaan > DATE '2022-10-25'"),
    "F05": ("k", "r205_hasil = 1 AND (roster_last > r112_jumlah_anggota OR roster_present > r112_jumlah_anggota)"),
    "H02": ("k", "r302_luas_lantai < 2 * roster_present OR r302_luas_lantai > 500"),
    "H06": ("k", "r307a_penerangan = 4 AND 1 IN (r502b_kulkas, r502c_ac, r502d_pemanas_air, r502f_tv_datar, r502h_komputer)"),
    "H07": ("k", "(r308_bahan_bakar IN (2, 3)) <> (r502a_tabung_gas = 1)"),
    "H08": ("k", "r501d_subsidi_listrik = 1 AND NOT coalesce(r307a_penerangan = 1 AND (r307b1_daya <= 2 OR r307b2_daya <= 2), false)"),
    "H09": ("k", "r501g_subsidi_lpg = 1 AND r308_bahan_bakar <> 4"),
    "H10": ("k", "r307b1_daya = 1 AND 1 IN (r502c_ac, r502d_pemanas_air, r502k_mobil)"),
    "P02": ("a", "NOT regexp_full_match(r402_nama, '[A-Za-z .'',]+')"),
    "P06": ("(SELECT id_dokumen, count(*) AS n FROM a WHERE r409_hubungan = 2 GROUP BY 1)", "n > 1"),
    "P07": ("a", "(r409_hubungan IN (1, 2) AND r407_umur < 10) OR (r409_hubungan = 3 AND r407_umur > head_age - 10)"),
    "P08": ("a", "r409_hubungan = 2 AND (r408_status_kawin <> 2 OR r405_jenis_kelamin = head_sex)"),
    "P09": ("a", f"r407_umur <> date_part('year', age(r201_tanggal_pencacahan, {_BIRTH}))"),
    "P11": ("a", "(r411_identitas & 4 > 0 AND r407_umur < 17 AND r408_status_kawin = 1) "
                 "OR (r411_identitas & 2 > 0 AND (r407_umur >= 17 OR r408_status_kawin <> 1))"),
    "P13": ("a", f"{_LEVEL.format('r415_ijazah')} > {_LEVEL.format('r413_jenjang')} "
                 "OR (r415_ijazah BETWEEN 19 AND 22 AND r407_umur < 16) OR (r415_ijazah BETWEEN 11 AND 17 AND r407_umur < 16)"),
    "P15": ("a", "r418_status_pekerjaan IN (1, 2, 3) AND r420a_usaha = 2"),
    "P16": ("a", "r418_status_pekerjaan = 3 AND r420a_usaha = 1 AND r422_pekerja_dibayar < 1"),
    "N01": ("a", f"r403_nik[7:12] <> lpad((day({_BIRTH}) + if(r405_jenis_kelamin = 2, 40, 0))::VARCHAR, 2, '0') "
                 f"|| strftime({_BIRTH}, '%m%y')"),
    "N03": ("a", "r403_nik[13:16] = '0000'"),
    "N04": ("(SELECT r403_nik, count(*) AS n FROM a WHERE r403_nik IS NOT NULL GROUP BY 1)", "n > 1"),
    "F06": ("(SELECT r114_no_kk, count(*) AS n FROM k WHERE r114_no_kk IS NOT NULL GROUP BY 1)", "n > 1"),
    "D02": ("k", "akurasi_m > 50"),
    "D03": ("(SELECT id_subsls, avg(roster_present) AS n FROM k WHERE r205_hasil = 1 GROUP BY 1)", "n NOT BETWEEN 1.5 AND 6"),
} | {
    f"V01-501{letter}": ("k", f"r501{letter}_{name} = 1 AND make_date(r501{letter}_tahun, r501{letter}_bulan, 1) "
                              "NOT BETWEEN DATE '2021-10-01' AND DATE '2022-10-01'")
    for letter, name in _PROGRAMMES.items()
}  # fmt: skip


def _count(connection: duckdb.DuckDBPyConnection, relation: str, condition: str) -> int:
    [(count,)] = connection.execute(f"SELECT count(*) FROM {relation} WHERE {condition}").fetchall()
    return int(count)


def _value(connection: duckdb.DuckDBPyConnection, expression: str, relation: str) -> float:
    [(value,)] = connection.execute(f"SELECT {expression} FROM {relation}").fetchall()
    return float(value)


@pytest.mark.parametrize("rule", BROKEN)
def test_rules_without_a_suite_are_kept(answers: duckdb.DuckDBPyConnection, rule: str) -> None:
    relation, condition = BROKEN[rule]
    assert _count(answers, relation, condition) == 0


@pytest.mark.parametrize("dataset", DATASETS)
def test_suites_find_nothing_but_new_sub_sls(answers: duckdb.DuckDBPyConnection, dataset: str) -> None:
    suite = load_suites(Path(__file__).parents[3] / "expectations")[dataset]
    relation = {"keluarga": "k", "anggota": "member"}[dataset]
    broken = {rule.id for rule in suite.rules if _count(answers, relation, violation(rule))}
    assert broken <= {"G03"}


@pytest.mark.parametrize("dataset", DATASETS)
def test_universes_of_the_codebook_are_respected(answers: duckdb.DuckDBPyConnection, dataset: str) -> None:
    relation = {"keluarga": "k", "anggota": "member"}[dataset]
    for item in (item for item in variables(dataset) if item.universe):
        asked = block(dataset, item.block)
        if item.required != "yes_outside_free":
            outside = f"({asked.applies_when}) AND NOT ({item.universe}) AND {item.name} IS NOT NULL"
            assert _count(answers, relation, outside) == 0, item.name
        if item.required != "no":
            missing = f"({asked.required_when}) AND ({item.universe}) AND {item.name} IS NULL"
            assert _count(answers, relation, missing) == 0, item.name
            assert _count(answers, relation, f"({asked.required_when}) AND ({item.universe})") > 0, item.name


def test_families_and_persons_are_plausible(answers: duckdb.DuckDBPyConnection) -> None:
    assert 2.9 < _value(answers, "avg(roster_present)", "k WHERE r205_hasil = 1") < 3.25
    sexes = "count(*) FILTER (r405_jenis_kelamin = 1) / count(*) FILTER (r405_jenis_kelamin = 2)"
    assert 0.95 < _value(answers, sexes, "a") < 1.08
    for condition, low, high in (("< 15", 0.19, 0.28), ("BETWEEN 15 AND 64", 0.64, 0.75), (">= 65", 0.04, 0.09)):
        assert low < _value(answers, f"avg((r407_umur {condition})::INT)", f"a WHERE {_HERE}") < high, condition


def test_results_of_enumeration_have_their_shares(answers: duckdb.DuckDBPyConnection) -> None:
    assert 0.94 < _value(answers, "avg((r205_hasil = 1)::INT)", "k") < 0.98
    for result in (2, 3, 4, 5):
        assert 0.001 < _value(answers, f"avg((r205_hasil = {result})::INT)", "k") < 0.04, result


def test_the_poor_live_differently(answers: duckdb.DuckDBPyConnection) -> None:
    share = "avg(({0})::INT) FILTER (r111_status_keluarga = 1) - avg(({0})::INT) FILTER (r111_status_keluarga = 3)"
    assert _value(answers, share.format("r303_lantai IN (5, 6, 7, 8)"), "k") > 0.3
    assert _value(answers, share.format("r501b_pkh = 1"), "k") > 0.3
    assert _value(answers, share.format("r502b_kulkas = 1"), "k") < -0.3


def test_an_incomplete_interview_lacks_answers_but_keeps_its_roster(answers: duckdb.DuckDBPyConnection) -> None:
    assert _count(answers, "k", "r205_hasil = 2 AND r506_rekening IS NULL") > 0
    assert _count(answers, "k", "r205_hasil = 2 AND r301a_status_bangunan IS NOT NULL") > 0
    assert _count(answers, "a", f"r205_hasil = 2 AND {_HERE} AND r407_umur IS NULL") == 0
