"""What tests of a part of the site ask for: a page's context, and a page as an outline or as one line of text."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.figures.figures import Figures
from regsosek.release.site.addresses import Address
from regsosek.release.site.atlas import Atlas
from regsosek.release.site.language import Language
from regsosek.release.site.page_table import PageContext
from support.checks.site_outline import Outline

ENGLISH, INDONESIAN = Language("en"), Language("id")


def context(figures: Figures, language: Language = ENGLISH, path: str = "index.html") -> PageContext:
    """The context of one page."""
    return PageContext(Atlas(figures), language, Address(path, language.code))


def said(outline: Outline) -> str:
    """All that a page says, in one line."""
    return " ".join("".join(outline.text).split())


def with_forecast(figures: Figures, code: str, **fields: Any) -> Figures:
    """The same figures, with other values in the forecast of a region."""
    forecasts = figures.prospects.forecasts.copy()
    forecasts.loc[forecasts["code"] == code, list(fields)] = list(fields.values())
    return replace(figures, prospects=replace(figures.prospects, forecasts=forecasts))


def with_state(figures: Figures, code: str, **fields: Any) -> Figures:
    """The same figures, with another night of a province."""
    provinces = figures.provinces.copy()
    provinces.loc[provinces["province"] == code, list(fields)] = list(fields.values())
    return replace(figures, provinces=provinces)


def with_nights(figures: Figures, nights: list[date]) -> Figures:
    """The same figures, with a calendar that is the same on each of ``nights`` but for the number of families."""
    last = figures.calendar[figures.calendar["night"] == figures.calendar["night"].max()]
    own = [last.assign(night=night, received=number) for number, night in enumerate(nights)]
    return replace(figures, calendar=pd.concat(own))


def of_provinces(figures: Figures, codes: Collection[str]) -> Figures:
    """The same figures, with pages of the nation and these provinces alone: drawing all takes long."""
    shown = figures.completion["province"].isin(codes) | (figures.completion["code"] == NATION)
    return replace(figures, completion=figures.completion[shown])
