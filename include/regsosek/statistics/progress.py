"""Completion per place and day of enumeration, and arrivals per place and night: computed where something changed.

``mart.progress`` is versioned by night: a row says what was known of a place and a day as of that night, and is written
only when it differs from what the night before knew. So any night's picture stays readable, and what a later night
restated is the difference of two versions.
"""

from datetime import date

from sqlalchemy import Connection, text

from regsosek.warehouse.case_state import CASE_STATE
from regsosek.warehouse.tables import PROGRESS_MEASURES


def _each(template: str) -> str:
    return ", ".join(template.format(measure) for measure in PROGRESS_MEASURES)


_MEASURES = _each("{}")

# A case received counts as visited even in quarantine: a data error must not look like an idle officer.
_COMPUTED = f"""
asked AS (
    SELECT DISTINCT case_id FROM core.kasus k JOIN touched t USING (placed_code)
    WHERE k.province = :province AND k.night <= :night
),
{CASE_STATE},
computed AS (
    SELECT placed_code, enumerated_on,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending', 'quarantined')) AS visited,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending') AND result = 1) AS complete,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending') AND result = 2) AS incomplete,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending') AND result = 3) AS no_respondent,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending') AND result = 4) AS refused,
           count(*) FILTER (WHERE settled_state IN ('loaded', 'pending') AND result = 5) AS moved,
           count(*) FILTER (WHERE settled_state = 'quarantined') AS quarantined,
           count(*) FILTER (WHERE settled_state = 'pending') AS pending,
           count(*) FILTER (WHERE settled_state = 'conflicting') AS conflicting,
           coalesce(sum(persons) FILTER (WHERE settled_state IN ('loaded', 'pending')), 0) AS persons
    FROM case_state JOIN touched USING (placed_code)
    WHERE settled_state <> 'withdrawn'
    GROUP BY placed_code, enumerated_on
)"""

# Places of every revision of every case that the night touched: where such a case was, and where it is now.
_TOUCHED = """
touched AS (
    SELECT DISTINCT k.placed_code FROM core.kasus k
    WHERE k.province = :province AND k.case_id IN (
        SELECT n.case_id FROM core.kasus n WHERE n.province = :province AND n.night = :touched_night)
)"""

_REFRESH = f"""
WITH {_TOUCHED},
{_COMPUTED},
former AS (
    SELECT DISTINCT ON (p.placed_code, p.enumerated_on) p.* FROM mart.progress p JOIN touched USING (placed_code)
    WHERE p.province = :province AND p.night < :night
    ORDER BY p.placed_code, p.enumerated_on, p.night DESC
)
INSERT INTO mart.progress (province, placed_code, enumerated_on, night, {_MEASURES})
SELECT :province, placed_code, enumerated_on, :night, {_each("coalesce(c.{}, 0)")}
FROM computed c FULL JOIN former f USING (placed_code, enumerated_on)
WHERE ({_each("coalesce(c.{}, 0)")}) IS DISTINCT FROM ({_each("coalesce(f.{}, 0)")})
"""

_FORGET = f"""
WITH {_TOUCHED}
DELETE FROM mart.progress p USING touched t
WHERE p.province = :province AND p.night = :night AND p.placed_code = t.placed_code
"""

# Not the nights that mart.progress has rows of: one that brought cases and changed no figure has none, and may now.
_LATER_NIGHTS = """
SELECT DISTINCT coalesce(decided_night, night) AS night FROM ledger.delivery
WHERE province = :province AND coalesce(decided_night, night) > :touched_night AND state = 'accepted' ORDER BY 1
"""

# Late: enumerated before the day of the night of arrival, so the officer's device synchronised a day or more
# afterwards; that a delivery was held and freed on a later night makes nobody late.
_ARRIVALS = """
INSERT INTO mart.arrivals (province, placed_code, night, received, loaded, quarantined, superseded, duplicate,
                           withdrawn, warned, late, days_late, persons)
SELECT :province, k.placed_code, :night, count(*),
       count(*) FILTER (WHERE status = 'loaded'), count(*) FILTER (WHERE status = 'quarantined'),
       count(*) FILTER (WHERE status = 'superseded'), count(*) FILTER (WHERE status = 'duplicate'),
       count(*) FILTER (WHERE status = 'withdrawn'),
       count(*) FILTER (WHERE status = 'loaded' AND verdict = 'warning'),
       count(*) FILTER (WHERE enumerated_on < d.night), coalesce(sum(greatest(d.night - enumerated_on, 0)), 0),
       coalesce(sum(persons), 0)
FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night = :night AND k.part > 0
GROUP BY k.placed_code
"""


def refresh_province(connection: Connection, province: str, night: date) -> None:
    """Brings progress and arrivals of ``province`` up to date with what ``night`` brought.

    Touches only places that a case of the night is or ever was in. If later nights have been computed before (the
    night was reopened), they are computed again for the same places.
    """
    values = {"province": province, "touched_night": night}
    later = [row.night for row in connection.execute(text(_LATER_NIGHTS), values)]
    for each in (night, *later):
        connection.execute(text(_FORGET), values | {"night": each})
        connection.execute(text(_REFRESH), values | {"night": each})
    connection.execute(
        text("DELETE FROM mart.arrivals WHERE province = :province AND night = :night"), values | {"night": night}
    )
    connection.execute(text(_ARRIVALS), values | {"night": night})
