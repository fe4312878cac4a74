"""The charts: each line, bar and bound is drawn from its own figure, and written as its language writes numbers."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from regsosek.release.figures.figures import Figures
from regsosek.release.site.charts import _ends, charts
from regsosek.release.site.language import Language
from support.figures import made_up
from support.figures.site_parts import ENGLISH, INDONESIAN, context, with_forecast

PROVINCE = "11"
ENDS = {"low": "final_low_share", "middle": "final_share", "high": "final_high_share"}


@pytest.fixture(scope="module")
def figures() -> Figures:
    return made_up.figures()


def drawn(
    figures: Figures, code: str = PROVINCE, language: Language = ENGLISH
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The specifications of the charts of a region, and their drawings."""
    files: dict[str, bytes] = {}
    at = context(figures, language)
    found = charts(at, at.atlas.region(code), files)
    return {each.id: json.loads(each.specification) for each in found}, {
        each.id: files[each.file].decode() for each in found
    }


def test_a_bar_is_as_high_as_the_families_visited_on_its_day(figures: Figures) -> None:
    days = figures.daily[figures.daily["code"] == PROVINCE].sort_values("day")
    bars = drawn(figures)[0]["harian"]["datasets"]["days"]
    assert [each["visited"] for each in bars] == days["visited"].tolist()
    assert [each["day"] for each in bars] == [ENGLISH.written.short_date(day) for day in days["day"]]


def test_lines_end_where_nothing_is_known_any_more(figures: Figures) -> None:
    last = figures.daily["day"].max()
    unknown = (figures.daily["code"] == PROVINCE) & (figures.daily["day"] == last)
    measures = ["visited", "complete", "visited_so_far", "complete_so_far"]
    emptied = figures.daily.astype(dict.fromkeys(measures, "Int64"))
    emptied.loc[unknown, measures] = pd.NA
    datasets = drawn(replace(figures, daily=emptied))[0]
    told = {each["day"] for each in datasets["kemajuan"]["datasets"]["visited"]}
    assert told
    assert ENGLISH.written.short_date(last) not in told
    assert {each["day"] for each in datasets["harian"]["datasets"]["days"]} == told


def test_lines_rise_to_all_that_was_visited_and_completed_so_far(figures: Figures) -> None:
    days, region = figures.daily[figures.daily["code"] == PROVINCE], figures.region(PROVINCE)
    datasets = drawn(figures)[0]["kemajuan"]["datasets"]
    for measure in ("visited", "complete"):
        shares = [each["share"] for each in datasets[measure]]
        assert shares == sorted(shares), measure
        assert shares[-1] == pytest.approx(days[measure].sum() * 100 / region["plan_base_families"], abs=0.01), measure
    tonight = {each["day"]: each["share"] for each in datasets["plan"]}[ENGLISH.written.short_date(figures.night)]
    assert tonight == pytest.approx(region["plan_percent"], abs=0.01)


def test_the_figure_beside_a_line_is_its_own_and_has_its_colour(figures: Figures) -> None:
    specification = drawn(figures)[0]["kemajuan"]
    colours = {layer["data"]["name"]: layer["mark"].get("color") for layer in specification["layer"]}
    ends = {each["color"]: each for each in specification["datasets"]["ends"]}
    assert len(ends) == 2
    for measure in ("visited", "complete"):
        last = specification["datasets"][measure][-1]["share"]
        assert ends[colours[measure]]["share"] == last, measure
        assert ends[colours[measure]]["text"] == f"{last:.1f}%", measure


@pytest.mark.parametrize("reached", [(9.0, 8.5), (8.5, 8.5), (40.0, 0.0), (3.0, 1.0)])
def test_the_figures_beside_the_lines_stand_apart_and_above_the_axis(
    figures: Figures, reached: tuple[float, float]
) -> None:
    shares = dict(zip(("visited", "complete"), ([each] for each in reached), strict=True))
    upper, lower = (each["at"] for each in _ends(ENGLISH, figures.night, shares, 120))
    assert upper - lower >= 8.4 - 0.01
    assert lower >= 6
    assert upper >= reached[0]


@pytest.mark.parametrize("bound", ENDS)
def test_the_band_ends_at_the_bounds_of_the_forecast_and_each_of_them_is_drawn(figures: Figures, bound: str) -> None:
    forecast = figures.prospects.forecasts.set_index("code").loc[PROVINCE]
    specification, before = drawn(figures)
    band = specification["kemajuan"]["datasets"]["band"]
    assert band[-1][bound] == pytest.approx(forecast[ENDS[bound]], abs=0.01)
    assert band[-1]["day"] == ENGLISH.written.short_date(forecast["window_end"])
    other = with_forecast(figures, PROVINCE, **{ENDS[bound]: forecast[ENDS[bound]] - 1})
    assert drawn(other)[1]["kemajuan"] != before["kemajuan"]


def test_the_band_of_the_nation_has_a_point_wherever_the_window_of_a_province_ends(figures: Figures) -> None:
    told = figures.prospects.forecasts
    first = told.loc[told["code"] == PROVINCE, "window_end"].iloc[0]
    other, families = with_forecast(figures, "31", window_end=first + timedelta(days=6)), 0.0
    for row in told[told["level"] == "provinsi"].to_dict("records"):
        later = row["code"] == "31"
        part = (first - figures.night) / (first + timedelta(days=6) - figures.night) if later else 1.0
        families += row["visited"] + (row["final_visited"] - row["visited"]) * part
    shown = told[told["level"] == "provinsi"]
    band = drawn(other, "00")[0]["kemajuan"]["datasets"]["band"]
    ends = [ENGLISH.written.short_date(first + timedelta(days=days)) for days in (0, 6)]
    assert [each["day"] for each in band[1:]] == ends
    assert band[1]["middle"] == pytest.approx(families * 100 / shown["plan_base_families"].sum(), abs=0.02)
    whole = shown["final_visited"].sum() * 100 / shown["plan_base_families"].sum()
    assert band[2]["middle"] == pytest.approx(whole, abs=0.02)
    assert band[1]["low"] <= band[1]["middle"] <= band[1]["high"]


def test_a_region_without_a_forecast_has_no_band(figures: Figures) -> None:
    other = with_forecast(figures, PROVINCE, forecast_status="impossible")
    assert drawn(other)[0]["kemajuan"]["datasets"]["band"] == []


def test_days_after_the_night_are_not_drawn(figures: Figures) -> None:
    early = made_up.figures(night=made_up.NIGHT - timedelta(days=1))
    later = figures.daily[figures.daily["day"] == figures.night]
    early.daily.loc[early.daily["day"] == early.night, "day"] = later["day"].iloc[0]
    days = [each["day"] for each in drawn(early)[0]["harian"]["datasets"]["days"]]
    assert ENGLISH.written.short_date(figures.night) not in days


@pytest.mark.parametrize(("language", "mark"), [(INDONESIAN, "."), (ENGLISH, ",")], ids=["id", "en"])
def test_axes_group_thousands_as_their_language_does(language: Language, mark: str) -> None:
    drawing = drawn(made_up.figures(scale=0.05), language=language)[1]["harian"]
    grouped = re.findall(r">\d+([.,])\d{3}</text>", drawing)
    assert grouped
    assert set(grouped) == {mark}
