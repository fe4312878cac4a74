"""A count of cases taken back to the deliveries that it is made of, and to their cases.

Each case that the number counts stands in one delivery: the one whose revision of it was accepted (or, if none was,
its newest). What a delivery contributes is told by the cause that its revision counts for; over all deliveries it is
the number. Cases are named by their keys alone; those lists are for operators, never for the public.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from regsosek.asking.figures.published_figure import AskedFigure
from regsosek.asking.figures.traced import Trace, provinces_traced, traced_deliveries
from regsosek.landing.store import Store
from regsosek.scratch import open_private
from regsosek.statistics.counts.changes import COUNTED_OF_CASE
from regsosek.statistics.counts.restatement import PLACED
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.access.hidden_cases import hidden_cases
from regsosek.warehouse.cases.case_state import case_state_steps, revised
from regsosek.warehouse.nights.as_of_night import was_freed
from regsosek.wording.spreadsheet import Spreadsheet

Enter = Callable[[str, Sequence[str]], None]
CASE_COLUMNS = (
    "province", "delivery_id", "cause", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "case_id", "enumerated_on",
    "counted",
)  # fmt: skip

_PLACE = f"""
place AS (
    SELECT p.province, p.placed_code FROM (
        SELECT DISTINCT province, placed_code FROM core.kasus WHERE province = :province AND night <= :night
    ) p {PLACED.format("p")} WHERE a.ancestor_code = :region
)"""
_IN_REGION = f"""
WITH {_PLACE}
SELECT DISTINCT case_id FROM core.kasus k JOIN place USING (province, placed_code) WHERE k.night <= :night
"""
_COUNTED = f"""
WITH {_PLACE},
{case_state_steps("night")},
first_seen AS (SELECT case_id, min(night) AS first_night FROM revisions GROUP BY case_id),
stated AS (
    SELECT case_id, id_subsls, r109_no_bangunan, r110_no_keluarga, enumerated_on, night, delivery_id, settled_state,
           {COUNTED_OF_CASE}
    FROM case_state s JOIN place USING (placed_code)
    WHERE CAST(:first_day AS date) IS NULL OR s.enumerated_on BETWEEN :first_day AND :last_day
),
counted AS (
    SELECT d.province, d.delivery_id, s.id_subsls, s.r109_no_bangunan, s.r110_no_keluarga, s.case_id, s.enumerated_on,
           {{counted}} AS counted,
           CASE WHEN s.settled_state = 'conflicting' THEN 'conflicting'
                WHEN {was_freed("s.night")} THEN 'freed'
                WHEN f.first_night < s.night AND jsonb_array_length(d.supersedes) > 0 THEN 'superseded'
                WHEN f.first_night < s.night THEN 'corrected'
                WHEN s.enumerated_on < s.night THEN 'late'
                ELSE 'new' END AS cause
    FROM stated s JOIN first_seen f USING (case_id)
    JOIN ledger.delivery d ON d.province = :province AND d.delivery_id = s.delivery_id AND d.state = 'accepted'
)
"""
_BY_DELIVERY = """
SELECT province, delivery_id, cause, sum(counted)::bigint AS counted FROM counted GROUP BY 1, 2, 3
HAVING sum(counted) <> 0 ORDER BY 1, 2, 3
"""
_CASES = f"""
SELECT {", ".join(CASE_COLUMNS)} FROM counted WHERE counted <> 0
ORDER BY id_subsls, r109_no_bangunan, r110_no_keluarga, case_id
"""


def trace(connection: Connection, store: Store, archive_bucket: str, asked: AskedFigure) -> Trace:
    """Takes a published count of cases back to its deliveries, as the release counted them.

    Raises:
        ObjectStoreError: a delivery's receipt is not in the archive, or names another manifest.
    """
    found: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in _rows(connection, asked, _BY_DELIVERY):
        found[row.province, row.delivery_id][row.cause] = row.counted
    deliveries = traced_deliveries(connection, store, archive_bucket, found)
    return Trace(definitions()[asked.counted], asked.published_count, deliveries)


def write_cases(connection: Connection, asked: AskedFigure, path: Path, enter: Enter) -> int:
    """Writes the keys of every case that a number counts as CSV, without any answer; returns the sum.

    Cases that are shown to nobody are counted and not written.

    Args:
        enter: enters the cases of a province in the trail of access; called before they are written.
    """
    total = 0
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(CASE_COLUMNS)
        for province, counted in groupby(_rows(connection, asked, _CASES), key=lambda row: row.province):
            rows, hidden = list(counted), hidden_cases(connection, province)
            shown = [row for row in rows if row.case_id not in hidden]
            enter(province, [row.case_id for row in shown])
            writer.writerows(shown)
            total += sum(row.counted for row in rows)
    return total


def _rows(connection: Connection, asked: AskedFigure, tail: str) -> Iterator[Any]:
    """Province by province, each as of the night that the release had of it."""
    query = text(_COUNTED.format(counted=" + ".join(asked.parts)) + tail)
    nights = asked.release.as_of.nights
    own = asked.province.code if asked.province else asked.code
    for province in provinces_traced(nights, asked.level, own):
        first_day, last_day = asked.days or (None, None)
        days = {"first_day": first_day, "last_day": last_day}
        values = {"province": province, "night": nights[province], "region": asked.code, **days}
        # Taken back after reading: so the locks of one province's tables are free before those of the next are taken.
        with connection.begin_nested() as savepoint:
            with revised(connection, _IN_REGION, values):
                found = connection.execute(query, values).all()
            savepoint.rollback()
        yield from found
