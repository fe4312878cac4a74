"""What changed between two pictures of the campaign, by cause: of every region and of every day.

Read from ``mart.change`` alone, which is as large as what the nights between the two changed. Regions are those of
today's frame; that a place has moved to another region since is told by whoever knows what was published.
"""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.regions import NATION
from regsosek.statistics.counts.changes import CAUSES
from regsosek.statistics.counts.days import restated
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.warehouse.tables import PROGRESS_MEASURES, each_measure

# A province may have gone back (held back, or replayed): then the changes of those nights are taken away.
_BETWEEN = f"""
WITH stood AS (
    SELECT * FROM unnest(CAST(:provinces AS text[]), CAST(:befores AS date[]), CAST(:nows AS date[]))
        AS s (province, before, now)
),
changed AS (
    SELECT c.province, c.placed_code, c.enumerated_on, c.cause,
           {each_measure("sum(c.{0} * sign(c.night - s.before - 0.5)) AS {0}")}
    FROM stood s JOIN mart.change c ON c.province = s.province
         AND c.night > least(s.before, s.now) AND c.night <= greatest(s.before, s.now)
    GROUP BY c.province, c.placed_code, c.enumerated_on, c.cause
)"""

# Where a place is counted by today's frame; a sub-SLS keeps its desa when its row of the frame ends.
PLACED = """
LEFT JOIN LATERAL (
    SELECT id_desa FROM reference.subsls s WHERE s.province = {0}.province AND s.id_subsls = {0}.placed_code
    ORDER BY valid_from DESC LIMIT 1
) f ON true
LEFT JOIN reference.region desa ON desa.code = f.id_desa
LEFT JOIN reference.region own ON own.code = {0}.placed_code
JOIN reference.region_ancestor a ON a.code = coalesce(desa.code, own.code, {0}.province)
"""

_BY_REGION = f"""
{_BETWEEN}
SELECT a.ancestor_code AS code, c.cause, {each_measure("sum(c.{0})::bigint AS {0}")}
FROM changed c {PLACED.format("c")} GROUP BY 1, 2
"""
_OF_REGION = f"""
{_BETWEEN}
SELECT c.cause, c.enumerated_on BETWEEN :first_day AND :last_day AS within, {each_measure("sum(c.{0})::bigint AS {0}")}
FROM changed c {PLACED.format("c")} WHERE a.ancestor_code = :region GROUP BY 1, 2
"""
_BY_DAY = f"""
{_BETWEEN}
SELECT province AS code, enumerated_on AS day, cause, {each_measure("sum({0})::bigint AS {0}")}
FROM changed GROUP BY 1, 2, 3
"""
BEFORE_ALL = date(1, 1, 1)


def changes_by_region(connection: Connection, as_of: AsOf, former: AsOf) -> pd.DataFrame:
    """What changed from ``former`` to ``as_of``: ``code, cause``, all measures; the nation included.

    A province that only one of them knows is new, or gone, with all that it has.
    """
    return _read(connection, _BY_REGION, _between(as_of, former))


def changes_of_region(
    connection: Connection, as_of: AsOf, former: AsOf, region: str, days: tuple[date, date]
) -> pd.DataFrame:
    """The same of one region: ``cause, within`` (of the first to the last of ``days``, or not), all measures."""
    asked = {"region": region, "first_day": days[0], "last_day": days[1]}
    return _read(connection, _OF_REGION, _between(as_of, former) | asked).astype({"within": bool})


def changes_by_day(connection: Connection, as_of: AsOf, former: AsOf) -> pd.DataFrame:
    """The same by day of enumeration, of provinces and the nation: ``code, day, cause``, all measures."""
    frame = _read(connection, _BY_DAY, _between(as_of, former))
    national = frame.assign(code=NATION).groupby(["code", "day", "cause"], as_index=False).sum()
    return pd.concat([frame, national], ignore_index=True)


def restated_by_cause(connection: Connection, as_of: AsOf, former: AsOf) -> pd.DataFrame:
    """``statistics.days.restated`` with a column ``cause_*`` for each cause: what it changed in ``visited``."""
    now, before = _of_both(as_of, former), _of_both(former, as_of)
    causes = pivoted(changes_by_day(connection, now, before), ["code", "day"], "visited").add_prefix("cause_")
    days = restated(connection, as_of, former, causes.index[(causes != 0).any(axis=1)])
    of_days = causes.reindex(pd.MultiIndex.from_frame(days[["code", "day"]]), fill_value=0)
    return pd.concat([days, of_days.reset_index(drop=True)], axis=1)


def _of_both(picture: AsOf, other: AsOf) -> AsOf:
    return AsOf(picture.night, {code: night for code, night in picture.nights.items() if code in other.nights})


def pivoted(changes: pd.DataFrame, keys: list[str], measure: str) -> pd.DataFrame:
    """``measure`` with a column for each cause, in the order of ``CAUSES``, zero where it changed nothing."""
    wide = changes.pivot_table(index=keys, columns="cause", values=measure, aggfunc="sum", fill_value=0)
    return wide.reindex(columns=list(CAUSES), fill_value=0).astype("int64")


def _between(as_of: AsOf, former: AsOf) -> dict[str, Any]:
    codes = sorted({*as_of.nights, *former.nights})
    return {
        "provinces": codes,
        "befores": [former.nights.get(code, BEFORE_ALL) for code in codes],
        "nows": [as_of.nights.get(code, BEFORE_ALL) for code in codes],
    }


def _read(connection: Connection, query: str, values: dict[str, Any]) -> pd.DataFrame:
    frame = pd.read_sql_query(text(query), connection, params=values)
    return frame.astype(dict.fromkeys(PROGRESS_MEASURES, "int64"))
