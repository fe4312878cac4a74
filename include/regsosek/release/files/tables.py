"""The published tables: which columns each has, and their bytes. What may be public at which level is decided here."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pandas as pd

from regsosek.geography.regions import CODE_SYSTEM, LEVELS, NATION, VALID_FROM, VERSION, Level
from regsosek.release.figures.changes import CAUSE_FIELDS
from regsosek.release.figures.disclosure import CASE_CAUSES, MERGED, OPEN, RESULTS
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.schema import GLOSSARY_COLUMNS, REGIONS
from regsosek.release.figures.words import calendar_states, cut_off, night_states, severities, target_sources
from regsosek.statistics.counts.days import ARRIVAL_FIELDS, QUALITY_RATES
from regsosek.statistics.definitions.definitions import Definition, definitions, public_fields
from regsosek.statistics.forecast.table import FORECAST_WORDS, forecast_words
from regsosek.statistics.measures.status import status_words
from regsosek.statistics.nights.arrivals_calendar import DELIVERY_COUNTS, FAMILY_COUNTS
from regsosek.statistics.streams.clocks import streams
from regsosek.warehouse.tables import PROGRESS_MEASURES

PERCENT_PLACES = 2
# What every table says about itself, in every row, so that a row cut out of it still does.
_CONTEXT = ("night", "data_until", "scale", "missing")
_OF_TARGET = (
    "target_families", "target_source", "target_version", "target_coverage", "visited_of_target", "complete_of_target",
)  # fmt: skip
_OF_FRAME = (
    "frame_families", "frame_version", "frame_kabkota", "kabkota_count", "frame_coverage", "visited_of_frame",
)  # fmt: skip
_OF_PRELIST = (
    "prelist_families", "prelist_version", "prelist_visited", "found_families", "prelist_and_found",
    "visited_of_prelist", "visited_of_prelist_and_found", "prelist_visited_of_prelist", "found_of_prelist",
    "sls_visited", "sls_target", "sls_target_version", "sls_target_coverage", "sls_visited_of_target",
)  # fmt: skip
_OF_OTHERS = (
    "subsls_frame", "subsls_verified", "verified_coverage", "verified_version", "verified_families",
    "visited_where_verified", "visited_of_verified", "registry_families", "registry_version", "registry_coverage",
    "visited_of_registry",
)  # fmt: skip
_PACE = (
    "plan_base", "plan_base_families", "plan_base_version", "plan_base_coverage", "visited_of_plan_base",
    "plan_percent", "plan_families", "gap_points", "gap_families", "days_behind", "limit_points", "status",
)  # fmt: skip
_COUNTED = (
    *PROGRESS_MEASURES, "nonresponse", "nonresponse_of_visited", "results_night", "disclosure_status", "unmapped",
    "last_day",
)  # fmt: skip
_SHARED = (*_COUNTED, *_OF_TARGET, *_OF_FRAME, *_OF_PRELIST, *_OF_OTHERS, *_PACE)
_OWN: Mapping[Level, tuple[str, ...]] = {
    "nasional": ("code", "name"),
    "provinsi": ("code", "name", "state", "last_night", "held_families"),
    "kabkota": ("code", "name", "parent_code", "state"),
    "kecamatan": ("code", "name", "parent_code"),
    "desa": ("code", "name", "parent_code"),
}
# What may be public at which level is a matter of the definitions. Below kab/kota only visited is: beside complete, its
# difference would show who refused in a small place.
REGION_TABLES: Mapping[str, tuple[Level, tuple[str, ...]]] = {
    f"{level}.csv": (level, public_fields((*own, *_SHARED), level)) for level, own in _OWN.items()
}
LEVELS_IN_FULL = ("nasional", "provinsi", "kabkota")

_SO_FAR = ("visited_so_far", "complete_so_far", "plan_families", "target_families")
_DAILY = ("day", "code", "name", *PROGRESS_MEASURES, *_SO_FAR, "disclosure_status")
_RATES = tuple(f"{measure}_of_received" for measure in QUALITY_RATES)
_ARRIVALS = ("arrival_night", "code", "name", *ARRIVAL_FIELDS.values(), "mean_days_late", *_RATES, "disclosure_status")
_FLOOR = (
    "code", "name", "child_level", "children", "children_judged", "floor_coverage", "floor_base_version",
    "children_visited", "children_families", "children_mean", "floor_code", "floor_name", "floor_visited",
    "floor_families", "floor_percent", "floor_status", "children_below", "children_below_share", "first_quartile",
    "median", "third_quartile", "last_day",
)  # fmt: skip
_CALENDAR = ("campaign_night", "code", "name", "night_state", *DELIVERY_COUNTS, *FAMILY_COUNTS)
_QUALITY = (
    "code", "name", "rule_dataset", "rule_id", "severity", "rule_text", "rule_text_en", "violating_tonight",
    "judged_tonight", "violating_of_judged_tonight", "violating", "judged", "violating_of_judged", "disclosure_status",
)  # fmt: skip
_RESTATED = (
    "day", "code", "name", "visited_before", *CASE_CAUSES, MERGED, "visited_now", "complete_before", "complete_now",
    "disclosure_status",
)  # fmt: skip
_STREAMS = (
    "code", "name", "stream", "stream_families", "frame_families", "frame_version", "frame_coverage",
    "stream_of_frame", "subsls_reported", "subsls_finished", "subsls_frame", "subsls_reported_of_frame",
    "subsls_finished_of_frame", "stream_night", "stream_through", "stream_lag", "stream_provinces",
)  # fmt: skip
_PHOTOS = ("code", "name", "tags_poor", "tags_photographed", "photo_coverage", "disclosure_status")
_CHANGES = ("region_level", "code", "name", "measure", "before", *CAUSE_FIELDS.values(), "now", "disclosure_status")
_FORECAST_BASE = (
    "region_level", "code", "name", "parent_code", "visited", "last_day", "plan_base", "plan_base_families",
    "plan_base_version", "plan_base_coverage", "window_end",
)  # fmt: skip
_FORECAST = (
    *_FORECAST_BASE, "days_left", "forecast_status", "forecast_reason", "in_time", "done_on", "done_from", "done_until",
    "done_method", "final_visited", "final_share", "final_low", "final_low_share", "final_high", "final_high_share",
    "forecast_method", "families_left", "officer_source", "officer_days", "officer_families",
    "families_per_officer_day", "officers_per_day", "officer_days_needed",
)  # fmt: skip
_REGIONS = ("region_level", "code", "name", "parent_code", "code_system", "code_version", "code_valid_from")
_LONG = ("region_level", "code", "name", "figure_day", "measure", "figure", "disclosure_status")
_CASES = (
    *_FORECAST_BASE, "extend_days", "more_officers", "final_gain", "final_visited", "final_share", "done_on",
)  # fmt: skip
# What the long table tells as of the night, and by day of enumeration before it.
LONG_MEASURES = (
    "visited", "complete", "quarantined", "target_families", "frame_families", "prelist_families", "plan_families",
)  # fmt: skip
LONG_SERIES = ("visited_so_far", "complete_so_far", "plan_families")
# Every table of the release but the glossary: its columns, in their order.
TABLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    **{name: (*fields, *_CONTEXT) for name, (_, fields) in REGION_TABLES.items()},
    "harian.csv": (*_DAILY, *_CONTEXT),
    "kedatangan.csv": (*_ARRIVALS, *_CONTEXT),
    "revisi.csv": (*_RESTATED, *_CONTEXT),
    "perubahan.csv": (*_CHANGES, *_CONTEXT),
    "terendah.csv": (*_FLOOR, *_CONTEXT),
    "prakiraan.csv": (*_FORECAST, *_CONTEXT),
    "skenario.csv": (*_CASES, *_CONTEXT),
    "sumber_data.csv": (*_STREAMS, *_CONTEXT),
    "foto.csv": (*_PHOTOS, *_CONTEXT),
    "kalender.csv": (*_CALENDAR, *_CONTEXT),
    "mutu.csv": (*_QUALITY, *_CONTEXT),
    "angka.csv": (*_LONG, *_CONTEXT),
    REGIONS: (*_REGIONS, *_CONTEXT),
}


_STATUS_LABELS = {status: words.label.id for status, words in status_words().items()}


def table_files(figures: Figures) -> dict[str, bytes]:
    """Every CSV file of the release by name: UTF-8, header, comma, LF; codes are text, rows in order of code."""
    return {**tables_of(figures, TABLE_FIELDS), "definisi.csv": _definitions()}


def tables_of(figures: Figures, names: Iterable[str]) -> dict[str, bytes]:
    """The CSV files ``names`` of :data:`TABLE_FIELDS`."""
    return {name: csv_bytes(_rows_of()[name](figures), TABLE_FIELDS[name]) for name in names}


@cache
def _rows_of() -> Mapping[str, Callable[[Figures], pd.DataFrame]]:
    """What makes the rows of each table, in their order."""
    return {
        **{name: partial(region_table, level=level) for name, (level, _) in REGION_TABLES.items()},
        "harian.csv": lambda figures: _by_code(figures, figures.daily, ["day", "code"]),
        "kedatangan.csv": _arrivals_table,
        "kalender.csv": _calendar_table,
        "mutu.csv": _quality_table,
        "revisi.csv": lambda figures: _by_code(figures, figures.restated, ["day", "code"]),
        "perubahan.csv": _changes_table,
        "terendah.csv": _floor_table,
        "prakiraan.csv": lambda figures: _forecast_table(figures, figures.prospects.forecasts),
        "skenario.csv": lambda figures: _forecast_table(figures, figures.prospects.cases),
        "sumber_data.csv": _streams_table,
        "foto.csv": lambda figures: with_context(figures, figures.photos, "province"),
        "angka.csv": lambda figures: with_context(figures, long_rows(figures), "province"),
        REGIONS: _regions_table,
    }


def _arrivals_table(figures: Figures) -> pd.DataFrame:
    return _by_code(figures, figures.arrivals.rename(columns={"night": "arrival_night"}), ["arrival_night", "code"])


def region_rows(figures: Figures, level: str) -> pd.DataFrame:
    """The regions of ``level`` with state and context of their province.

    Of kecamatan and desa only those that the frame knows or where a family was visited.
    """
    regions = figures.completion[figures.completion["level"] == level]
    if level not in LEVELS_IN_FULL:
        regions = regions[(regions["frame_families"] > 0) | (regions["visited"].fillna(0) > 0)]
    states = figures.provinces[["province", "state", "last_night", "held_families"]]
    return with_context(figures, regions.merge(states, on="province", how="left"), "province")


def with_context(figures: Figures, frame: pd.DataFrame, province_column: str) -> pd.DataFrame:
    """Adds night, cut-off, the province's scale and the provinces that are missing; the nation has none of its own.

    Figures that were not protected are told in full, as of their night.
    """
    until = {code: cut_off(night, code) for code, night in figures.as_of.nights.items()}
    until |= {NATION: cut_off(figures.night, None)} if until else {}
    provinces, scales = frame[province_column].fillna(NATION), figures.scales
    nights = {**figures.as_of.nights, **({NATION: figures.night} if until else {})}
    told: dict[str, Any] = {"disclosure_status": OPEN, "results_night": provinces.map(nights), MERGED: 0}
    return frame.assign(
        **{name: value for name, value in told.items() if name not in frame},
        night=figures.night,
        data_until=provinces.map(until),
        scale=[f"{Decimal(str(scales.get(code, figures.scale))):f}" for code in provinces],
        missing="; ".join(province.name for province in figures.missing),
    )


def region_table(figures: Figures, level: str) -> pd.DataFrame:
    """The regions of ``level`` as their table tells them: in words, in order of code."""
    rows = region_rows(figures, level)
    rows["state"] = rows["state"].map({state: words.label.id for state, words in night_states().items()})
    rows["status"] = rows["status"].map(_STATUS_LABELS)
    rows["target_source"] = rows["target_source"].map(target_source_words, na_action="ignore")
    return rows.sort_values("code")


def target_source_words(sources: str) -> str:
    """The words for the sources of a target; that of the nation is the sum of targets of several sources."""
    return "; ".join(target_sources()[source] for source in sources.split("+"))


def _published_regions(figures: Figures) -> pd.DataFrame:
    """The regions of all levels that stand in a table of their level."""
    return pd.concat([region_rows(figures, level) for level in LEVELS], ignore_index=True)


def _regions_table(figures: Figures) -> pd.DataFrame:
    rows = _published_regions(figures).rename(columns={"level": "region_level"})
    return rows.assign(code_system=CODE_SYSTEM, code_version=VERSION, code_valid_from=VALID_FROM)


def long_rows(figures: Figures) -> pd.DataFrame:
    """Headline figures of all levels and dates, one number a row.

    Of every region as of the night, of nation and provinces also the sums until each earlier day of enumeration; what
    is not public of a level, or not known, has no row.
    """
    tonight = _published_regions(figures).assign(figure_day=figures.night)
    regions = figures.completion[["code", "name", "level", "province"]]
    earlier = figures.daily[figures.daily["day"] < figures.night].merge(regions, on="code")
    by_level = [_melted(tonight[tonight["level"] == level], public_fields(LONG_MEASURES, level)) for level in LEVELS]
    days = earlier.rename(columns={"day": "figure_day"}).assign(disclosure_status=OPEN)
    rows = pd.concat([*by_level, _melted(days, LONG_SERIES)])
    columns = {field: each.column for field, each in definitions().items()}
    rows = rows.assign(measure=rows["measure"].map(columns)).rename(columns={"level": "region_level"})
    return rows.sort_values(["code", "measure", "figure_day"], ignore_index=True)


def _melted(rows: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    kept = ["code", "name", "level", "province", "figure_day", "disclosure_status"]
    long = rows.melt(kept, list(measures), "measure", "figure")
    status = long["disclosure_status"].where(long["measure"].isin(RESULTS), OPEN)
    return long.assign(disclosure_status=status)[long["figure"].notna()].astype({"figure": "int64"})


def _changes_table(figures: Figures) -> pd.DataFrame:
    columns = {field: each.column for field, each in definitions().items()}
    table = figures.changes.table.rename(columns={"level": "region_level"})
    return with_context(figures, table.assign(measure=table["measure"].map(columns)), "province")


def _floor_table(figures: Figures) -> pd.DataFrame:
    rows = with_context(figures, figures.floors, "province")
    rows["floor_status"] = rows["floor_status"].map(_STATUS_LABELS)
    return rows


def _forecast_table(figures: Figures, table: pd.DataFrame) -> pd.DataFrame:
    rows = with_context(figures, table.rename(columns={"level": "region_level"}), "province")
    said = [field for field in FORECAST_WORDS if field in rows]
    labels = {key: word.id for key, word in forecast_words().items()}
    words = {field: rows[field].map(labels) for field in said}
    return rows.assign(**words).sort_values("code", kind="stable")


def _streams_table(figures: Figures) -> pd.DataFrame:
    names = {name: stream.name.id for name, stream in streams().items()}
    rows = figures.streams.assign(stream=figures.streams["stream"].map(names))
    return with_context(figures, rows, "province")


def _calendar_table(figures: Figures) -> pd.DataFrame:
    told = figures.calendar.rename(columns={"night": "campaign_night", "state": "night_state"})
    labels = {state: words.label.id for state, words in calendar_states().items()}
    return _by_code(figures, told.assign(night_state=told["night_state"].map(labels)), ["campaign_night", "code"])


def _quality_table(figures: Figures) -> pd.DataFrame:
    labels = {severity: words.id for severity, words in severities().items()}
    rows = figures.rules.assign(severity=figures.rules["severity"].map(labels))
    return _by_code(figures, rows, ["code", "rule_dataset", "rule_id", "severity"])


def _by_code(figures: Figures, frame: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    regions = figures.completion[["code", "name", "target_families"]]
    rows = with_context(figures, frame.merge(regions, on="code", how="left"), "code")
    return rows.sort_values(order)


def csv_bytes(frame: pd.DataFrame, fields: Sequence[str]) -> bytes:
    """The columns ``fields`` of ``frame`` under their published headers."""
    return _written([definitions()[field].column for field in fields], _cells(frame, fields))


def _cells(frame: pd.DataFrame, fields: Sequence[str]) -> Iterable[list[str]]:
    return ([_cell(value) for value in row] for row in frame[list(fields)].itertuples(index=False, name=None))


def _cell(value: Any) -> str:
    """A point as decimal mark, for machines; empty where there is no value."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.{PERCENT_PLACES}f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def glossary_rows() -> list[dict[str, str]]:
    """The rows of ``definisi.csv`` by column, in its order.

    ``pembilang`` and ``penyebut`` are columns too; a figure is public down to ``tingkat_terendah``.
    """
    return [dict(zip(GLOSSARY_COLUMNS, _definition(each), strict=True)) for each in definitions().values()]


def _definitions() -> bytes:
    return _written(list(GLOSSARY_COLUMNS), map(_definition, definitions().values()))


def _definition(each: Definition) -> list[str]:
    of = definitions()[each.denominator] if each.is_share else each
    named = (each.numerator, each.denominator, of.version, of.coverage)
    columns = [definitions()[field].column if field else "" for field in named]
    words = [each.lowest_level, each.name.en, each.definition.en]
    return [each.column, each.name.id, each.definition.id, each.unit, *columns, *words]


def _written(header: list[str], rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
