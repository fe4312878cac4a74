"""What a night brought from each province: processed or not, accepted, rejected or held, or nothing at all."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.provinces import provinces
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.warehouse.nights.as_of_night import STANDING
from regsosek.warehouse.nights.lost_nights import WHOLE

NightState = Literal[
    "accepted", "partly_accepted", "earlier_held", "rejected", "held", "nothing_delivered", "closed", "not_processed"
]

# A delivery that a newer one has replaced while it was held leaves no gap.
_NIGHTS = f"""
WITH {STANDING},
tonight AS (
    SELECT province,
           count(*) FILTER (WHERE state = 'accepted') AS accepted,
           count(*) FILTER (WHERE state = 'rejected') AS rejected,
           count(*) FILTER (WHERE state = 'held') AS held,
           count(*) FILTER (WHERE state = 'registered') AS registered,
           count(*) AS deliveries,
           string_agg(DISTINCT reason, ',' ORDER BY reason) AS reasons
    FROM standing WHERE night = :night AND reason IS DISTINCT FROM 'superseded_while_held' GROUP BY province
),
last_data AS (
    SELECT province, max(counted_night) AS last_night FROM standing WHERE state = 'accepted' GROUP BY province
),
waiting AS (
    SELECT province, sum(held)::bigint AS held_families FROM standing_count
    WHERE dataset = 'keluarga' AND held > 0 GROUP BY province
)
SELECT code AS province, coalesce(accepted, 0) AS accepted, coalesce(rejected, 0) AS rejected,
       coalesce(held, 0) AS held, coalesce(registered, 0) AS registered, coalesce(deliveries, 0) AS deliveries,
       coalesce(reasons, '') AS reasons, last_night,
       coalesce(held_families, 0) AS held_families,
       code IN (SELECT w.province FROM ({WHOLE}) w WHERE w.night = :night) AS refreshed
FROM unnest(CAST(:codes AS text[])) AS p (code)
LEFT JOIN tonight t ON t.province = code LEFT JOIN last_data d ON d.province = code
LEFT JOIN waiting w ON w.province = code
ORDER BY code
"""


def provinces_of_the_night(connection: Connection, as_of: AsOf, windows: Mapping[str, FieldWindow]) -> pd.DataFrame:
    """One row per province, by code.

    Columns: ``province, name``; ``state`` (:data:`NightState`); deliveries of the night: ``accepted, rejected, held,
    deliveries`` and ``reasons`` (reason ids, comma between); ``last_night``: of its last accepted delivery;
    ``held_families``: in deliveries of this and earlier nights that wait for an operator's decision;
    ``figures_night``: the night that its figures stand at; ``plan_share`` (0 to 1); ``open``: enumerating that day.
    """
    codes = [province.code for province in provinces()]
    frame = pd.read_sql_query(text(_NIGHTS), connection, params={"night": as_of.night, "codes": codes})
    frame["name"] = [province.name for province in provinces()]
    frame["figures_night"] = pd.Series([as_of.nights.get(code) for code in codes], dtype=object)
    frame["plan_share"] = [windows[code].plan_share(as_of.night, as_of.night) for code in codes]
    frame["open"] = [windows[code].is_open(as_of.night) for code in codes]
    frame["state"] = [_state(row) for _, row in frame.iterrows()]
    return frame


def _state(row: "pd.Series[Any]") -> NightState:
    if not row["refreshed"] or row["registered"]:
        return "not_processed"
    return state_of_night(row["accepted"], row["rejected"], row["held"], row["held_families"], is_open=row["open"])


def state_of_night(accepted: int, rejected: int, held: int, held_families: int, *, is_open: bool) -> NightState:
    """What a processed night brought, by its deliveries of questionnaire K.

    Args:
        held_families: in deliveries of this and earlier nights that wait for an operator's decision.
        is_open: whether the province enumerates that day.
    """
    if not accepted + rejected + held:
        return "held" if held_families else "nothing_delivered" if is_open else "closed"
    if not rejected + held:
        return "earlier_held" if held_families else "accepted"
    if accepted:
        return "partly_accepted"
    return "held" if held else "rejected"
