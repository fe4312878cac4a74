"""What an operator asks of the forecast: one region, and what more days or officers would change for it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from regsosek.errors import ConfigurationError
from regsosek.geography.planning import planning
from regsosek.settings import Settings
from regsosek.statistics.counts.tree import completion
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.forecast.series import officers, region_days
from regsosek.statistics.forecast.table import FORECAST_LEVELS, FORECAST_WORDS, Case, forecast_words, prospects
from regsosek.statistics.measures.denominators import with_denominators
from regsosek.statistics.measures.region_figures import region_figures

_FORECAST = (
    "visited", "plan_base_families", "plan_base_version", "last_day", "window_end", "forecast_status",
    "forecast_reason", "in_time", "forecast_method", "final_visited", "final_share", "final_low", "final_high",
    "done_on", "done_from", "done_until", "families_left", "officer_families", "officer_days",
    "families_per_officer_day", "officer_source", "officers_per_day", "officer_days_needed",
)  # fmt: skip
_CASE = ("window_end", "final_gain", "final_visited", "final_share", "done_on")


@dataclass(frozen=True)
class AskedForecast:
    """Name and value of each figure, by field; ``case`` is empty where the region cannot be forecast."""

    code: str
    name: str
    night: date
    forecast: dict[str, Any]
    case: dict[str, Any]


def asked_forecast(connection: Connection, settings: Settings, code: str, night: date, case: Case) -> AskedForecast:
    """The forecast of ``code`` as the warehouse knows it on ``night``, and what ``case`` would change.

    Raises:
        ConfigurationError: the region is no province or kab/kota.
    """
    planned = planning(settings)
    as_of = last_refreshed(connection, night)
    regions = with_denominators(connection, as_of, planned.windows, completion(connection, as_of), planned.targets)
    shown = region_figures(regions, planned.windows, planned.plans, night, as_of.nights)
    asked = shown[(shown["code"] == code) & shown["level"].isin(FORECAST_LEVELS)]
    if asked.empty:
        raise ConfigurationError(f"region {code}: no forecast; name a province or kab/kota by its code, e.g. 3578")
    # The province's other regions are asked too: how late documents are and how busy weekends is seen in all of them.
    own = shown[shown["province"] == asked.iloc[0]["province"]]
    found = prospects(own, region_days(connection, as_of), officers(connection, as_of), planned.windows, as_of, [case])
    forecasts, cases = (_of(table, code) for table in (found.forecasts, found.cases))
    return AskedForecast(code, str(asked.iloc[0]["name"]), night, _told(forecasts, _FORECAST), _told(cases, _CASE))


def forecast_lines(told: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures in words: their English names, and values as text."""
    return [(definitions()[field].name.en, _text(value)) for field, value in told.items()]


def _of(table: pd.DataFrame, code: str) -> pd.DataFrame:
    return table[table["code"] == code]


def _told(rows: pd.DataFrame, fields: tuple[str, ...]) -> dict[str, Any]:
    if rows.empty:
        return {}
    values = {field: None if pd.isna(value := rows.iloc[0][field]) else value for field in fields}
    return {field: forecast_words()[v].id if v and field in FORECAST_WORDS else v for field, v in values.items()}


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
