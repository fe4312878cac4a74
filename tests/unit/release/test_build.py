"""The files of a release: the same from the same figures, honest about what is missing, silent about small places."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from regsosek.geography.regions import NATION
from regsosek.release.build import build
from regsosek.release.figures.words import night_states
from regsosek.release.files.tables import csv_bytes, with_context
from regsosek.release.lifecycle.manifest import ReleaseFiles, manifest
from regsosek.statistics.definitions.definitions import definitions, needed_beside
from support.checks.matrix import FULL
from support.figures import made_up

TELLING = {"selesai", "menolak", "dikarantina", "tidak_ada_responden", "pindah", "perbaikan_tertunda", "tak_terpetakan"}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return made_up.built()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def tables(files: dict[str, bytes]) -> set[str]:
    return {name for name in files if name.endswith(".csv") and not name.endswith(".sdmx.csv")} - {
        "definisi.csv",
    }


@FULL
def test_building_again_gives_the_same_bytes_and_identity(files: dict[str, bytes]) -> None:
    again = ReleaseFiles(made_up.NIGHT, build(made_up.figures()))
    assert again.content_hash == ReleaseFiles(made_up.NIGHT, files).content_hash
    assert again.release_id.startswith("2022-10-23-")


def test_any_changed_byte_changes_the_identity(files: dict[str, bytes]) -> None:
    changed = files | {"desa.csv": files["desa.csv"] + b"\n"}
    assert ReleaseFiles(made_up.NIGHT, changed).content_hash != ReleaseFiles(made_up.NIGHT, files).content_hash


def test_when_it_was_built_stands_in_the_manifest_alone(files: dict[str, bytes]) -> None:
    release, figures = ReleaseFiles(made_up.NIGHT, files), made_up.figures()
    first, second = (manifest(figures, release, "0", datetime(2022, 10, day, tzinfo=UTC)) for day in (24, 25))
    assert first.pop("built_at") != second.pop("built_at")
    assert first == second


@pytest.mark.parametrize("name", ["kecamatan.csv", "desa.csv"])
def test_below_kabkota_nothing_is_told_but_visited_against_the_frame(files: dict[str, bytes], name: str) -> None:
    header = set(rows(files[name])[0])
    assert "dikunjungi" in header
    assert not header & TELLING


@pytest.mark.parametrize("name", ["nasional.csv", "provinsi.csv", "kabkota.csv"])
def test_down_to_kabkota_everything_is_told(files: dict[str, bytes], name: str) -> None:
    assert set(rows(files[name])[0]) >= TELLING


def test_every_table_names_night_cut_off_scale_and_who_is_missing(files: dict[str, bytes]) -> None:
    for name in tables(files):
        first = rows(files[name])[0]
        assert (first["malam"], first["skala"], first["provinsi_belum_lengkap"]) == (
            "2022-10-23", "0.0005", "Kalimantan Timur; Maluku; Papua",
        ), name  # fmt: skip
        assert first["data_sampai"].startswith("2022-10-23 23.59 "), name


def test_a_row_has_the_scale_of_its_province_and_the_nation_that_of_all() -> None:
    figures = made_up.figures()
    own = figures.completion
    scale = own["scale"].mask(own["code"] == "91", 0.002)
    sampled = replace(figures, completion=own.assign(scale=scale))
    upper = own[own["province"].isin(["91", "11"]) | (own["code"] == NATION)]
    told = dict(zip(upper["code"], with_context(sampled, upper, "province")["scale"], strict=True))
    assert {each for code, each in told.items() if code.startswith("91")} == {"0.002"}
    assert {each for code, each in told.items() if code.startswith("11")} == {"0.0005"}
    provinces = own[own["level"] == "provinsi"].set_index("code")["target_families"].astype(float)
    whole = (provinces / 0.0005).sum() + provinces["91"] * (1 / 0.002 - 1 / 0.0005)
    assert float(told[NATION]) == pytest.approx(provinces.sum() / whole, abs=1e-9)


def test_codes_are_text_and_in_order(files: dict[str, bytes]) -> None:
    codes = [row["kode"] for row in rows(files["desa.csv"])]
    assert codes == sorted(codes)
    assert {len(code) for code in codes} == {10}


def test_no_denominator_gives_an_empty_cell_and_more_than_all_is_not_clipped() -> None:
    tree = made_up.completion()
    tree.loc[tree["code"] == "12", "target_families"] = 0
    tree.loc[tree["code"] == "13", "visited"] = tree.loc[tree["code"] == "13", "target_families"] * 2
    shares = made_up.region_rows(tree, made_up.NIGHT).set_index("code")["visited_of_target"]
    assert pd.isna(shares["12"])
    assert shares["13"] == 200
    assert csv_bytes(pd.DataFrame({"visited_of_target": [None, 200.0]}), ["visited_of_target"]) == (
        b'persen_dikunjungi_dari_target\n""\n200.00\n'
    )


def test_the_summary_says_the_same_as_the_tables(files: dict[str, bytes]) -> None:
    summary = json.loads(files["progres.json"])
    [nation] = rows(files["nasional.csv"])
    assert summary["nasional"]["dikunjungi"] == int(nation["dikunjungi"])
    assert len(summary["provinsi"]) == 34
    assert [each["nama"] for each in summary["provinsi_belum_lengkap"]] == ["Kalimantan Timur", "Maluku", "Papua"]
    assert [each["keluarga_ditahan"] for each in summary["provinsi_belum_lengkap"]] == [made_up.HELD_FAMILIES, 0, 0]


def test_every_published_column_is_defined(files: dict[str, bytes]) -> None:
    defined = {each.column for each in definitions().values()}
    for name in tables(files):
        assert set(rows(files[name])[0]) <= defined, name


def test_no_share_is_published_without_what_it_divides_its_version_and_coverage(files: dict[str, bytes]) -> None:
    by_column = {each.column: each for each in definitions().values()}
    shares = 0
    for name in sorted(tables(files)):
        header = set(rows(files[name])[0])
        for share in (by_column[column] for column in header if by_column[column].is_share):
            beside = {definitions()[field].column for field in needed_beside(share)}
            assert beside <= header, (name, share.column)
            shares += 1
    assert shares > 40


def test_every_region_table_knows_both_clocks(files: dict[str, bytes]) -> None:
    for name in ("nasional.csv", "provinsi.csv", "kabkota.csv", "kecamatan.csv", "desa.csv"):
        first = rows(files[name])[0]
        assert first["malam"] == "2022-10-23"
        assert first["tanggal_pencacahan_terakhir"] == "2022-10-23"
        assert first["data_sampai"].startswith("2022-10-23 23.59 ")


def test_the_definitions_of_a_release_are_those_that_computed_it(files: dict[str, bytes]) -> None:
    told = {row["kolom"]: row for row in rows(files["definisi.csv"])}
    assert told["persen_dikunjungi_dari_terverifikasi"] | {"definisi": "", "definition": ""} == {
        "kolom": "persen_dikunjungi_dari_terverifikasi", "nama": "Dikunjungi dari terverifikasi", "definisi": "",
        "satuan": "persen", "pembilang": "dikunjungi_di_terverifikasi", "penyebut": "keluarga_terverifikasi",
        "versi_penyebut": "verifikasi_sampai", "cakupan_penyebut": "cakupan_verifikasi", "tingkat_terendah": "kabkota",
        "name": "Visited of verified", "definition": "",
    }  # fmt: skip


def test_the_floor_stands_beside_the_mean(files: dict[str, bytes]) -> None:
    nation = next(
        row for row in rows(files["terendah.csv"]) if (row["kode"], row["tingkat_bagian"]) == ("00", "provinsi")
    )
    assert (nation["banyak_bagian"], nation["bagian_dinilai"], nation["cakupan_bagian"]) == ("34", "34", "100.00")
    assert float(nation["persen_terendah"]) < float(nation["kuartil_1"]) < float(nation["persen_rata_rata"])
    assert nation["nama_terendah"] in {row["nama"] for row in rows(files["provinsi.csv"])}
    assert nation["status_terendah"] == "tertinggal"
    assert (nation["tanggal_pencacahan_terakhir"], nation["malam"]) == (str(made_up.NIGHT), str(made_up.NIGHT))


def test_a_province_held_back_by_the_audit_is_missing() -> None:
    figures = made_up.figures()
    states = figures.provinces.copy()
    states.loc[states["province"] == "31", "state"] = "held_back"
    assert "31" in {each.code for each in replace(figures, provinces=states).missing}
    assert not night_states()["held_back"].complete
