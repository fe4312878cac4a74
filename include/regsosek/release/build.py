"""The release as files: bytes by name, a function of the figures alone, so that building again gives the same."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from regsosek.geography.boundaries import NO_BOUNDARIES, Boundaries
from regsosek.geography.regions import NATION
from regsosek.release import datapackage, workbook
from regsosek.release.changelog import changelogs
from regsosek.release.figures import Figures
from regsosek.release.parquet_tables import parquet_files
from regsosek.release.renamed import under_former_names
from regsosek.release.sdmx import sdmx_files
from regsosek.release.site.pages import site
from regsosek.release.tables import REGION_TABLES, region_rows, table_files, with_context
from regsosek.release.wording import night_states
from regsosek.statistics.definitions import definitions

_SERIES = ("day", "visited", "complete", "visited_so_far", "complete_so_far", "plan_families")


def build(figures: Figures, boundaries: Boundaries = NO_BOUNDARIES) -> dict[str, bytes]:
    """Every content file of the release by name; nothing in them tells when they were made.

    A name may lead into a folder of the release: ``kabkota/3578.html``.
    """
    tables = table_files(figures)
    return {
        **tables,
        **formats(figures.night, tables),
        **under_former_names(tables),
        **changelogs(figures),
        "progres.json": _summary(figures),
        **site(figures, boundaries),
    }


def formats(night: date, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The CSV tables in all other formats: Parquet, workbook, SDMX, and the description for machines."""
    return {
        **parquet_files(tables),
        **sdmx_files(night, tables),
        workbook.NAME: workbook.workbook(night, tables),
        datapackage.NAME: datapackage.datapackage(night, tables),
    }


def _summary(figures: Figures) -> bytes:
    """Nation, provinces and the national series, under the column names of the tables."""
    series = figures.daily[figures.daily["code"] == NATION].sort_values("day")
    [nation] = _records(region_rows(figures, "nasional"), REGION_TABLES["nasional.csv"][1])
    content = {
        "malam": figures.night.isoformat(),
        "skala": figures.scale,
        "provinsi_belum_lengkap": [_missing(each) for each in figures.missing],
        "nasional": nation,
        "provinsi": _records(region_rows(figures, "provinsi"), REGION_TABLES["provinsi.csv"][1]),
        "harian_nasional": _records(with_context(figures, series, "code"), _SERIES),
        "definisi": {each.column: each.definition for each in definitions().values()},
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _missing(province: Any) -> dict[str, Any]:
    return {
        "kode": province.code,
        "nama": province.name,
        "keadaan": night_states()[province.state].label,
        "angka_sampai_malam": _plain(province.figures_night),
        "keluarga_ditahan": province.held_families,
    }


def _records(frame: pd.DataFrame, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    columns = [definitions()[field].column for field in (*fields, "data_until")]
    rows = frame[[*fields, "data_until"]].itertuples(index=False, name=None)
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    """A value as JSON knows it; percentages with four decimals."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float):
        return round(value, 4)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, str) else int(value)
