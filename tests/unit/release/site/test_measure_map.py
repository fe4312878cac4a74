"""The map: a colour is what its legend says, a tile stands where its province lies, a shape is of its region."""

import csv
import io
import re
from dataclasses import replace
from importlib import resources
from itertools import combinations, pairwise

import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from regsosek.geography.boundaries import NO_BOUNDARIES, Boundaries
from regsosek.geography.provinces import provinces
from regsosek.release.figures.figures import Figures
from regsosek.release.site.assets import assets
from regsosek.release.site.atlas import Atlas
from regsosek.release.site.measure_map import MeasureMap, measure_map, measures, places
from regsosek.release.site.pages import site
from support.checks.site_outline import Outline
from support.figures import made_up
from support.figures.site_parts import ENGLISH, context

NUMBER = r"−?[\d.]+"


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Three provinces stand on a step of the scale, at its ends and between."""
    figures = made_up.figures()
    completion = figures.completion.copy()
    for code, share in (("12", 20.0), ("13", 40.0), ("14", 100.0)):
        completion.loc[completion["code"] == code, "visited_of_plan_base"] = share
    return replace(figures, completion=completion)


def national(figures: Figures) -> MeasureMap:
    at = context(figures)
    return measure_map(at, at.atlas.region("00"), NO_BOUNDARIES)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def holds(key: str, value: float) -> bool:
    """Whether a step of the legend, as it is written, holds a value."""
    bounds = [number(each) for each in re.findall(NUMBER, key)]
    if key.startswith(("below", "on plan")):
        return value < bounds[0]
    return bounds[0] <= value and (len(bounds) == 1 or value < bounds[1])


def test_every_region_has_the_colour_whose_key_holds_its_figure(figures: Figures) -> None:
    found, checked = national(figures), 0
    atlas = Atlas(figures)
    for field, choice in found.choices.items():
        keys = dict(choice["keys"])
        for code, (text, shade) in choice["parts"].items():
            region = {**atlas.forecasts.get(code, {}), **atlas.region(code)}
            value = region.get(field)
            if value is None:
                assert text == "–", (field, code)
                assert "no figure" in keys[shade], (field, code)
            elif field == "gap_points" and value < 0:
                below = region["status"] in ("behind", "far_behind", "below_plan")
                expected = ENGLISH.status(region["status"]) if below else "on plan or not judged yet; below +"
                assert keys[shade].startswith(expected), (code, value, region["status"])
            else:
                assert holds(keys[shade], value), (field, code, value, keys[shade])
                checked += 1
    assert checked > 5 * 34
    assert [(key.shade, key.text) for key in found.keys] == [
        tuple(key) for key in found.choices[found.measures[0][0]]["keys"]
    ]
    first = found.choices[found.measures[0][0]]["parts"]
    assert {tile.code: [tile.text, tile.shade] for tile in found.tiles} == first


def test_a_gap_below_zero_has_the_colour_of_its_status_on_the_map(figures: Figures) -> None:
    statuses = {
        "11": (-4.8, "on_plan"),
        "15": (-10.8, "below_plan"),
        "12": (None, "not_begun"),
        "13": (-16.0, "behind"),
        "14": (-31.0, "far_behind"),
    }
    shown = figures.completion.copy()
    for code, told in statuses.items():
        shown.loc[shown["code"] == code, ["gap_points", "status"]] = told
    shades = {tile.code: tile.shade for tile in national(replace(figures, completion=shown)).tiles}
    assert [shades[code] for code in statuses] == ["both2", "within", "none", "both1", "both0"]


def lightness(colour: str) -> float:
    """How light a colour is (WCAG): 0 is black, 1 white."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_more_is_darker_and_both_ends_of_a_gap_are_darker_than_its_middle(figures: Figures) -> None:
    own = assets(Atlas(figures))
    style = own.files[own.style].decode()
    rules = re.findall(r"\.(up|both)(\d) \{ background: (#\w{6}); [^}]*?fill: (#\w{6})", style)
    shades = {f"{scale}{n}": (background, fill) for scale, n, background, fill in rules}
    assert all(background == fill for background, fill in shades.values()), "tiles and boundaries have the same colours"
    light = {name: lightness(background) for name, (background, _) in shades.items()}
    for measure in measures("provinsi"):
        breaks = measure.bands([-3.0, 40.0]).breaks
        steps = [light[f"{measure.scale}{n}"] for n in range(len(breaks) + 1)]
        below = sum(each < 0 for each in breaks) if measure.scale == "both" else 0
        fall, rise = steps[below:], steps[: below + 1] if below else []
        assert all(one > other for one, other in pairwise(fall)), measure.field
        assert all(one < other for one, other in pairwise(rise)), measure.field
    [within] = re.findall(r"\.within \{ background: (#\w{6})", style)
    assert light["both1"] + 0.1 < lightness(within) < light["both2"] - 0.1


@example([0.3])  # 0.3 / 0.1 is a little less than 3
@given(st.lists(st.floats(-100, 250, allow_nan=False), min_size=1, max_size=40))
def test_bands_follow_the_figures_in_round_steps_and_tell_what_differs_apart(values: list[float]) -> None:
    for measure in measures("provinsi"):
        bands = measure.bands(values)
        gaps = {round(other - one, 6) for one, other in pairwise(bands.breaks)}
        assert list(bands.breaks) == sorted(bands.breaks), measure.field
        assert len(gaps) <= 2, measure.field  # to both sides of zero the middle is twice as wide
        if measure.scale == "up":
            assert bands.shade(min(values)) == "up0"
            assert max(values) - min(values) < 1 or bands.shade(max(values)) != "up0"
        else:
            assert bands.shade(0.0) == "both2"
            assert bands.shade(max(values, key=abs)) != "both2" or max(map(abs, values)) < 0.2


def test_tiles_stand_to_each_other_as_the_provinces_lie() -> None:
    text = resources.files("regsosek.simulation").joinpath("data", "province_points.csv").read_text(encoding="utf-8")
    points = {row["province"]: row for row in csv.DictReader(io.StringIO(text))}
    assert set(points) == set(places()) == {each.code for each in provinces()}
    for one, other in combinations(places().values(), 2):
        east, south = (
            sign * (float(points[other["code"]][axis]) - float(points[one["code"]][axis]))
            for sign, axis in ((1, "longitude"), (-1, "latitude"))
        )
        right, down = (int(other[axis]) - int(one[axis]) for axis in ("column", "row"))
        # Neighbours in a row or a column; further away, tiles and islands do not agree so closely.
        if right == 0 and abs(down) == 1:
            assert down * south > 0, (one["short"], other["short"])
        if down == 0 and abs(right) == 1:
            assert right * east > 0, (one["short"], other["short"])


def test_with_boundaries_each_shape_is_that_of_the_region_that_it_names_and_leads_to(figures: Figures) -> None:
    shapes = {each.code: shapely.box(n, 0, n + 0.9, 1 + n / 40) for n, each in enumerate(provinces(), start=100)}
    known = Boundaries(shapes, "v1")
    drawing = known.drawing(shapes)
    assert drawing is not None
    text = site(figures, known)["en/index.html"].decode()
    assert Outline(text).open == []
    paths = re.findall(r'<a href="([^"]*)"><path class="([^"]*)" data-code="(\d+)" d="([^"]*)"><title>([^<]*)', text)
    tiles = {tile.code: tile for tile in national(figures).tiles}
    assert {code for _, _, code, _, _ in paths} == set(shapes)
    for href, shade, code, line, title in paths:
        assert line == drawing.paths[code], code
        assert (shade, title) == (tiles[code].shade, f"{tiles[code].name}: {tiles[code].text}")
        assert href.endswith(f"provinsi/{code}.html")
