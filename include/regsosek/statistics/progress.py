"""A province's statistics brought up to date with what a night brought: changes, totals, arrivals.

A night costs what it changed: nothing here reads more than its own cases, their earlier revisions, and one former
total of each place and region that it changed.
"""

from datetime import date

from sqlalchemy import Connection, text

from regsosek.statistics.counts.changes import nights_to_compute, write_changes
from regsosek.statistics.counts.totals import write_totals
from regsosek.statistics.streams.days import write_stream_days
from regsosek.statistics.streams.verified import write_verified
from regsosek.warehouse.cases.pointers import rebuild_pointers
from regsosek.warehouse.database import analyse_cases
from regsosek.warehouse.locks import hold_province
from regsosek.warehouse.tables import ARRIVAL_MEASURES

# Late: enumerated before the day of the night of arrival, so the officer's device synchronised a day or more
# afterwards; that a delivery was held and freed on a later night makes nobody late.
ARRIVED = {
    "received": "count(*)",
    "loaded": "count(*) FILTER (WHERE status = 'loaded')",
    "quarantined": "count(*) FILTER (WHERE status = 'quarantined')",
    "superseded": "count(*) FILTER (WHERE status = 'superseded')",
    "duplicate": "count(*) FILTER (WHERE status = 'duplicate')",
    "withdrawn": "count(*) FILTER (WHERE status = 'withdrawn')",
    "warned": "count(*) FILTER (WHERE status = 'loaded' AND verdict = 'warning')",
    "late": "count(*) FILTER (WHERE enumerated_on < d.night)",
    "days_late": "coalesce(sum(greatest(d.night - enumerated_on, 0)), 0)",
    "persons": "coalesce(sum(persons), 0)",
}
# The cases that arrived with the accepted deliveries of a night, what a delivery left out of another not among them.
OF_ARRIVED = """
FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.night = :night AND k.part > 0
"""
_ARRIVALS = f"""
INSERT INTO mart.arrivals (province, placed_code, night, {", ".join(ARRIVED)})
SELECT :province, k.placed_code, :night, {", ".join(ARRIVED.values())}
{OF_ARRIVED} GROUP BY k.placed_code
"""

_PROVINCE_ARRIVALS = f"""
INSERT INTO mart.province_arrivals (province, night, {", ".join(ARRIVAL_MEASURES)})
SELECT :province, :night, {", ".join(f"coalesce(sum({name}), 0)" for name in ARRIVAL_MEASURES)}
FROM mart.arrivals WHERE province = :province AND night = :night
"""

_PROCESSED_AGAIN = "UPDATE mart.refreshed SET at = now() WHERE province = :province AND night = ANY(:nights)"


def refresh_province(connection: Connection, province: str, night: date) -> None:
    """Brings the statistics of ``province`` up to date with what ``night`` brought.

    Nights after it (it was reopened, or run again) are computed again, for what they changed rests on it.
    """
    nights = nights_to_compute(connection, province, night)
    _compute(connection, province, nights)
    _note_recomputed(connection, province, [each for each in nights if each < night])


def refresh_missing(connection: Connection, province: str) -> None:
    """Computes the nights of ``province`` that a former version of the warehouse, or an interruption, left out."""
    hold_province(connection, province)
    nights = nights_to_compute(connection, province)
    _compute(connection, province, nights)
    _note_recomputed(connection, province, nights)


def _note_recomputed(connection: Connection, province: str, nights: list[date]) -> None:
    """Notes nights as processed again that a former version had computed, by definitions of its own.

    A release may then restate them, and the pointers follow the same definitions. An interrupted night has no mark.
    """
    if nights and connection.execute(text(_PROCESSED_AGAIN), {"province": province, "nights": nights}).rowcount:
        rebuild_pointers(connection, province)


def _compute(connection: Connection, province: str, nights: list[date]) -> None:
    analyse_cases(connection, province)
    for night in nights:
        write_changes(connection, province, night)
        write_totals(connection, province, night)
        _write_arrivals(connection, province, night)
        write_stream_days(connection, province, night)
        write_verified(connection, province, night)


def _write_arrivals(connection: Connection, province: str, night: date) -> None:
    own = {"province": province, "night": night}
    for table, statement in (("arrivals", _ARRIVALS), ("province_arrivals", _PROVINCE_ARRIVALS)):
        connection.execute(text(f"DELETE FROM mart.{table} WHERE province = :province AND night = :night"), own)
        connection.execute(text(statement), own)
