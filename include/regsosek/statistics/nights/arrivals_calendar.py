"""The calendar of arrivals: province by night, what became of each night's deliveries as known on the release's night.

It speaks of questionnaire K, like ``statistics.nights``. A night's deliveries are those that were discovered in it;
their families stand in the night from which they count: a later one where a delivery was held and then freed.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.statistics.definitions.as_of import AS_OF, AsOf
from regsosek.warehouse.nights.as_of_night import STANDING

CalendarState = Literal[
    "accepted", "partly_accepted", "freed", "replaced", "held", "rejected", "delivered_late", "nothing_delivered",
    "closed", "not_processed", "held_back",
]  # fmt: skip

BY_STATE = ("deliveries_accepted", "deliveries_held", "deliveries_rejected", "deliveries_unfinished")
DELIVERY_COUNTS = ("deliveries", *BY_STATE)
FAMILY_COUNTS = ("received", "late", "held_of_night", "rejected_of_night")
_OTHERS = ("freed", "replaced", "followed")

# ``followed``: the folder of that day came with a later night.
_CALENDAR = f"""
WITH {AS_OF}, {STANDING},
family AS (
    SELECT s.*, coalesce(c.received, 0) AS families
    FROM standing s LEFT JOIN standing_count c
        ON c.province = s.province AND c.delivery_id = s.delivery_id AND c.delivered_on = s.delivered_on
        AND c.dataset = 'keluarga'
),
delivered AS (
    SELECT province, night, count(*) AS deliveries,
           count(*) FILTER (WHERE state = 'accepted') AS deliveries_accepted,
           count(*) FILTER (WHERE state = 'held') AS deliveries_held,
           count(*) FILTER (WHERE state = 'rejected') AS deliveries_rejected,
           count(*) FILTER (WHERE state = 'registered') AS deliveries_unfinished,
           count(*) FILTER (WHERE was_freed AND counted_night > night) AS freed,
           count(*) FILTER (WHERE reason = 'superseded_while_held') AS replaced,
           sum(families) FILTER (WHERE state = 'held') AS held_of_night,
           sum(families) FILTER (WHERE state = 'rejected') AS rejected_of_night
    FROM family GROUP BY province, night
),
counted AS (
    SELECT f.province, f.counted_night AS night, sum(f.families) AS received
    FROM family f JOIN as_of a ON a.province = f.province AND f.counted_night <= a.last_night
    WHERE f.state = 'accepted' GROUP BY 1, 2
),
followed AS (
    SELECT province, delivered_on AS night, count(*) AS followed
    FROM standing WHERE state = 'accepted' AND delivered_on < night GROUP BY 1, 2
),
worked AS (SELECT province, night FROM mart.refreshed WHERE night <= :night),
nights AS (
    SELECT generate_series(least((SELECT min(night) FROM worked), (SELECT min(night) FROM counted)),
                           CAST(:night AS date), '1 day')::date AS night
)
SELECT code, n.night, w.night IS NOT NULL AS worked,
       {", ".join(f"coalesce({name}, 0)::bigint AS {name}" for name in (*DELIVERY_COUNTS, *_OTHERS))},
       {", ".join(f"coalesce({name}, 0)::bigint AS {name}" for name in FAMILY_COUNTS if name != "late")}
FROM unnest(CAST(:codes AS text[])) AS p (code) CROSS JOIN nights n
LEFT JOIN delivered d ON d.province = code AND d.night = n.night
LEFT JOIN counted c ON c.province = code AND c.night = n.night
LEFT JOIN followed f ON f.province = code AND f.night = n.night
LEFT JOIN worked w ON w.province = code AND w.night = n.night
ORDER BY n.night, code
"""


def arrivals_calendar(
    connection: Connection,
    as_of: AsOf,
    windows: Mapping[str, FieldWindow],
    arrivals: pd.DataFrame,
    held_back: Collection[str] = (),
) -> pd.DataFrame:
    """One row per province and night, from the first night that was processed to the release's.

    Args:
        arrivals: what arrived by night (``statistics.days.arrivals``), which knows how many families were late.
        held_back: provinces that stand at an earlier night because they failed their audit.

    Columns: ``code, night``; ``state`` (:data:`CalendarState`); ``DELIVERY_COUNTS`` of the night's deliveries;
    ``FAMILY_COUNTS``: families that count from that night, how many of them were enumerated before it, families of
    the night's deliveries that are held or were rejected (as far as a manifest told); no zero where not processed.
    """
    values = {**as_of.parameters, "codes": list(windows)}
    frame = pd.read_sql_query(text(_CALENDAR), connection, params=values)
    frame = frame.merge(arrivals[["code", "night", "late"]], on=["code", "night"], how="left")
    frame["late"] = frame["late"].fillna(0).astype("int64")
    frame["state"] = [_state(row, as_of, windows[row["code"]], held_back) for _, row in frame.iterrows()]
    return _without_zeros(frame[["code", "night", "state", *DELIVERY_COUNTS, *FAMILY_COUNTS]])


def _without_zeros(cells: pd.DataFrame) -> pd.DataFrame:
    """Of a night that was not processed nobody knows that nothing came."""
    processed, counts = cells["state"] != "not_processed", [*DELIVERY_COUNTS, *FAMILY_COUNTS]
    return cells.assign(**{name: cells[name].astype("Int64").where(processed | (cells[name] != 0)) for name in counts})


def _state(row: "pd.Series[Any]", as_of: AsOf, window: FieldWindow, held_back: Collection[str]) -> CalendarState:
    if row["code"] in held_back and row["night"] > as_of.nights.get(row["code"], date.min):
        return "held_back"
    if not row["worked"]:
        return "not_processed"
    if row["deliveries"]:
        return _of_deliveries(row)
    if row["followed"]:
        return "delivered_late"
    return "nothing_delivered" if window.is_open(row["night"]) else "closed"


def _of_deliveries(row: "pd.Series[Any]") -> CalendarState:
    """What was replaced while it was held leaves no gap, and is told only where nothing else came."""
    own = row["deliveries"] - row["replaced"]
    if not own:
        return "replaced"
    if row["deliveries_accepted"] == own:
        return "freed" if row["freed"] else "accepted"
    if row["deliveries_accepted"]:
        return "partly_accepted"
    return "held" if row["deliveries_held"] else "rejected"
