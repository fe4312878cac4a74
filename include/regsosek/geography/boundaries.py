"""Boundaries that a deployment supplies: GeoJSON read, checked, projected and thinned out into lines of an SVG.

Where only the centroid of a region is known it is drawn as a disc in its place. Without a file there are no boundaries,
and maps are made of tiles. The same file gives the same lines on every machine.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from regsosek.errors import ReferenceDataError
from regsosek.geography.plan import VERSION_DIGITS
from regsosek.geography.regions import region_master
from regsosek.wording.nouns import counted

CODE_PROPERTIES = ("kode_bps", "bps_code", "kode")
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_DRAWING_BYTES = 60_000
WIDTH = 960
_LONGITUDES, _LATITUDES = (94.0, 142.0), (-12.0, 7.0)  # Indonesia, with room
_FIRST_TOLERANCE = 0.4  # units of the drawing
_DISC = 14  # radius of a centroid's disc, in units of the drawing
_LEAST_EXTENT = 0.1  # degrees: a centroid alone has none
_DRAWN = ("provinsi", "kabkota")
_NAMED = 5  # features named of many


@dataclass(frozen=True)
class Drawing:
    """Regions as closed lines of an SVG, by code; all in one system of ``width`` times ``height``."""

    width: int
    height: int
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Boundaries:
    """The shapes of provinces and kab/kota by code, in degrees; ``version`` as with every supplied file.

    Attributes:
        mended: by code, the number of each feature whose lines crossed or collapsed and were made sound.
    """

    shapes: Mapping[str, BaseGeometry]
    version: str
    mended: Mapping[str, int] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """How many regions there are, and which of them were mended."""
        regions = counted(len(self.shapes), "region", "regions")
        if not self.mended:
            return regions
        mended = [f"{number} (region {code})" for code, number in self.mended.items()]
        more = f" and {len(mended) - _NAMED} more" if len(mended) > _NAMED else ""
        return f"{regions}, {len(mended)} of them mended to sound polygons: feature {', '.join(mended[:_NAMED])}{more}"

    def drawing(self, codes: Iterable[str]) -> Drawing | None:
        """The regions ``codes`` together; None unless all of them are known: a map with a hole is none.

        Lines are thinned out together, so that neighbours stay neighbours, until they are at most
        :data:`MAX_DRAWING_BYTES` long.

        Raises:
            ReferenceDataError: they are sound each, but cannot be drawn together.
        """
        asked = tuple(sorted(codes))
        if not asked or not set(asked) <= set(self.shapes):
            return None
        if asked not in self._drawn:
            try:
                self._drawn[asked] = _drawing({code: self.shapes[code] for code in asked})
            except (TypeError, ValueError, shapely.GEOSException) as error:
                kind = type(error).__name__
                raise ReferenceDataError(f"the boundaries of {', '.join(asked)} make no map ({kind})") from error
        return self._drawn[asked]

    @cached_property
    def _drawn(self) -> dict[tuple[str, ...], Drawing]:
        return {}


NO_BOUNDARIES = Boundaries({}, "")


def boundaries(path: Path | None = None) -> Boundaries:
    """The boundaries of a file, every map of a release drawn from them once.

    Args:
        path: GeoJSON FeatureCollection in degrees (WGS 84); each feature a Polygon or MultiPolygon, or the
            centroid as a Point, with the BPS code of a province or kab/kota in one of :data:`CODE_PROPERTIES`; none
            means that none are known.

    Raises:
        ReferenceDataError: the file cannot be read, a feature is not as described, or a map cannot be drawn; it names
            the feature or the regions.
    """
    if path is None:
        return NO_BOUNDARIES
    content = _content(path)
    found: dict[str, BaseGeometry] = {}
    mended: dict[str, int] = {}
    for number, feature in enumerate(_features(path, content), start=1):
        place = f"{path.name}: feature {number}"
        code = _code(place, feature)
        if code in found:
            raise ReferenceDataError(f"{place}: region {code} stands twice; give each one feature")
        found[code], sound = _shape(f"{place} (region {code})", feature.get("geometry"))
        if not sound:
            mended[code] = number
    read = Boundaries(found, sha256(content).hexdigest()[:VERSION_DIGITS], mended)
    _draw_all(read)
    return read


def _draw_all(read: Boundaries) -> None:
    """Draws the nation and each province, as a release will."""
    parts: dict[str, list[str]] = {}
    for region in region_master().regions.values():
        if region.level in _DRAWN and region.parent_code is not None:
            parts.setdefault(region.parent_code, []).append(region.code)
    for codes in parts.values():
        read.drawing(codes)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ReferenceDataError(f"{path.name}: larger than {MAX_FILE_BYTES >> 20} MiB; simplify it first")
        return path.read_bytes()
    except OSError as error:
        raise ReferenceDataError(f"{path.name}: cannot be read ({type(error).__name__})") from error


def _features(path: Path, content: bytes) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReferenceDataError(f"{path.name}: is no JSON; write GeoJSON in UTF-8") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features or not all(isinstance(each, dict) for each in features):
        raise ReferenceDataError(f"{path.name}: is no FeatureCollection with features")
    return features


def _code(place: str, feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise ReferenceDataError(f"{place}: its properties are no object of names and values")
    code = next((str(properties[name]) for name in CODE_PROPERTIES if properties.get(name)), None)
    if code is None:
        raise ReferenceDataError(f"{place}: no BPS code; name it in one of the properties {', '.join(CODE_PROPERTIES)}")
    region = region_master().regions.get(code)
    if region is None or region.level not in _DRAWN:
        raise ReferenceDataError(f"{place}: {code!r} is no BPS code of a province or kab/kota")
    return code


def _shape(place: str, geometry: object) -> tuple[BaseGeometry, bool]:
    """The shape of a feature, and whether it was sound as it stood."""
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon", "Point"}:
        raise ReferenceDataError(f"{place}: needs a Polygon, a MultiPolygon or a Point")
    try:
        given = shapely.force_2d(shape(geometry))
        found = given if given.geom_type == "Point" else _mended(given)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, shapely.GEOSException) as error:
        raise ReferenceDataError(f"{place}: its coordinates make no {geometry['type']}") from error
    if found.is_empty and not given.is_empty:
        raise ReferenceDataError(
            f"{place}: its lines enclose no area; give its whole outline, or its centroid as a Point"
        )
    west, south, east, north = found.bounds if not found.is_empty else (0.0, 0.0, 0.0, 0.0)
    inside = _LONGITUDES[0] <= west <= east <= _LONGITUDES[1] and _LATITUDES[0] <= south <= north <= _LATITUDES[1]
    if found.is_empty or not inside:
        raise ReferenceDataError(f"{place}: lies outside of Indonesia; give longitude, latitude in degrees (WGS 84)")
    return found, found is given


def _mended(given: BaseGeometry) -> BaseGeometry:
    """The area that the lines of a polygon enclose: spikes and collapsed parts enclose none and are left out."""
    if given.is_valid:
        return given
    polygons = list(_polygons(shapely.make_valid(given, method="structure", keep_collapsed=False)))
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _drawing(shapes: Mapping[str, BaseGeometry]) -> Drawing:
    west, south, east, north = shapely.total_bounds(list(shapes.values()))
    stretch = cos(radians((south + north) / 2))
    discs = any(each.geom_type == "Point" for each in shapes.values())
    edge = _DISC if discs else 0
    scale = (WIDTH - 2 * edge) / max((east - west) * stretch, (north - south) / 2, _LEAST_EXTENT)

    def projected(points: np.ndarray) -> np.ndarray:
        return np.column_stack(((points[:, 0] - west) * stretch * scale + edge, (north - points[:, 1]) * scale + edge))

    placed = [_area(shapely.transform(each, projected)) for each in shapes.values()]
    width, height = round((east - west) * stretch * scale) + 2 * edge, round((north - south) * scale) + 2 * edge
    tolerance = _FIRST_TOLERANCE
    while True:
        # Discs may lie on what is beside them, and then nothing is a coverage.
        thinned = shapely.simplify(placed, tolerance) if discs else _thinned_together(placed, tolerance)
        paths = {code: _path(each, tolerance) for code, each in zip(shapes, thinned, strict=True)}
        if sum(map(len, paths.values())) <= MAX_DRAWING_BYTES:
            return Drawing(width, height, paths)
        tolerance *= 1.5


def _thinned_together(placed: list[BaseGeometry], tolerance: float) -> Sequence[BaseGeometry]:
    """Lines that neighbours share are thinned once; where outlines touch themselves that fails, and each is its own."""
    try:
        return list(shapely.coverage_simplify(placed, tolerance))
    except shapely.GEOSException:
        return list(shapely.simplify(placed, tolerance))


def _area(geometry: BaseGeometry) -> BaseGeometry:
    return geometry.buffer(_DISC) if geometry.geom_type == "Point" else geometry


def _path(geometry: BaseGeometry, smallest: float) -> str:
    """Islands smaller than can be seen are left out, but never the largest of a region."""
    polygons = sorted(_polygons(geometry), key=lambda each: -each.area)
    seen = [each for n, each in enumerate(polygons) if n == 0 or each.area >= smallest * smallest]
    return "".join(_ring(ring) for each in seen for ring in (each.exterior, *each.interiors))


def _polygons(geometry: BaseGeometry) -> Iterator[shapely.Polygon]:
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            yield part
        elif part.geom_type in {"MultiPolygon", "GeometryCollection"}:
            yield from _polygons(part)


def _ring(ring: shapely.LinearRing) -> str:
    points = [f"{round(x, 1):g},{round(y, 1):g}" for x, y in ring.coords[:-1]]
    return f"M{'L'.join(points)}Z"
