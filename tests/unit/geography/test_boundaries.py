"""Boundaries that a deployment supplies: checked by name, drawn together, the same on every machine."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from regsosek.errors import ReferenceDataError
from regsosek.geography import boundaries as subject
from regsosek.geography.boundaries import boundaries
from regsosek.geography.provinces import provinces as all_provinces


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


SPIKE = [[95, 4], [96, 4], [97, 4], [96, 4], [96, 5], [95, 5], [95, 4]]
BOW_TIE = [[95, 4], [96, 5], [96, 4], [95, 5], [95, 4]]
LINE = [[95, 4], [96, 4], [95, 4], [96, 4], [95, 4]]
POINT = [[95, 4], [95, 4], [95, 4], [95, 4]]


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
        ([feature("11", LINE)], r"feature 1 \(region 11\): its lines enclose no area"),
        ([feature("11", POINT)], r"feature 1 \(region 11\): its lines enclose no area"),
        ([{"properties": [1], "geometry": {}}], "feature 1: its properties are no object"),
        ([centroid("11", 4, 95)], "outside of Indonesia"),
        ([centroid("11", 95)], "make no Point"),
        ([{"properties": {"kode": "11"}, "geometry": {"type": "LineString"}}], "needs a Polygon, a MultiPolygon or"),
    ],
)
def test_a_faulty_file_is_told(tmp_path: Path, features: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        boundaries(written(tmp_path, *features))


def parts(code: str, *rings: list[list[float]]) -> dict[str, Any]:
    geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
    return {"properties": {"kode": code}, "geometry": geometry}


def holed(code: str, *holes: list[list[float]]) -> dict[str, Any]:
    return {"properties": {"kode": code}, "geometry": {"type": "Polygon", "coordinates": [square(95, 4), *holes]}}


@pytest.mark.parametrize(
    "odd",
    [
        feature("11", SPIKE),
        feature("11", BOW_TIE),
        parts("11", square(95, 4), LINE),
        parts("11", square(95, 4), POINT),
        parts("11", square(95, 4), square(95.5, 4)),
        holed("11", [[95.5, 4.5], [95.5, 4.5], [95.5, 4.5], [95.5, 4.5]]),
        holed("11", [[95.2, 4.5], [95.8, 4.5], [95.2, 4.5], [95.2, 4.5]]),
    ],
)
def test_what_crosses_or_collapses_is_mended_to_polygons_and_counted(tmp_path: Path, odd: dict[str, Any]) -> None:
    found = boundaries(written(tmp_path, feature("12", square(97, 4)), odd))
    assert {each.geom_type for each in found.shapes.values()} <= {"Polygon", "MultiPolygon"}
    assert all(each.is_valid and each.area > 0 for each in found.shapes.values())
    assert found.mended == {"11": 2}
    assert found.told == "2 regions, 1 of them mended to sound polygons: feature 2 (region 11)"
    assert found.drawing(["11", "12"]) is not None


def test_what_is_sound_is_not_mended(tmp_path: Path) -> None:
    found = boundaries(written(tmp_path, feature("11", square(95, 4)), centroid("12", 97, 4)))
    assert found.told == "2 regions"


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
def test_rounded_outlines_are_mended_or_refused_by_feature(tmp_path: Path, digits: int) -> None:
    drawn = np.random.default_rng(digits)
    for _ in range(30):
        angles = np.sort(drawn.uniform(0, 2 * np.pi, 40))
        radii = drawn.uniform(0.001, 1.5, 40)
        corners = np.column_stack((100 + radii * np.cos(angles), 1 + radii * np.sin(angles)))
        ring = corners.round(digits).tolist()
        path = written(tmp_path, feature("11", [*ring, ring[0]]), feature("12", square(97, 4)))
        try:
            found = boundaries(path)
        except ReferenceDataError as refused:
            assert "feature 1 (region 11): its lines enclose no area" in str(refused)
        else:
            assert found.drawing(["11", "12"]) is not None


def test_sound_regions_that_make_no_map_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise shapely.GEOSException("topology")

    found = boundaries(written(tmp_path, feature("11", square(95, 4)), feature("12", square(96, 4))))
    for way in ("coverage_simplify", "simplify"):
        monkeypatch.setattr(shapely, way, broken)
    with pytest.raises(ReferenceDataError, match=r"the boundaries of 11, 12 make no map \(GEOSException\)"):
        found.drawing(["11", "12"])


def test_a_map_of_a_release_that_cannot_be_drawn_is_known_when_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise shapely.GEOSException("topology")

    for way in ("coverage_simplify", "simplify"):
        monkeypatch.setattr(shapely, way, broken)
    provinces = [feature(each.code, square(95 + n, 4)) for n, each in enumerate(all_provinces())]
    with pytest.raises(ReferenceDataError, match="make no map"):
        boundaries(written(tmp_path, *provinces))


def test_what_is_no_json_or_not_there_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "batas.geojson"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=r"batas\.geojson: is no JSON"):
        boundaries(broken)
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        boundaries(tmp_path / "none.geojson")
