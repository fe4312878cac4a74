"""What a night changed, and why: every case that it touched, as it stood the night before and as it stands now.

The difference of a case has one cause, the first that fits:

``conflicting``  its own statement is the same; another document took its family key, or gave it back,
``freed``        the deciding revision comes from a delivery that was held and freed for this night,
``late``         it was not known before and was enumerated before the day of the night,
``new``          it was not known before,
``superseded``   the deciding revision comes from a delivery that supersedes others, or is a withdrawal by it,
``withdrawn``    its newest revision withdraws it,
``corrected``    anything else: another answer or place or day, out of quarantine, into it.

The deciding revision is the newest one if it came tonight, else the accepted one that did. Summed over nights, the
differences are what is known of every place and day: view ``mart.progress``.
"""

from datetime import date, timedelta

from sqlalchemy import Connection, text

from regsosek.staging.case_facts import case_facts
from regsosek.warehouse.cases.case_state import case_state_as_of, revised
from regsosek.warehouse.nights.as_of_night import was_freed
from regsosek.warehouse.tables import PROGRESS_MEASURES, each_measure

CAUSES = ("new", "late", "corrected", "freed", "withdrawn", "superseded", "conflicting")

_ACCEPTED = "settled_state IN ('loaded', 'pending')"
# What one case counts. Received counts as visited even in quarantine: a data error must not look like an idle officer.
VISITED = f"({_ACCEPTED} OR settled_state = 'quarantined')::int"
_COUNTS = {
    "visited": VISITED,
    **{
        measure: f"({_ACCEPTED} AND result IS NOT DISTINCT FROM {code})::int"
        for code, measure in enumerate(("complete", "incomplete", "no_respondent", "refused", "moved"), start=1)
    },
    **{state: f"(settled_state = '{state}')::int" for state in ("quarantined", "pending", "conflicting")},
    **{fact: f"CASE WHEN {_ACCEPTED} THEN {fact} ELSE 0 END" for fact in case_facts()},
}
COUNTED_OF_CASE = ", ".join(f"{_COUNTS[measure]} AS {measure}" for measure in PROGRESS_MEASURES)

_STATEMENT = ("state", "placed_code", "enumerated_on", "result", *(f"stated_{fact}" for fact in case_facts()))


def _columns(alias: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns)


_TONIGHT = """
SELECT DISTINCT k.case_id FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night = :night
"""

_STATES = f"""
SELECT case_id, settled_state, state, placed_code, enumerated_on, result,
       {", ".join(f"{fact} AS stated_{fact}" for fact in case_facts())},
       night, delivery_id, newest_night, newest_delivery, {COUNTED_OF_CASE}
FROM ({{states}}) s
"""

_CHANGES = f"""
INSERT INTO mart.change (province, placed_code, enumerated_on, night, cause, {each_measure("{}")})
WITH changed AS (
    SELECT {_columns("p", ("placed_code", "enumerated_on", *PROGRESS_MEASURES))},
           f.placed_code AS former_place, f.enumerated_on AS former_day, {each_measure("f.{0} AS former_{0}")},
           CASE WHEN ({_columns("p", _STATEMENT)}) IS NOT DISTINCT FROM ({_columns("f", _STATEMENT)}) THEN 'conflicting'
                WHEN {was_freed(":night")} THEN 'freed'
                WHEN f.case_id IS NULL AND p.enumerated_on < :night THEN 'late'
                WHEN f.case_id IS NULL THEN 'new'
                WHEN jsonb_array_length(d.supersedes) > 0 THEN 'superseded'
                WHEN p.state = 'withdrawn' THEN 'withdrawn'
                ELSE 'corrected' END AS cause
    FROM present p LEFT JOIN former f USING (case_id)
    LEFT JOIN ledger.delivery d ON d.province = :province AND d.state = 'accepted' AND d.delivery_id =
         CASE WHEN p.newest_night = :night THEN p.newest_delivery WHEN p.night = :night THEN p.delivery_id END
    WHERE (p.settled_state, {_columns("p", _STATEMENT)})
          IS DISTINCT FROM (f.settled_state, {_columns("f", _STATEMENT)})
),
differences AS (
    SELECT placed_code, enumerated_on, cause, {each_measure("{}")} FROM changed
    UNION ALL
    SELECT former_place, former_day, cause, {each_measure("-former_{0}")} FROM changed WHERE former_place IS NOT NULL
)
SELECT :province, placed_code, enumerated_on, :night, cause, {each_measure("sum({0})")}
FROM differences GROUP BY placed_code, enumerated_on, cause
HAVING ({each_measure("sum({0})")}) <> ({each_measure("0")})
"""

_NIGHTS = """
SELECT coalesce(d.decided_night, d.night) AS night, bool_or(a.night IS NULL) AS missing
FROM ledger.delivery d
LEFT JOIN mart.province_arrivals a ON a.province = d.province AND a.night = coalesce(d.decided_night, d.night)
WHERE d.province = :province AND d.state = 'accepted'
GROUP BY 1
"""


def nights_to_compute(connection: Connection, province: str, night: date | None = None) -> list[date]:
    """The nights of ``province`` from the first whose changes are missing, or from ``night``, on; oldest first.

    A night may be missing because it was interrupted; those after it rest on it, for changes follow each other.
    """
    accepted = {row.night: row.missing for row in connection.execute(text(_NIGHTS), {"province": province})}
    begun = {each for each, missing in accepted.items() if missing} | ({night} if night else set())
    return sorted({each for each in accepted if begun and each >= min(begun)} | begun)


def write_changes(connection: Connection, province: str, night: date) -> None:
    """Writes what ``night`` changed in ``province``; what an earlier try wrote goes."""
    own = {"province": province, "night": night, "before": night - timedelta(days=1)}
    connection.execute(text("DELETE FROM mart.change WHERE province = :province AND night = :night"), own)
    with revised(connection, _TONIGHT, own):
        for table, night_of in (("present", "night"), ("former", "before")):
            states = _STATES.format(states=case_state_as_of(night_of))
            connection.execute(text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {states}"), own)
            connection.execute(text(f"ANALYZE {table}"))
        connection.execute(text(_CHANGES), own)
        connection.execute(text("DROP TABLE present, former"))
