"""Work lists of a province from its streams: gaps between them, and SLS whose heads are to be met. No persons."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy import Connection, text

from regsosek.alerts.messages.work_list import cell, grouped
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.free_days import free_days
from regsosek.scratch import open_private
from regsosek.statistics.streams.province_streams import told_of_night
from regsosek.statistics.streams.reconciliation import gap_kinds, gaps, heads_not_met
from regsosek.wording.spreadsheet import Spreadsheet

SHOWN = 50
HEAD_NOT_MET, LIST_NOT_ENTERED = "ketua SLS belum ditemui", "daftar belum dientri"
Row = Mapping[str, str | int | date]

# A code is a sub-SLS of the frame, or the region that all of what changed lies in.
_PLACES = """
SELECT p.code, k.code AS kabkota, k.name AS kabkota_name, coalesce(e.name, '') AS desa_name,
       coalesce(f.name, d.name, '') AS name
FROM unnest(CAST(:codes AS text[])) AS p (code)
LEFT JOIN LATERAL (SELECT name, id_desa FROM reference.subsls s WHERE s.province = :province AND s.id_subsls = p.code
                   ORDER BY valid_from DESC LIMIT 1) f ON true
LEFT JOIN reference.region d ON d.code = p.code
LEFT JOIN reference.region e ON e.code = f.id_desa
LEFT JOIN reference.region_ancestor a ON a.code = coalesce(f.id_desa, p.code)
JOIN reference.region k ON k.code = a.ancestor_code AND k.level = 'kabkota'
"""


@dataclass(frozen=True)
class WorkList:
    """A list of things to do: what it is, as of which night, and its rows in the order that the title says."""

    title: str
    night: date
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def gap_list(connection: Connection, province: str, night: date, window: FieldWindow) -> WorkList:
    """Every gap between the streams of ``province``, as of its last good night up to ``night``."""
    told, as_of = told_of_night(connection, province, night, window)
    found = gaps(told)
    places = _places(connection, province, found["code"])
    rows = (
        {
            **_place(places, gap["code"]),
            "selisih": gap_kinds()[gap["kind"]].name.id,
            "keluarga": gap["families"],
            "sejak": gap["since"],
            "dibandingkan_sampai": gap["through"],
            "tindakan": gap_kinds()[gap["kind"]].action.id,
        }
        for gap in found.to_dict("records")
    )
    columns = (*_PLACE_COLUMNS, "selisih", "keluarga", "sejak", "dibandingkan_sampai", "tindakan")
    ordered = _most_first(
        rows, size=lambda row: int(str(row["keluarga"])), within=lambda row: -int(str(row["keluarga"]))
    )
    return WorkList("selisih antarsumber data (keluarga terbanyak dahulu)", as_of, columns, ordered)


def appointment_list(connection: Connection, province: str, night: date, window: FieldWindow) -> WorkList:
    """SLS that are worked in without a verified list: why, and the days of the next week on which heads are at home."""
    told, as_of = told_of_night(connection, province, night, window)
    away = heads_not_met(told)
    found = gaps(told)
    due = found[(found["kind"] == "list_not_entered") & ~found["code"].isin(away.index)]
    reasons = {**dict.fromkeys(away.index, HEAD_NOT_MET), **dict.fromkeys(due["code"], LIST_NOT_ENTERED)}
    since = {**dict(away["since"]), **dict(zip(due["code"], due["since"], strict=True))}
    days = " ".join(day.isoformat() for day in free_days(province, as_of))
    places = _places(connection, province, list(reasons))
    rows = (
        {**_place(places, code), "alasan": reason, "sejak": since[code], "hari_janji_temu": days}
        for code, reason in reasons.items()
    )
    columns = (*_PLACE_COLUMNS, "alasan", "sejak", "hari_janji_temu")
    ordered = _most_first(rows, size=lambda _: 1, within=lambda row: row["sejak"])
    return WorkList(
        "SLS yang perlu janji temu (kab/kota dengan SLS terbanyak, lalu yang terlama)", as_of, columns, ordered
    )


def work_table(province: str, listed: WorkList) -> Table:
    """The first rows for the terminal."""
    more = f" (the first {SHOWN}; --output writes all)" if len(listed.rows) > SHOWN else ""
    title = f"Province {province}: {len(listed.rows)} {listed.title}, as of {listed.night}{more}"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for column in listed.columns:
        table.add_column(column)
    for row in listed.rows[:SHOWN]:
        table.add_row(*(str(row[column]) for column in listed.columns))
    return table


def write_work_list(listed: WorkList, path: Path) -> None:
    """Writes the list as CSV that a spreadsheet opens without running a name or making a number of a code."""
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(listed.columns)
        writer.writerows([_cell(column, row[column]) for column in listed.columns] for row in listed.rows)


def _cell(column: str, value: str | int | date) -> str:
    return grouped(str(value)) if column in _CODES else cell(str(value))


_PLACE_COLUMNS = ("kabkota", "nama_kabkota", "nama_desa", "kode", "nama")
_CODES = ("kabkota", "kode")


def _places(connection: Connection, province: str, codes: Sequence[str] | pd.Series) -> Mapping[str, Row]:
    asked = {"province": province, "codes": list(codes)}
    found = connection.execute(text(_PLACES), asked)
    return {row.code: dict(zip(_PLACE_COLUMNS, _columns(row), strict=True)) for row in found}


def _columns(row: Any) -> tuple[str, ...]:
    return row.kabkota, row.kabkota_name, row.desa_name, row.code, row.name


def _place(places: Mapping[str, Row], code: str) -> Row:
    return places.get(code) or dict.fromkeys(_PLACE_COLUMNS, "") | {"kode": code}


def _most_first(rows: Iterable[Row], size: Callable[[Row], int], within: Callable[[Row], Any]) -> tuple[Row, ...]:
    """The kab/kota in which most is to be done first; in it by ``within``, then by code.

    Args:
        size: what a row adds to its kab/kota.
    """
    listed, sums = list(rows), Counter[str]()
    for row in listed:
        sums[str(row["kabkota"])] += size(row)
    return tuple(
        sorted(listed, key=lambda row: (-sums[str(row["kabkota"])], str(row["kabkota"]), within(row), str(row["kode"])))
    )
