"""The places behind a province's figures, from the warehouse: kab/kota and sub-SLS by code; counts."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.alerts.conditions.province_figures import HeadNotMet, ProvinceFigures, SilentSubsls
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.persistence.night_figures import PLACES
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import NONE_SUPPLIED, Plans
from regsosek.geography.region_targets import NO_TARGETS, RegionTargets
from regsosek.statistics.definitions.as_of import AsOf, newest_total
from regsosek.statistics.streams.province_streams import told_of_night
from regsosek.statistics.streams.reconciliation import heads_not_met
from regsosek.statistics.streams.side_by_side import families_beside

# Of so many nights the delay of a kab/kota is taken, and of those alone before which the province was not silent: what
# an outage held up, the network's or ours, says nothing of the delay that is usual.
DELAY_NIGHTS = 14

# A sum has a row for every night that changed it: the newest one is of the last night that brought something.
_AT_WORK = f"""
WITH {PLACES},
newest AS (
    SELECT DISTINCT ON (code) code, night, visited FROM mart.total
    WHERE province = :province AND placed AND night <= :night ORDER BY code, night DESC
),
at_work AS (
    SELECT n.code, coalesce(s.name, '') AS name, u.kabkota, s.families_load - n.visited AS families,
           n.night AS last_arrival
    FROM newest n JOIN sub_sls s ON s.id_subsls = n.code JOIN upward u ON u.region = s.id_desa
    WHERE :night <= coalesce(s.valid_to, 'infinity') AND n.visited > 0
          AND n.visited * 100 < :finished * s.families_load
)"""
_KABKOTA = f"""
{_AT_WORK},
counted AS (
    SELECT kabkota AS code, count(*) AS active, count(*) FILTER (WHERE last_arrival <= :silent_since) AS silent
    FROM at_work GROUP BY kabkota
),
delay AS (
    SELECT u.kabkota AS code, sum(c.visited * (c.night - c.enumerated_on))::float / sum(c.visited) AS days_late
    FROM mart.change c LEFT JOIN sub_sls s ON s.id_subsls = c.placed_code
    JOIN upward u ON u.region = coalesce(s.id_desa, c.placed_code)
    WHERE c.province = :province AND c.night <= :night AND c.night > :delay_since
          AND c.cause IN ('new', 'late') AND c.visited > 0
          AND EXISTS (SELECT 1 FROM mart.province_arrivals b
                      WHERE b.province = c.province AND b.night = c.night - 1 AND b.received > 0)
    GROUP BY u.kabkota HAVING count(DISTINCT c.night) >= :seen_nights
)
SELECT k.code, t.night AS last_arrival, coalesce(d.days_late, 0) AS days_late, coalesce(c.active, 0) AS active,
       coalesce(c.silent, 0) AS silent
FROM kabkota k LEFT JOIN counted c USING (code) LEFT JOIN delay d USING (code)
LEFT JOIN {newest_total(":province", "k.code", ":night", placed=False)} t ON t.visited > 0
"""
_SILENT = f"""
{_AT_WORK}
SELECT code, name, kabkota, families::bigint AS families, last_arrival FROM at_work
WHERE last_arrival <= :silent_since ORDER BY families DESC, code LIMIT :most
"""
_HEADS = f"""
WITH {PLACES}
SELECT s.id_subsls AS code, coalesce(s.name, '') AS name, u.kabkota, coalesce(s.families_load, 0)::bigint AS families
FROM sub_sls s JOIN upward u ON u.region = s.id_desa
WHERE s.id_subsls = ANY(:codes)
"""
_REPORTS = "SELECT EXISTS (SELECT 1 FROM mart.stream_day WHERE province = :province AND night <= :night)"


def with_places(
    connection: Connection,
    figures: ProvinceFigures,
    limits: Thresholds,
    plans: Plans = NONE_SUPPLIED,
    targets: RegionTargets = NO_TARGETS,
) -> ProvinceFigures:
    """``figures`` with what is known below the province."""
    night = figures.night
    own: dict[str, Any] = {
        "province": figures.province,
        "night": night,
        "finished": limits.zero.finished_percent,
        "silent_since": date.fromordinal(night.toordinal() - limits.no_data.subsls_nights),
        "seen_nights": limits.late.seen_nights,
        "delay_since": date.fromordinal(night.toordinal() - DELAY_NIGHTS),
    }
    rows = [row._asdict() for row in connection.execute(text(_KABKOTA), own)]
    known = {
        row["code"]: row | {"target": targets.families(row["code"]), "curve": plans.supplied.get(row["code"])}
        for row in rows
    }
    return replace(
        figures,
        kabkota=tuple(replace(each, **known[each.code]) for each in figures.kabkota),
        silent_subsls=_silent(connection, own, limits),
        beside=_beside(connection, figures),
        heads_not_met=_heads(connection, figures),
    )


def _beside(connection: Connection, figures: ProvinceFigures) -> dict[str, dict[str, int]]:
    """Asked only of those without a document: their office must not be told that nothing was done there."""
    own = {figures.province: figures.visited, **{each.code: each.visited for each in figures.kabkota}}
    unheard = [code for code, visited in own.items() if not visited]
    as_of = AsOf(figures.night, {figures.province: figures.night})
    return families_beside(connection, as_of, unheard) if unheard else {}


def _silent(connection: Connection, own: dict[str, Any], limits: Thresholds) -> tuple[SilentSubsls, ...]:
    rows = connection.execute(text(_SILENT), own | {"most": limits.rows.subsls})
    return tuple(SilentSubsls(**row._asdict()) for row in rows)


def _heads(connection: Connection, figures: ProvinceFigures) -> tuple[HeadNotMet, ...] | None:
    """Looked for on every night of the window: who was met is told as met on the night that shows it."""
    night, window = figures.night, figures.window
    if not window.is_open(night):
        return None
    own: dict[str, Any] = {"province": figures.province, "night": night}
    if not connection.execute(text(_REPORTS), own).scalar_one():
        return ()
    return _named(connection, own, window)


def _named(connection: Connection, own: dict[str, Any], window: FieldWindow) -> tuple[HeadNotMet, ...]:
    told, _ = told_of_night(connection, own["province"], own["night"], window)
    since = dict(heads_not_met(told)["since"])
    rows = connection.execute(text(_HEADS), own | {"codes": list(since)})
    found = {row.code: HeadNotMet(**row._asdict(), since=since[row.code]) for row in rows}
    return tuple(found[code] for code in sorted(found))
