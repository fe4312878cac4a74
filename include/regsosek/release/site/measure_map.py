"""A map by any measure: tiles in the place of each province, or boundaries where a deployment supplies them.

A measure is shown by its band on a scale that the colour-blind can tell apart, and as text in every tile. The bands
follow the figures of the night, in round steps, so that regions differ in colour on every day of the campaign. A gap
below zero has the colour of its status: what is behind by the rules that of warning, what is below plan within the
limits a pale one.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import floor
from pathlib import Path
from typing import Any

from regsosek.geography.boundaries import Boundaries, Drawing
from regsosek.geography.reference_table import read_table
from regsosek.release.site.atlas import Row, level_below
from regsosek.release.site.page_table import PageContext
from regsosek.statistics.measures.status import BELOW_PLAN, NOT_BEGUN

_HERE = Path(__file__).parent
NO_VALUE = "none"
_BOTH = "both"
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_SIDES = (-2, -1, 1, 2)  # steps from zero; the band in the middle is neither below nor above
_RISES = 5
_BELOW = {"far_behind": "both0", "behind": "both1", BELOW_PLAN: "within"}
_BY_STATUS = {**_BELOW, NOT_BEGUN: NO_VALUE}
_ON_PLAN = "both2"


@dataclass(frozen=True)
class MapMeasure:
    """What a map can show: ``scale`` is ``up`` (more is darker) or ``both`` (below and above zero)."""

    field: str
    levels: tuple[str, ...]
    scale: str

    def bands(self, values: Sequence[float]) -> "Bands":
        """The bands of these values: equal steps up from the lowest, or the same steps to both sides of zero."""
        if self.scale == _BOTH:
            step = _step(max((abs(each) for each in values), default=0) / 2)
            return Bands(self.scale, tuple(each * step for each in _SIDES))
        return Bands(self.scale, _rising(min(values, default=0), max(values, default=0)))


@dataclass(frozen=True)
class Bands:
    """The bands of a scale: ``breaks`` lie between them."""

    scale: str
    breaks: tuple[float, ...]

    def shade(self, value: float | None) -> str:
        """The class of a value: ``up0`` the lowest, ``both0`` furthest below, ``both2`` near zero."""
        return NO_VALUE if value is None else f"{self.scale}{bisect_right(self.breaks, value)}"


def _step(most: float) -> float:
    """The largest round step that is no larger than ``most``."""
    return max((each for each in _STEPS if each <= most), default=_STEPS[0])


def _rising(lowest: float, highest: float) -> tuple[float, ...]:
    """As many round steps as there are shades, the first one above the lowest value."""
    for step in _STEPS:
        first = floor(round(lowest / step, 6)) + 1
        if (first + _RISES) * step > highest:
            break
    return tuple(round((first + n) * step, 1) for n in range(_RISES))


@dataclass(frozen=True)
class Tile:
    """One region of the map; ``row`` and ``column`` are 0 where tiles stand in their order."""

    code: str
    name: str
    short: str
    letters: str
    row: int
    column: int
    href: str
    text: str
    shade: str


@dataclass(frozen=True)
class Key:
    """A step of the legend."""

    shade: str
    text: str


@dataclass(frozen=True)
class MeasureMap:
    """A map with its first measure drawn; ``choices`` has for all of them what a script needs to draw them."""

    tiles: Sequence[Tile]
    measures: Sequence[tuple[str, str]]
    keys: Sequence[Key]
    choices: Mapping[str, Any]
    placed: bool
    drawing: Drawing | None


@cache
def measures(level: str) -> tuple[MapMeasure, ...]:
    """What a map of regions of ``level`` can show, the first by default."""
    rows = read_table(_HERE / "map_measures.csv", ("field", "levels", "scale"))
    found = (MapMeasure(row["field"], tuple(row["levels"].split()), row["scale"]) for row in rows)
    return tuple(each for each in found if level in each.levels)


@cache
def places() -> dict[str, dict[str, str]]:
    """Where the tile of each province stands, how it is called where there is little room, its group of islands."""
    return {
        row["code"]: row
        for row in read_table(_HERE / "tiles.csv", ("code", "row", "column", "short", "letters", "islands"))
    }


def measure_map(context: PageContext, row: Row, boundaries: Boundaries) -> MeasureMap:
    """The map of the parts of a region."""
    parts = context.atlas.children(row["code"])
    level = level_below(row["level"])
    known = [each for each in measures(level) if any(_value(context, part, each) is not None for part in parts)]
    shown = known or list(measures(level)[:1])
    for each in shown:
        context.column(each.field)
    bands = {each.field: each.bands(_values(context, parts, each)) for each in shown}
    return MeasureMap(
        tiles=[_tile(context, part, shown[0], bands[shown[0].field]) for part in parts],
        measures=[(each.field, context.language.name(each.field)) for each in shown],
        keys=_keys(context, bands[shown[0].field]),
        choices={each.field: _choice(context, each, parts, bands[each.field]) for each in shown},
        placed=level == "provinsi",
        drawing=boundaries.drawing(part["code"] for part in parts),
    )


def _value(context: PageContext, part: Row, measure: MapMeasure) -> float | None:
    own = part if measure.field in part else context.atlas.forecasts.get(part["code"], {})
    return own.get(measure.field)


def _values(context: PageContext, parts: Sequence[Row], measure: MapMeasure) -> list[float]:
    return [float(value) for part in parts if (value := _value(context, part, measure)) is not None]


def _text(context: PageContext, part: Row, measure: MapMeasure) -> str:
    return (
        context.language.figure(measure.field, _value(context, part, measure)).replace("\u00a0%", "").replace("%", "")
    )


def _tile(context: PageContext, part: Row, measure: MapMeasure, bands: Bands) -> Tile:
    place = places().get(part["code"], {"row": "0", "column": "0", "short": part["name"], "letters": part["code"]})
    return Tile(
        part["code"], part["name"], place["short"], place["letters"], int(place["row"]), int(place["column"]),
        context.region_link(part), _text(context, part, measure), _shade(context, part, measure, bands),
    )  # fmt: skip


def _choice(context: PageContext, measure: MapMeasure, parts: Sequence[Row], bands: Bands) -> dict[str, Any]:
    shown = {part["code"]: [_text(context, part, measure), _shade(context, part, measure, bands)] for part in parts}
    return {"keys": [[key.shade, key.text] for key in _keys(context, bands)], "parts": shown}


def _shade(context: PageContext, part: Row, measure: MapMeasure, bands: Bands) -> str:
    value = _value(context, part, measure)
    if value is None or measure.scale != _BOTH:
        return bands.shade(value)
    if part.get("status") in _BY_STATUS:
        return _BY_STATUS[part["status"]]
    return bands.shade(max(0.0, value))


def _keys(context: PageContext, bands: Bands) -> list[Key]:
    """The legend: below the first break, between two, from the last on, and no value."""
    if bands.scale == _BOTH:
        return _status_keys(context, bands)
    say, places = context.language.say, int(any(each % 1 for each in bands.breaks))
    told = [context.language.written.decimal(each, places) for each in bands.breaks]
    between = [say("key_between", low=low, high=high) for low, high in pairwise(told)]
    steps = [say("key_below", high=told[0]), *between, say("key_from", low=told[-1])]
    shades = [Key(f"{bands.scale}{n}", text) for n, text in enumerate(steps)]
    return [*shades, Key(NO_VALUE, say("key_none"))]


def _status_keys(context: PageContext, bands: Bands) -> list[Key]:
    """The legend of a gap: what is below plan by its status, what is on plan, and how far ahead."""
    say, ahead = context.language.say, [each for each in bands.breaks if each > 0]
    places = int(any(each % 1 for each in ahead))
    low, high = (context.language.written.decimal(each, places) for each in ahead)
    below = [Key(shade, context.language.status(status)) for status, shade in _BELOW.items()]
    on_plan = Key(_ON_PLAN, say("key_on_plan", high=low))
    between, beyond = say("key_between", low=f"+{low}", high=f"+{high}"), say("key_from", low=f"+{high}")
    none = Key(NO_VALUE, say("key_no_gap", status=context.language.status(NOT_BEGUN)))
    return [*below, on_plan, Key("both3", between), Key("both4", beyond), none]
