"""The region master: what the package holds, and what becomes of dirt."""

from collections import Counter
from importlib.metadata import version
from itertools import permutations

import pytest

from regsosek.geography.provinces import provinces
from regsosek.geography.region_names import written_name
from regsosek.geography.regions import (
    NATION,
    VERSION,
    DirtKind,
    RawRegion,
    Region,
    RegionMaster,
    place_regions,
    region_master,
)

ACEH = RawRegion("provinsi", "11", "00", "ACEH")
SIMEULUE = RawRegion("kabkota", "1101", "11", "KABUPATEN SIMEULUE")
TEUPAH = RawRegion("kecamatan", "1101010", "1101", "TEUPAH SELATAN")
LATIUNG = RawRegion("desa", "1101010001", "1101010", "LATIUNG")
CLEAN = (ACEH, SIMEULUE, TEUPAH, LATIUNG)


def dirt_of(*rows: RawRegion, kabkota: dict[str, int] | None = None) -> dict[DirtKind, tuple[str, ...]]:
    return {dirt.kind: dirt.codes for dirt in placed(*rows, kabkota=kabkota).dirt}


def placed(*rows: RawRegion, kabkota: dict[str, int] | None = None) -> RegionMaster:
    return place_regions(rows, {"11": 1} if kabkota is None else kabkota)


def test_the_package_is_the_one_whose_version_every_region_carries() -> None:
    assert f"django-indonesia-regions {version('django-indonesia-regions')}" == VERSION
    assert {(r.version, r.code_system) for r in region_master().regions.values()} == {(VERSION, "BPS")}


def test_the_package_holds_the_nation_down_to_desa() -> None:
    levels = Counter(region.level for region in region_master().regions.values())
    assert levels == {"nasional": 1, "provinsi": 34, "kabkota": 514, "kecamatan": 7_071, "desa": 81_937}


def test_the_dirt_of_the_package_is_known() -> None:
    counts = {dirt.kind: dirt.count for dirt in region_master().dirt}
    assert counts == {"stray_spaces": 66, "spread_letters": 140, "lower_case": 3, "repeated_name": 4}


def test_every_region_but_the_nation_has_a_parent_in_the_master() -> None:
    regions = region_master().regions
    rootless = [region for region in regions.values() if region.parent_code not in regions]
    assert rootless == [regions[NATION]]
    assert (regions[NATION].name, regions["11"].parent_code) == ("Indonesia", NATION)


def test_the_master_names_provinces_as_the_project_does() -> None:
    master = region_master()
    assert {p.code: p.name for p in provinces()} == {p.code: master.regions[p.code].name for p in provinces()}


def test_no_name_keeps_stray_spaces_or_capitals() -> None:
    names = [region.name for region in region_master().regions.values()]
    assert all(name == " ".join(name.split()) for name in names)
    assert [name for name in names if name.isupper() and len(name) > 8] == []


def test_a_clean_master_reports_nothing_whatever_the_order() -> None:
    for rows in permutations(CLEAN):
        assert placed(*rows).regions == placed(*CLEAN).regions
        assert placed(*rows).dirt == ()


def test_a_parent_is_what_the_row_says_not_what_the_digits_say() -> None:
    moved = RawRegion("desa", "9999990001", "1101010", "PINDAHAN")
    master = placed(*CLEAN, moved)
    assert master.regions["9999990001"].parent_code == "1101010"
    assert master.province_of("9999990001") == "11"
    assert master.dirt == ()


def test_lookups_mind_the_level() -> None:
    master = placed(*CLEAN)
    assert master.region("1101", "kabkota") == Region("1101", "kabkota", "Kabupaten Simeulue", "11")
    assert master.region("1101", "desa") is None
    assert master.region("1102", "kabkota") is None
    assert [master.province_of(code) for code in ("11", "1101010001", NATION, "77")] == ["11", "11", None, None]


def test_of_equal_codes_the_first_stays() -> None:
    rows = (*CLEAN, LATIUNG._replace(name="LAIN"))
    assert dirt_of(*rows) == {"duplicate_code": ("1101010001",)}
    assert placed(*rows).regions["1101010001"].name == "Latiung"


def test_an_orphan_is_left_out_with_all_below_it() -> None:
    rows = (ACEH, SIMEULUE, TEUPAH._replace(parent_code="1109"), LATIUNG)
    assert dirt_of(*rows) == {"orphan": ("1101010", "1101010001")}
    assert set(placed(*rows).regions) == {NATION, "11", "1101"}


def test_a_parent_two_levels_up_is_no_parent() -> None:
    assert dirt_of(ACEH, SIMEULUE, TEUPAH._replace(parent_code="11")) == {"orphan": ("1101010",)}


@pytest.mark.parametrize("code", ["110101", "110101000", "110101000A", "", "11010100011", "110101000\u0661"])
def test_a_malformed_code_is_left_out(code: str) -> None:
    rows = (*CLEAN[:3], LATIUNG._replace(code=code))
    assert dirt_of(*rows) == {"malformed_code": (code,)}
    assert code not in placed(*rows).regions


def test_missing_and_extra_provinces_are_named() -> None:
    extra = RawRegion("provinsi", "92", "00", "PAPUA BARAT DAYA")
    rows = (*CLEAN, extra, RawRegion("kabkota", "9201", "92", "KABUPATEN RAJA AMPAT"))
    found = dirt_of(*rows, kabkota={"11": 1, "94": 29})
    assert found == {"extra_province": ("92",), "orphan": ("9201",), "missing_province": ("94",)}


def test_a_wrong_number_of_kabkota_is_named_by_province() -> None:
    assert dirt_of(*CLEAN, kabkota={"11": 2}) == {"kabkota_count": ("11",)}


def test_names_are_mended_and_reported() -> None:
    rows = (*CLEAN[:3], LATIUNG._replace(name=" LABUHAN  BAJAU"), LATIUNG._replace(code="1101010002", name="Desa ll"))
    spread = LATIUNG._replace(code="1101010003", name="L U G U")
    assert dirt_of(*rows, spread) == {
        "stray_spaces": ("1101010001",),
        "spread_letters": ("1101010003",),
        "lower_case": ("1101010002",),
    }
    names = [placed(*rows, spread).regions[f"110101000{n}"].name for n in (1, 2, 3)]
    assert names == ["Labuhan Bajau", "Desa II", "Lugu"]


def test_a_name_repeated_in_its_parent_stays_and_is_reported_at_the_later_code() -> None:
    twin = LATIUNG._replace(code="1101010002", name="LATIUNG ")
    assert dirt_of(*CLEAN, twin) == {"stray_spaces": ("1101010002",), "repeated_name": ("1101010002",)}
    assert "1101010002" in placed(*CLEAN, twin).regions


def test_a_name_repeated_elsewhere_is_no_dirt() -> None:
    other = (
        TEUPAH._replace(code="1101020", name="SIMEULUE TIMUR"),
        LATIUNG._replace(code="1101020001", parent_code="1101020"),
    )
    assert dirt_of(*CLEAN, *other) == {}


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("KABUPATEN SIMEULUE", "Kabupaten Simeulue"),
        ("KOTA B A T A M", "Kota Batam"),
        ("T A I M/PASUE", "Taim/Pasue"),
        ("B A B A T  N", "Babat N"),
        ("W O", "W O"),
        ("SUKAMULYA UPT I K A ULU", "Sukamulya UPT I K A Ulu"),
        ("DKI JAKARTA", "DKI Jakarta"),
        ("DI YOGYAKARTA", "DI Yogyakarta"),
        ("TGK. DI LAWEUNG", "Tgk. Di Laweung"),
        ("IV  NAGARI BAYANG UTARA", "IV Nagari Bayang Utara"),
        ("PERKEBUNAN AIR BATU III/IX", "Perkebunan Air Batu III/IX"),
        ("SUNGAI LILIN", "Sungai Lilin"),
        ("DIM MIL LIM", "Dim Mil Lim"),
        ("SOATALOARA ll", "Soataloara II"),
        ("PEMUDA (Desa Persiapan)", "Pemuda (Desa Persiapan)"),
        ("LOLOWA'U", "Lolowa'u"),
        ("PA'JUKUKANG", "Pa'jukukang"),
        ("KAP-KAP/KIKMAI", "Kap-Kap/Kikmai"),
        ("SEUNABOK JAYA (EX UPT V)", "Seunabok Jaya (Ex UPT V)"),
    ],
)
def test_written_name(raw: str, written: str) -> None:
    assert written_name(raw) == written
