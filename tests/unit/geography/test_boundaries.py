"""Boundaries that a deployment supplies: checked by name, drawn together, the same on every machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography import boundaries as subject
from regsosek.geography.boundaries import boundaries


def square(west: float, south: float, size: float = 1.0) -> list[list[float]]:
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(code: object, ring: list[list[float]], name: str = "kode_bps") -> dict[str, Any]:
    return {"type": "Feature", "properties": {name: code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def centroid(code: str, *place: float) -> dict[str, Any]:
    return {"properties": {"kode": code}, "geometry": {"type": "Point", "coordinates": list(place)}}


def written(tmp_path: Path, *features: dict[str, Any]) -> Path:
    path = tmp_path / "batas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_regions_are_drawn_together_in_the_way_that_they_lie(tmp_path: Path) -> None:
    found = boundaries(written(tmp_path, feature("11", square(95, 4)), feature("12", square(96, 4), "kode")))
    drawing = found.drawing(["12", "11"])
    assert drawing is not None
    assert drawing.width == subject.WIDTH
    assert drawing.height == pytest.approx(subject.WIDTH / 2, rel=0.02)
    west, east = (
        max(float(point.split(",")[0]) for point in drawing.paths[code][1:-1].split("L")) for code in ("11", "12")
    )
    assert (west, east) == (pytest.approx(480, abs=1), pytest.approx(960, abs=1))
    assert drawing == boundaries(written(tmp_path, feature("11", square(95, 4)), feature("12", square(96, 4)))).drawing(
        ["11", "12"]
    )


def test_a_centroid_is_a_disc_in_its_place_beside_others_and_alone(tmp_path: Path) -> None:
    found = boundaries(written(tmp_path, centroid("11", 95, 5), centroid("12", 97, 4), feature("13", square(98, 4))))
    drawing = found.drawing(["11", "12", "13"])
    assert drawing is not None
    discs = [corners(drawing.paths[code]) for code in ("11", "12")]
    middles = [(sum(disc[0]) / 2, sum(disc[1]) / 2) for disc in discs]
    assert middles[0] == (pytest.approx(14, abs=1), pytest.approx(14, abs=1))
    assert middles[1][0] == pytest.approx(14 + (960 - 28) * 2 / 4, abs=2)
    assert middles[1][1] == pytest.approx(drawing.height - 14, abs=1)
    alone = found.drawing(["12"])
    assert alone is not None
    assert (alone.width, alone.height) == (28, 28)


def corners(path: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """The least and the largest x, and y."""
    points = [tuple(map(float, point.split(","))) for point in path[1:-1].split("L")]
    xs, ys = zip(*points, strict=True)
    return (min(xs), max(xs)), (min(ys), max(ys))


def test_a_map_with_a_hole_is_none(tmp_path: Path) -> None:
    found = boundaries(written(tmp_path, feature("11", square(95, 4))))
    assert found.drawing(["11", "12"]) is None
    assert found.drawing([]) is None
    assert boundaries().drawing(["11"]) is None


def test_a_drawing_stays_below_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jagged = [[95 + n / 2000, 4 + 0.2 * (n % 2) * (n / 2000)] for n in range(2000)] + [[96, 5], [95, 5], [95, 4]]
    path = written(tmp_path, feature("11", jagged))
    whole = boundaries(path).drawing(["11"])
    monkeypatch.setattr(subject, "MAX_DRAWING_BYTES", 2000)
    thinned = boundaries(path).drawing(["11"])
    assert whole is not None
    assert thinned is not None
    assert len(thinned.paths["11"]) <= 2000 < len(whole.paths["11"])


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ([], "no FeatureCollection with features"),
        ([feature("11", square(95, 4), "nama")], "feature 1: no BPS code"),
        ([feature("99", square(95, 4))], "'99' is no BPS code"),
        ([feature("1101010", square(95, 4))], "no BPS code of a province or kab/kota"),
        ([feature("11", square(95, 4)), feature("11", square(95, 4))], "feature 2: region 11 stands twice"),
        ([feature("11", square(4, 95))], "outside of Indonesia"),
        ([feature("11", square(400000, 9000000))], "outside of Indonesia"),
        ([feature("11", [[95, 4]])], "make no Polygon"),
        ([centroid("11", 4, 95)], "outside of Indonesia"),
        ([centroid("11", 95)], "make no Point"),
        ([{"properties": {"kode": "11"}, "geometry": {"type": "LineString"}}], "needs a Polygon, a MultiPolygon or"),
    ],
)
def test_a_faulty_file_is_told(tmp_path: Path, features: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        boundaries(written(tmp_path, *features))


def test_what_is_no_json_or_not_there_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "batas.geojson"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=r"batas\.geojson: is no JSON"):
        boundaries(broken)
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        boundaries(tmp_path / "none.geojson")
