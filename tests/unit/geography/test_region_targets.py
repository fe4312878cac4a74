"""Targets of kab/kota and SLS that a deployment supplies."""

from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.region_targets import RegionTarget, region_targets


def written(path: Path, *lines: str) -> Path:
    file = path / "target.csv"
    file.write_text("\n".join(["region,families,sls,source", *lines]))
    return file


def test_what_is_given_is_known_and_nothing_else(tmp_path: Path) -> None:
    found = region_targets(written(tmp_path, "64,,14500,kaltim.antaranews", "6403,1200,20,surat"))
    assert found.by_region == {
        "64": RegionTarget(None, 14500, "kaltim.antaranews"),
        "6403": RegionTarget(1200, 20, "surat"),
    }
    assert len(found.version) == 12
    assert region_targets().by_region == {}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["99,,5,x"], "region 99: no such region"),
        (["6403010,,5,x"], "no such region"),
        (["64,,5,x", "64,,6,x"], "region 64 stands twice"),
        (["64,,,x"], "whole numbers from 1"),
        (["64,,0,x"], "whole numbers from 1"),
        (["64,,1.5,x"], "whole numbers from 1"),
        (["64,5,,x"], "of kab/kota alone"),
        (["64,,5,"], "column source"),
    ],
)
def test_a_faulty_line_is_told(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        region_targets(written(tmp_path, *lines))
