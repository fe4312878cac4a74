"""What a night brought from each province: processed or not, accepted, rejected or held, or nothing at all."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.provinces import provinces
from regsosek.statistics.as_of import AsOf

NightState = Literal["accepted", "partly_accepted", "rejected", "held", "nothing_delivered", "closed", "not_processed"]

_NIGHTS = """
WITH tonight AS (
    SELECT province,
           count(*) FILTER (WHERE state = 'accepted') AS accepted,
           count(*) FILTER (WHERE state = 'rejected') AS rejected,
           count(*) FILTER (WHERE state = 'held') AS held,
           count(*) AS deliveries,
           string_agg(DISTINCT reason, ',' ORDER BY reason) AS reasons
    FROM ledger.delivery WHERE night = :night GROUP BY province
),
last_data AS (
    SELECT province, max(night) AS last_night FROM ledger.delivery
    WHERE state = 'accepted' AND night <= :night GROUP BY province
)
SELECT code AS province, coalesce(accepted, 0) AS accepted, coalesce(rejected, 0) AS rejected,
       coalesce(held, 0) AS held, coalesce(deliveries, 0) AS deliveries, coalesce(reasons, '') AS reasons, last_night,
       EXISTS (SELECT 1 FROM mart.refreshed f WHERE f.province = code AND f.night = :night) AS refreshed
FROM unnest(CAST(:codes AS text[])) AS p (code)
LEFT JOIN tonight t ON t.province = code LEFT JOIN last_data d ON d.province = code
ORDER BY code
"""


def provinces_of_the_night(connection: Connection, as_of: AsOf, windows: Mapping[str, FieldWindow]) -> pd.DataFrame:
    """One row per province, all 34, by code.

    Columns: ``province, name``; ``state`` (:data:`NightState`); deliveries of the night: ``accepted, rejected, held,
    deliveries`` and ``reasons`` (reason ids, comma between); ``last_night``: of its last accepted delivery;
    ``figures_night``: the night that its figures stand at; ``plan_share`` (0 to 1); ``open``: enumerating that day.
    """
    codes = [province.code for province in provinces()]
    frame = pd.read_sql_query(text(_NIGHTS), connection, params={"night": as_of.night, "codes": codes})
    frame["name"] = [province.name for province in provinces()]
    frame["figures_night"] = pd.Series([as_of.nights.get(code) for code in codes], dtype=object)
    frame["plan_share"] = [windows[code].plan_share(as_of.night) for code in codes]
    frame["open"] = [windows[code].is_open(as_of.night) for code in codes]
    frame["state"] = [_state(row) for _, row in frame.iterrows()]
    return frame


def _state(row: "pd.Series[Any]") -> NightState:
    if not row["refreshed"]:
        return "not_processed"
    if not row["deliveries"]:
        return "nothing_delivered" if row["open"] else "closed"
    if row["accepted"] == row["deliveries"]:
        return "accepted"
    if row["accepted"]:
        return "partly_accepted"
    return "held" if row["held"] else "rejected"
