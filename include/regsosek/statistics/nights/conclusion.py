"""How a night went in one sentence, for the log and the result of the task that concludes it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from sqlalchemy import Connection

from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.statistics.nights.province_nights import provinces_of_the_night
from regsosek.telemetry.measures import night_concluded
from regsosek.wording.nouns import counted

NAMED = 5
# What provinces lack, in the order in which it is named, and how.
_LACKING = {
    "not_processed": "failed", "held": "held", "rejected": "rejected", "partly_accepted": "in part", "earlier_held":
    "an earlier delivery held", "nothing_delivered": "silent",
}  # fmt: skip


def conclusion(
    connection: Connection, night: date, provinces: Sequence[str], windows: Mapping[str, FieldWindow]
) -> str:
    """For example ``33 of 34 provinces whole; silent: Papua``; of the provinces that the run was about.

    It is recorded as measures, too.
    """
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    table = provinces_of_the_night(connection, last_refreshed(connection, night), windows)
    for row in table[table["province"].isin(provinces)].to_dict("records"):
        if row["state"] in _LACKING:
            lacking[row["state"]].append(row["name"])
    whole = len(provinces) - sum(map(len, lacking.values()))
    lacked = {said: len(lacking[state]) for state, said in _LACKING.items()}
    night_concluded(datetime.combine(night, time(0), NIGHT_ZONE).timestamp(), {"whole": whole} | lacked)
    named = [f"{said}: {_names(lacking[state])}" for state, said in _LACKING.items() if lacking[state]]
    return "; ".join([f"{whole} of {counted(len(provinces), 'province', 'provinces')} whole", *named])


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
