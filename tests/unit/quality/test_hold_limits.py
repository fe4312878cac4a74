"""When too much of a delivery is wrong: the share against its limit, and the file that states the limits."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, STREAMS
from regsosek.errors import ConfigurationError, ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.landing.archive import HoldLimit
from regsosek.quality.hold_limits import ErrorShare, exceeding, hold_limits

HEADER = "province,dataset,limit_percent,least_rows,source\n"
DEFAULTS = "*,keluarga,40,50,test\n*,anggota,25,150,test\n"
FORTY = HoldLimit(percent=Decimal(40), least_rows=50)


@pytest.mark.parametrize(
    ("judged", "in_error", "exceeded"),
    [
        (100, 41, True),
        (100, 40, False),  # exactly at the limit is not over it
        (100, 0, False),
        (100, 100, True),
        (50, 21, True),
        (49, 49, False),  # too few for a share
        (0, 0, False),
        (3, 1, False),
    ],
)
def test_only_a_share_over_the_limit_of_enough_rows_holds(judged: int, in_error: int, exceeded: bool) -> None:
    assert ErrorShare("keluarga", judged, in_error).exceeds(FORTY) is exceeded


@given(rows=st.integers(1, 10_000), tenths=st.integers(0, 1000))
def test_one_row_more_than_the_limit_holds_and_the_limit_itself_does_not(rows: int, tenths: int) -> None:
    limit = HoldLimit(percent=Decimal(tenths) / 10, least_rows=1)
    allowed = rows * tenths // 1000
    assert not ErrorShare("anggota", rows, allowed).exceeds(limit)
    assert allowed == rows or ErrorShare("anggota", rows, allowed + 1).exceeds(limit)


def test_either_dataset_holds_and_one_without_a_limit_never_does() -> None:
    shares = (ErrorShare("keluarga", 100, 90), ErrorShare("anggota", 300, 10))
    limits = dict.fromkeys(DATASETS, FORTY)
    assert [share.dataset for share in exceeding(shares, limits)] == ["keluarga"]
    assert exceeding(shares, {"anggota": FORTY}) == ()
    assert exceeding(shares, {}) == ()


def test_every_province_has_a_limit_for_every_dataset() -> None:
    for province in provinces():
        assert set(hold_limits(province.code)) == {*ALL_DATASETS, "replaced"}


def written(path: Path, lines: str) -> Path:
    (path / "limits.csv").write_text(HEADER + lines, encoding="utf-8")
    return path / "limits.csv"


def test_a_province_may_have_its_own_limit(tmp_path: Path) -> None:
    path = written(tmp_path, DEFAULTS + "94,keluarga,62.5,20,test\n")
    assert hold_limits("94", path)["keluarga"] == HoldLimit(percent=Decimal("62.5"), least_rows=20)
    assert hold_limits("94", path)["anggota"].percent == 25
    assert hold_limits("64", path)["keluarga"] == FORTY


def test_a_stream_without_a_line_has_no_limit(tmp_path: Path) -> None:
    assert set(hold_limits("64", written(tmp_path, DEFAULTS))) == set(DATASETS)
    assert hold_limits("64", written(tmp_path, DEFAULTS + "64,geotag,40,50,test\n"))["geotag"] == FORTY
    assert "geotag" not in hold_limits("65", written(tmp_path, DEFAULTS + "64,geotag,40,50,test\n"))


def test_a_line_of_streams_is_of_every_stream_without_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, DEFAULTS + "*,stream,25,100,test\n64,stream,30,100,test\n*,geotag,10,100,test\n")
    assert {stream: hold_limits("65", path)[stream].percent for stream in STREAMS} == dict.fromkeys(STREAMS, 25) | {
        "geotag": 10
    }
    assert [hold_limits("64", path)[stream].percent for stream in ("progres", "geotag")] == [30, 10]
    assert set(hold_limits("64", path)) == set(ALL_DATASETS)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("*,keluarga,40,50,test\n", "no line of province \\* for anggota"),
        (DEFAULTS + "*,keluarga,30,50,test\n", "stands twice"),
        (DEFAULTS + "99,keluarga,30,50,test\n", "no such province"),
        (DEFAULTS + "64,rumah,30,50,test\n", "no such dataset"),
        (DEFAULTS + "64,keluarga,101,50,test\n", "0 to 100"),
        (DEFAULTS + "64,keluarga,many,50,test\n", "0 to 100"),
        (DEFAULTS + "64,keluarga,NaN,50,test\n", "0 to 100"),
        (DEFAULTS + "64,keluarga,30,0,test\n", "from 1"),
        (DEFAULTS + "64,keluarga,30,50,\n", "where the limit comes from"),
    ],
)
def test_a_file_that_makes_no_sense_is_named_with_the_fix(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        hold_limits("64", written(tmp_path, lines))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        hold_limits("64", tmp_path / "nowhere.csv")
