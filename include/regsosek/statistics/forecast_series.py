"""What a forecast goes by, from the warehouse: families by day and night of every region, officers and their days."""

from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.statistics.as_of import AS_OF, AsOf
from regsosek.statistics.forecast import WEEK, Integers

_REGION_DAYS = f"""
WITH {AS_OF}
SELECT d.province, d.code, d.enumerated_on, d.night, d.visited
FROM mart.region_day d JOIN as_of a ON a.province = d.province AND d.night <= a.last_night
"""

# Who worked in the last week: a week's documents are read, whatever the day of the campaign. Codes of officers are
# counted here and go no further.
_OFFICERS = f"""
WITH {AS_OF},
worked AS (
    SELECT k.province, r.ancestor_code AS code, k.ppl, k.enumerated_on, count(DISTINCT k.case_id) AS families
    FROM as_of a
    JOIN core.kasus k ON k.province = a.province AND k.night > a.last_night - {WEEK} AND k.night <= a.last_night
         AND k.enumerated_on > a.last_night - {WEEK}
    JOIN mart.placement p ON p.province = k.province AND p.placed_code = k.placed_code
    JOIN reference.region_ancestor r ON r.code = p.region_code
    JOIN reference.region g ON g.code = r.ancestor_code AND g.level IN ('provinsi', 'kabkota')
    WHERE k.part > 0 AND k.ppl IS NOT NULL AND k.status IN ('loaded', 'quarantined')
    GROUP BY 1, 2, 3, 4
)
SELECT code, count(*) AS officer_days, sum(families)::bigint AS officer_families,
       count(DISTINCT enumerated_on) AS days_worked
FROM worked GROUP BY code
"""
_ENGAGED = """
SELECT r.ancestor_code AS code, count(DISTINCT (o.province, o.code)) AS engaged
FROM reference.officer o JOIN reference.region_ancestor r ON r.code = o.id_kabkota
WHERE o.role = 'PPL' AND :night BETWEEN o.valid_from AND coalesce(o.valid_to, 'infinity')
GROUP BY 1
"""


def region_days(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """Families of provinces and kab/kota: ``province, code, enumerated_on, night, visited`` (what the night added)."""
    frame = pd.read_sql_query(text(_REGION_DAYS), connection, params=as_of.parameters)
    return frame.astype({"visited": "int64"})


def officers(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """Officers of provinces and kab/kota, index code: ``officer_days, officer_families, days_worked, engaged``.

    The first three are of the last seven days, from the enumerator whom documents name; ``engaged``: PPL of the
    reference that are valid that night.
    """
    seen = pd.read_sql_query(text(_OFFICERS), connection, params=as_of.parameters).set_index("code")
    engaged = pd.read_sql_query(text(_ENGAGED), connection, params={"night": as_of.night}).set_index("code")
    return seen.join(engaged, how="outer").fillna(0).astype("int64")


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
