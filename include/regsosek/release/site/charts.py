"""The charts: a Vega-Lite specification each, drawn to SVG when the release is built, interactive when asked for.

The specifications are data (``charts/*.vl.json``); here their datasets, axes and words are filled in. Days are names in
their order and numbers are written by us, so that no time zone or locale of a machine has a say; places of axes are
fixed, so that no font has.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import vl_convert

from regsosek.geography.calendar import FieldWindow
from regsosek.release.site.assets import VEGA_LITE
from regsosek.release.site.atlas import Atlas, Row
from regsosek.release.site.language import Language
from regsosek.release.site.page_table import PageContext

FOLDER = "grafik"
_HERE = Path(__file__).parent / "charts"
_STEP, _TICK = 20, 50  # percent
_LEAST_TOP = 120.0  # percent: forecasts reach beyond the whole, and all pages have one scale
_LABELS = 5  # days labelled on an axis, at most
_VISITED, _COMPLETE, _HOVER = "#0b5fa5", "#b45309", "hover"
_LEAST_APART = 7.0  # percent between two labels
_ABOVE_AXIS = 0.75  # of that, from the axis to a label
_BOUNDS = {"low": "final_low_share", "middle": "final_share", "high": "final_high_share"}
_SPEC = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A drawn chart: its file, what it says for whoever cannot see it, its interactive specification as JSON."""

    id: str
    file: str
    alt: str
    specification: str
    width: int
    height: int


def charts(context: PageContext, row: Row, files: dict[str, bytes]) -> list[Chart]:
    """The charts of a region with visits; their drawings are added to ``files``."""
    days = [each for each in context.atlas.days.get(row["code"], []) if each["day"] <= context.atlas.figures.night]
    if not days or not row["plan_base_families"] or not row["visited"]:
        return []
    window = span(context.atlas, row)
    # Nothing is known of the days after a province's last night.
    shown = [each for each in days if window[0] <= each["day"] <= window[1] and each["visited_so_far"] is not None]
    if not shown:
        return []
    return [
        _drawn(context, row, files, "kemajuan", _progress(context, row, shown, window)),
        _drawn(context, row, files, "harian", _daily(context.language, shown, window)),
    ]


def span(atlas: Atlas, row: Row) -> tuple[date, date]:
    """The first and the last day of a region's campaign, as known on the night."""
    windows = _windows(atlas, row)
    return min(each.opens for each in windows), max(each.closing(atlas.figures.night) for each in windows)


def _windows(atlas: Atlas, row: Row) -> list[FieldWindow]:
    windows = atlas.figures.windows
    return list(windows.values()) if row["level"] == "nasional" else [windows[row["province"]]]


def _drawn(context: PageContext, row: Row, files: dict[str, bytes], name: str, spec: _SPEC) -> Chart:
    file = f"{FOLDER}/{row['code']}-{name}.{context.language.code}.svg"
    spec["title"]["text"] = citation(context, row)
    still = spec | {"layer": [each for each in spec["layer"] if each.get("name") != _HOVER]}
    files[file] = _svg(_json(still))
    padding = spec["padding"]
    width, height = (
        spec["width"] + padding["left"] + padding["right"],
        spec["height"] + padding["top"] + padding["bottom"],
    )
    return Chart(name, file, _told(context, row, name), _json(spec), width, height)


def citation(context: PageContext, row: Row) -> list[str]:
    """What a picture that is passed on says of itself, line by line: of what, until when, who published it."""
    language, figures = context.language, context.atlas.figures
    night = f"{language.written.short_date(figures.night)} {figures.night.year}"
    imprint = figures.imprint
    publisher = imprint.publisher if language.code == "id" else imprint.publisher_en
    of_what = "citation_simulated" if figures.about.simulated else "citation_of"
    told = language.say(of_what, name=row["name"], night=night)
    return [told, language.say("citation_source", publisher=publisher)]


def _json(spec: _SPEC) -> str:
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=256)
def _svg(spec: str) -> bytes:
    """The drawing of a specification; kept, for a night that is published again mostly draws the same."""
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE).encode()


def _told(context: PageContext, row: Row, name: str) -> str:
    names = ("visited_of_plan_base", "plan_percent", "visited", "complete", "last_day")
    shown = {each: context.figure(row, each) for each in names}
    night = context.language.written.long_date(context.atlas.figures.night)
    return context.language.say(f"chart_{name}_alt", name=row["name"], night=night, **shown)


@cache
def _specification(name: str) -> str:
    return (_HERE / f"{name}.vl.json").read_text(encoding="utf-8")


def _blank(name: str, language: Language, window: tuple[date, date]) -> _SPEC:
    """A specification with its days and its way of writing numbers."""
    spec: _SPEC = json.loads(_specification(name))
    days = _days(window)
    step = math.ceil(len(days) / _LABELS)
    axis = spec["encoding"]["x"]
    axis["scale"]["domain"] = [language.written.short_date(day) for day in days]
    axis["axis"]["values"] = axis["scale"]["domain"][::step]
    written = language.written
    number = {"decimal": written.mark, "thousands": written.thousands, "grouping": [3], "currency": ["", ""]}
    spec["config"]["locale"] = {"number": number}
    return spec


def _days(window: tuple[date, date]) -> list[date]:
    return [window[0] + timedelta(days=n) for n in range((window[1] - window[0]).days + 1)]


def _progress(context: PageContext, row: Row, days: Sequence[Row], window: tuple[date, date]) -> _SPEC:
    language, families = context.language, row["plan_base_families"]
    spec, written = _blank("progress", language, window), language.written
    plan = _plan(context.atlas, row, window)
    reached = _reached(days, families)
    band = _band(context, row, days[-1]["day"], reached["visited"][-1])
    highest = max(_LEAST_TOP, *reached["visited"], *(each["high"] for each in band))
    top = math.ceil(highest / _STEP) * _STEP
    axis = spec["layer"][2]["encoding"]["y"]
    axis["scale"]["domain"], axis["axis"]["values"] = [0, top], list(range(0, top + 1, _TICK))
    spec["datasets"] = {
        "plan": [{"day": written.short_date(day), "share": _rounded(share)} for day, share in plan.items()],
        "band": band,
        "ends": _ends(language, days[-1]["day"], reached, top),
        "complete": [],
        "days": _told_days(language, days, reached, plan),
        **{measure: _line(language, days, shares) for measure, shares in reached.items()},
    }
    hover = spec["layer"][-1]
    hover["mark"]["strokeWidth"] = round(spec["width"] / len(plan), 1)
    hover["encoding"]["tooltip"] = _tooltip(language, ("day", *reached, "plan"))
    return spec


def _reached(days: Sequence[Row], families: int) -> dict[str, list[float]]:
    """How far each measure was by the end of each day, in percent; complete only where it is told by day."""
    told = [m for m in ("visited", "complete") if all(each[f"{m}_so_far"] is not None for each in days)]
    return {measure: [each[f"{measure}_so_far"] * 100 / families for each in days] for measure in told}


def _rounded(share: float) -> float:
    return round(share, 2)


def _line(language: Language, days: Sequence[Row], shares: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {"day": language.written.short_date(each["day"]), "share": _rounded(share)}
        for each, share in zip(days, shares, strict=True)
    ]


def _plan(atlas: Atlas, row: Row, window: tuple[date, date]) -> dict[date, float]:
    """The plan of the whole campaign in percent, of the nation weighted by the targets of the counted provinces."""
    night = atlas.figures.night
    if row["level"] != "nasional":
        own = atlas.figures.windows[row["province"]]
        return {day: own.plan_share(day, night) * 100 for day in _days(window)}
    weighted = [(atlas.figures.windows[each["code"]], each["plan_base_families"] or 0) for each in atlas.counted]
    whole = sum(families for _, families in weighted) or 1
    return {day: sum(w.plan_share(day, night) * n for w, n in weighted) * 100 / whole for day in _days(window)}


def _band(context: PageContext, row: Row, last: date, reached: float) -> list[dict[str, Any]]:
    """From where the region stands to the interval at the end of its window; nothing where there is no forecast.

    Of the nation it has a point wherever the window of a province ends, and the provinces' forecasts added up: the sum
    of their bounds is wider than an interval of the nation would be, and says what it is made of.
    """
    atlas, own = context.atlas, [context.atlas.forecasts[row["code"]]] if row["code"] in context.atlas.forecasts else []
    told = atlas.forecasts_of("provinsi") if row["level"] == "nasional" else own
    if any(each["forecast_status"] == "impossible" for each in told):
        return []
    written = context.language.written
    now = {"day": written.short_date(last), **dict.fromkeys(_BOUNDS, _rounded(reached))}
    ends = sorted({each["window_end"] for each in told if each["forecast_status"] == "forecast"})
    then = [{"day": written.short_date(day), **_bounds(told, last, day)} for day in ends if day > last]
    return [now, *then] if then else []


def _bounds(told: Sequence[Row], last: date, day: date) -> dict[str, float]:
    families = sum(each["plan_base_families"] for each in told)
    sums = {
        name: sum(_expected(each, field, last, day) * each["plan_base_families"] for each in told)
        for name, field in _BOUNDS.items()
    }
    return {name: _rounded(total / families) for name, total in sums.items()}


def _expected(forecast: Row, field: str, last: date, day: date) -> float:
    """The percent that a region is expected to have on a day: of one that is done, what it has."""
    reached = float(forecast["visited"] * 100 / forecast["plan_base_families"])
    if forecast["forecast_status"] != "forecast":
        return reached
    part = min(1.0, (day - last) / (forecast["window_end"] - last)) if forecast["window_end"] > last else 1.0
    return reached + (float(forecast[field]) - reached) * part


def _ends(language: Language, last: date, reached: Mapping[str, Sequence[float]], top: int) -> list[dict[str, Any]]:
    """The last points with their figures beside them, one above the other where they would meet."""
    visited, complete = reached["visited"][-1], reached.get("complete", [0.0])[-1]
    apart = _LEAST_APART * top / 100
    below = max(apart * _ABOVE_AXIS, min(complete, visited - apart))
    above = max(visited, below + apart)
    day = language.written.short_date(last)
    return [
        {
            "day": day,
            "share": _rounded(share),
            "at": _rounded(at),
            "color": color,
            "text": language.written.percentage(share),
        }
        for share, at, color in ((visited, above, _VISITED), (complete, below, _COMPLETE))[: len(reached)]
    ]


def _told_days(
    language: Language, days: Sequence[Row], reached: Mapping[str, Sequence[float]], plan: Mapping[date, float]
) -> list[dict[str, Any]]:
    percentage = language.written.percentage
    return [
        {"day": language.written.short_date(each["day"]), "plan": percentage(plan[each["day"]]),
         **{measure: percentage(shares[place]) for measure, shares in reached.items()}}
        for place, each in enumerate(days)
    ]  # fmt: skip


def _tooltip(language: Language, names: Sequence[str]) -> list[dict[str, str]]:
    return [{"field": name, "title": language.texts[f"chart_{name}"]} for name in names]


def _daily(language: Language, days: Sequence[Row], window: tuple[date, date]) -> _SPEC:
    spec, written = _blank("daily", language, window), language.written
    top = _round_top(max([1, *(each["visited"] for each in days)]))
    axis = spec["encoding"]["y"]
    axis["scale"]["domain"], axis["axis"]["values"] = [0, top], [0, top // 2, top]
    spec["datasets"] = {
        "days": [
            {
                "day": written.short_date(each["day"]),
                "visited": int(each["visited"]),
                "text": written.number(int(each["visited"])),
            }
            for each in days
        ]
    }
    shown = [
        {"field": "day", "title": language.texts["chart_day"]},
        {"field": "text", "title": language.texts["chart_visited"]},
    ]
    spec["layer"][-1]["encoding"]["tooltip"] = shown
    return spec


def _round_top(value: int) -> int:
    """A round number that holds ``value`` without leaving the drawing half empty; half of it is whole."""
    magnitude = int(f"1{'0' * max(0, len(str(value)) - 2)}")
    return next(
        step * magnitude for step in (2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 60, 80, 100) if step * magnitude >= value
    )
