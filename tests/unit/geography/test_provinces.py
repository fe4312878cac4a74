"""The provinces: complete, consistent with the national figures, and light enough for DAG files."""

import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import province, provinces


def test_the_frame_of_2022_has_34_provinces_in_order_of_code() -> None:
    codes = [p.code for p in provinces()]
    assert len(codes) == 34
    assert codes == sorted(set(codes))
    assert {"91", "94"} < set(codes)
    assert not {"92", "93", "95", "96", "97"} & set(codes)


def test_counts_add_up_to_the_sums_of_their_sources() -> None:
    assert sum(p.kabkota for p in provinces()) == 514
    assert sum(p.kecamatan for p in provinces()) == 7_215
    assert sum(p.desa for p in provinces()) == 80_534
    assert sum(p.families_dukcapil for p in provinces()) == 91_879_286
    assert sum(p.persons_dukcapil for p in provinces()) == 280_725_428


def test_targets_add_up_to_what_the_sources_page_says() -> None:
    assert sum(p.target for p in provinces()) == 85_020_841


def test_a_published_target_goes_before_the_estimate() -> None:
    assert (province("33").target, province("33").target_source) == (11_645_000, "published")
    assert (province("35").target, province("35").target_source) == (13_449_251, "estimated")
    assert sum(p.target_source == "published" for p in provinces()) == 7


def test_officers_are_unknown_where_nobody_published_them() -> None:
    assert province("12").officers == 21_262
    assert province("11").officers is None


def test_names_are_written_as_one_writes_them() -> None:
    names = {p.code: p.name for p in provinces()}
    assert names["31"] == "DKI Jakarta"
    assert names["34"] == "DI Yogyakarta"
    assert names["91"] == "Papua Barat"


@pytest.mark.parametrize(
    ("code", "zone"), [("11", "Asia/Jakarta"), ("64", "Asia/Makassar"), ("61", "Asia/Jakarta"), ("94", "Asia/Jayapura")]
)
def test_each_province_has_its_zone(code: str, zone: str) -> None:
    assert province(code).timezone == zone


def test_every_zone_exists() -> None:
    assert {ZoneInfo(p.timezone).key for p in provinces()} == {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}


def test_an_unknown_code_is_told_with_its_fix() -> None:
    with pytest.raises(ReferenceDataError, match=r"'92'.*2022 frame"):
        province("92")


def test_reading_the_provinces_loads_nothing_heavy() -> None:
    heavy = {"pydantic", "pandas", "numpy", "duckdb", "sqlalchemy", "boto3", "django"}
    program = "import sys; from regsosek.geography.provinces import provinces; provinces(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not heavy & set(loaded.split())
