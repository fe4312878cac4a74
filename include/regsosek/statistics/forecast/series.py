"""What a forecast goes by, from the warehouse: families by day and night of every region, officers and their days."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.statistics.counts.changes import VISITED
from regsosek.statistics.definitions.as_of import AS_OF, AsOf
from regsosek.statistics.forecast.candidates import WEEK, Integers
from regsosek.warehouse.cases.case_state import case_state_steps

_REGION_DAYS = f"""
WITH {AS_OF}
SELECT d.province, d.code, d.enumerated_on, d.night, d.visited
FROM mart.region_day d JOIN as_of a ON a.province = d.province AND d.night <= a.last_night
"""

# Cases of the last week as they stand, by what came in that week: what was enumerated in it came in it. An officer's
# code is unique in a kab/kota alone, so pairs are counted there, and a province has the sum; what cannot be placed in a
# kab/kota names an officer whom nobody knows. Codes are counted here and go no further.
_OF_WEEK = """
(SELECT k.*, CASE WHEN k.part = 0 THEN d.supersedes END AS replaces FROM core.kasus k
 JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
 WHERE k.province = :province AND k.night > :since AND k.night <= :night)
"""
_OFFICERS = f"""
WITH {case_state_steps("night", _OF_WEEK)},
worked AS (
    SELECT g.code, s.ppl, s.enumerated_on, sum({VISITED}) AS families
    FROM case_state s
    JOIN mart.placement p ON p.province = :province AND p.placed_code = s.placed_code
    JOIN reference.region_ancestor r ON r.code = p.region_code
    JOIN reference.region g ON g.code = r.ancestor_code AND g.level = 'kabkota'
    WHERE s.ppl IS NOT NULL AND s.enumerated_on > :since
    GROUP BY 1, 2, 3 HAVING sum({VISITED}) > 0
)
SELECT coalesce(code, :province) AS code, count(*) AS officer_days, sum(families)::bigint AS officer_families,
       count(DISTINCT enumerated_on) AS days_worked
FROM worked GROUP BY GROUPING SETS ((code), ()) HAVING count(*) > 0
"""
_ENGAGED = """
SELECT r.ancestor_code AS code, count(DISTINCT (o.province, o.code)) AS engaged
FROM reference.officer o JOIN reference.region_ancestor r ON r.code = o.id_kabkota
WHERE o.role = 'PPL' AND :night BETWEEN o.valid_from AND coalesce(o.valid_to, 'infinity')
GROUP BY 1
"""


_NOBODY = pd.DataFrame(columns=["code", "officer_days", "officer_families", "days_worked"])


def region_days(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """Families of provinces and kab/kota: ``province, code, enumerated_on, night, visited`` (what the night added)."""
    frame = pd.read_sql_query(text(_REGION_DAYS), connection, params=as_of.parameters)
    return frame.astype({"visited": "int64"})


def officers(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """Officers of provinces and kab/kota, index code: ``officer_days, officer_families, days_worked, engaged``.

    The first three are of each province's last seven days, from the enumerator whom documents name; ``engaged``: PPL of
    the reference that are valid that night.
    """
    of_provinces = [_seen(connection, province, night) for province, night in as_of.nights.items()]
    seen = pd.concat([_NOBODY, *of_provinces]).set_index("code")
    engaged = pd.read_sql_query(text(_ENGAGED), connection, params={"night": as_of.night}).set_index("code")
    return seen.join(engaged, how="outer").fillna(0).astype("int64")


def _seen(connection: Connection, province: str, night: date) -> pd.DataFrame:
    own: dict[str, Any] = {"province": province, "night": night, "since": night - timedelta(days=WEEK)}
    return pd.read_sql_query(text(_OFFICERS), connection, params=own)


def triangle(of_province: pd.DataFrame, codes: list[str], window: FieldWindow, night: date) -> Integers:
    """Families of ``codes`` by day of enumeration and night, both from the opening day to ``night``.

    What lies before the opening day counts on it; shape (codes, days, days).
    """
    days = window.day_of_window(night)
    known = np.zeros((len(codes), days, days), dtype=np.int64)
    rows = of_province[of_province["code"].isin(codes)]
    place = rows["code"].map({code: n for n, code in enumerate(codes)}).to_numpy()
    np.add.at(known, (place, *(_day(rows[c], window, days) for c in ("enumerated_on", "night"))), rows["visited"])
    return known


def _day(dates: "pd.Series[date]", window: FieldWindow, days: int) -> Integers:
    passed = (pd.to_datetime(dates) - pd.Timestamp(window.opens)).dt.days.to_numpy(dtype=np.int64)
    return np.asarray(passed.clip(0, days - 1), dtype=np.int64)
