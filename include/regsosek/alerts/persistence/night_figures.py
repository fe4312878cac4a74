"""The figures of a province's night from the warehouse: counts only, no case, no officer, no answer."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from regsosek.alerts.conditions.province_figures import (
    KabkotaFigures,
    ProvinceFigures,
    RejectedDelivery,
    RowCounts,
    RuleViolations,
)
from regsosek.alerts.sentences.context import Officer
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.frame import simulated
from regsosek.statistics.definitions.as_of import newest_total
from regsosek.warehouse.nights.as_of_night import STANDING
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.replacing import replaced_in_night, superseded_by
from regsosek.warehouse.reference import version_notes

Shape = TypeVar("Shape")

_TARGET = "SELECT families, source, scale FROM reference.target WHERE province = :province"
# A held delivery is news of its night of arrival, and once more of the night in which it was decided.
_STATES = f"""
WITH {STANDING}
SELECT state, count(*) AS deliveries FROM standing
WHERE province = :province AND counted_night = :night GROUP BY state
"""
_STREAM_DELIVERIES = f"""
WITH {STANDING}
SELECT state, count(*) AS deliveries FROM standing_all
WHERE province = :province AND counted_night = :night AND instrument <> '{QUESTIONNAIRE}' GROUP BY state
"""
_UNFINISHED = """
SELECT coalesce(sum(jsonb_array_length(unfinished)), 0) FROM ledger.seal
WHERE province = :province AND night = :night
"""
_ROWS = f"""
WITH {STANDING}
SELECT c.dataset, sum(received)::bigint AS received, sum(loaded)::bigint AS loaded,
       sum(quarantined)::bigint AS quarantined, sum(held)::bigint AS held, sum(rejected)::bigint AS rejected,
       sum(superseded + duplicate + withdrawn)::bigint AS other
FROM standing_count c JOIN standing d USING (province, delivery_id, delivered_on)
WHERE province = :province AND d.counted_night = :night GROUP BY c.dataset
"""
# What a newer delivery has replaced while it was held asks nothing of the office.
_REJECTED = f"""
WITH {STANDING}
SELECT d.delivery_id, d.delivered_on, coalesce(d.reason, '') AS reason, coalesce(c.rejected, 0) AS families,
       d.instrument
FROM standing_all d
LEFT JOIN standing_count c ON c.province = d.province AND c.delivery_id = d.delivery_id
     AND c.delivered_on = d.delivered_on AND c.dataset = 'keluarga'
WHERE d.province = :province AND d.counted_night = :night AND d.state = 'rejected'
      AND d.reason IS DISTINCT FROM 'superseded_while_held'
ORDER BY d.night, d.position
"""
_REPAIRS = """
SELECT kind, sum(amount)::bigint AS amount FROM ledger.repair WHERE province = :province AND night = :night
GROUP BY kind
"""
_HELD_RULES = f"""
WITH {STANDING}
SELECT r.rule_id, sum(r.violations)::bigint AS rows
FROM quality.rule_result r
JOIN standing_all d ON d.province = r.province AND d.delivery_id = r.delivery_id AND d.state = 'held'
WHERE r.province = :province AND r.severity = 'critical' AND r.violations > 0
GROUP BY r.rule_id ORDER BY 2 DESC, 1
"""
_LAST_ARRIVAL = f"""
WITH {STANDING}
SELECT max(d.delivered_on)
FROM standing d JOIN standing_count c USING (province, delivery_id, delivered_on)
WHERE province = :province AND d.counted_night < :night AND d.state = 'accepted' AND c.dataset = 'keluarga'
      AND c.received > 0
"""
_VISITED = f"""
SELECT coalesce(max(visited), 0)::bigint FROM {newest_total(":province", ":province", ":night", placed=False)} known
"""

# A place is a sub-SLS, or the lowest region that a code leads to; the way up is reference data, never a substring.
PLACES = """
sub_sls AS (
    SELECT DISTINCT ON (id_subsls) id_subsls, name, id_desa, families_load, valid_to FROM reference.subsls
    WHERE province = :province AND valid_from <= :night
    ORDER BY id_subsls, valid_from DESC
),
kabkota AS (
    SELECT r.code, r.name FROM reference.region r JOIN reference.region_ancestor a USING (code)
    WHERE a.ancestor_code = :province AND r.level = 'kabkota'
),
upward AS (
    SELECT a.code AS region, a.ancestor_code AS kabkota FROM reference.region_ancestor a
    JOIN kabkota k ON k.code = a.ancestor_code
)"""
_KABKOTA = f"""
WITH {PLACES},
load AS (
    SELECT u.kabkota AS code, sum(s.families_load) AS load FROM sub_sls s JOIN upward u ON u.region = s.id_desa
    WHERE :night <= coalesce(s.valid_to, 'infinity')
    GROUP BY u.kabkota
),
visits AS (
    SELECT k.code, t.visited
    FROM kabkota k JOIN {newest_total(":province", "k.code", ":night", placed=False)} t ON true
),
tonight AS (
    SELECT u.kabkota AS code, sum(a.received) AS received
    FROM mart.arrivals a
    LEFT JOIN sub_sls s ON s.id_subsls = a.placed_code
    JOIN upward u ON u.region = coalesce(s.id_desa, a.placed_code)
    WHERE a.province = :province AND a.night = :night
    GROUP BY u.kabkota
)
SELECT k.code, k.name, coalesce(load, 0)::bigint AS load, coalesce(visited, 0)::bigint AS visited,
       coalesce(received, 0)::bigint AS received
FROM kabkota k LEFT JOIN load USING (code) LEFT JOIN visits USING (code) LEFT JOIN tonight USING (code)
ORDER BY k.code
"""
# An officer who changed superiors within the night's day is told with the newer one.
_OFFICERS = """
SELECT DISTINCT ON (o.code) o.code, o.role, coalesce(s.role, '') AS superior_role, coalesce(s.code, '') AS superior
FROM reference.officer o
LEFT JOIN reference.officer s ON s.province = o.province AND s.code = o.supervisor_code
     AND :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
WHERE o.province = :province AND o.code = ANY(:codes)
      AND :night BETWEEN o.valid_from AND coalesce(o.valid_to, 'infinity')
ORDER BY o.code, o.valid_from DESC, s.valid_from DESC
"""
_RELEASE = """
SELECT max(night) FROM release.release WHERE published_at IS NOT NULL AND night <= :night
"""


def read_figures(connection: Connection, province: str, night: date, window: FieldWindow) -> ProvinceFigures:
    """The figures of ``province`` as of ``night``.

    Raises:
        ReferenceDataError: the province has no target.
    """
    own: dict[str, Any] = {"province": province, "night": night}
    target = connection.execute(text(_TARGET), own).first()
    if target is None:
        raise ReferenceDataError(f"province {province} has no target; load it with `regsosek reference`")
    rows = {row.dataset: row._asdict() for row in connection.execute(text(_ROWS), own)}
    replaced = replaced_in_night(connection, province, night)
    return ProvinceFigures(
        province=province,
        night=night,
        window=window,
        target=target.families,
        target_source=target.source,
        scale=float(target.scale),
        simulated=simulated(version_notes(connection)),
        visited=_visited(connection, own),
        visited_before=_visited(connection, own | {"night": night - timedelta(days=1)}),
        deliveries={row.state: row.deliveries for row in connection.execute(text(_STATES), own)},
        stream_deliveries={row.state: row.deliveries for row in connection.execute(text(_STREAM_DELIVERIES), own)},
        unfinished=int(connection.execute(text(_UNFINISHED), own).scalar_one()),
        families=_row_counts(rows.get("keluarga", {})),
        persons=_row_counts(rows.get("anggota", {})),
        rejected=_read(connection, _REJECTED, own, RejectedDelivery),
        repairs={row.kind: row.amount for row in connection.execute(text(_REPAIRS), own)},
        held=tuple(held_deliveries(connection, night=night, province=province)),
        replaced=replaced,
        superseded=superseded_by(connection, province, sorted({i for each in replaced for i in each.ids})),
        held_rules=_read(connection, _HELD_RULES, own, RuleViolations),
        kabkota=_read(connection, _KABKOTA, own, KabkotaFigures),
        last_arrival=connection.execute(text(_LAST_ARRIVAL), own).scalar(),
    )


def read_officers(connection: Connection, province: str, night: date, codes: Sequence[str]) -> dict[str, Officer]:
    """Role and superior of officers as of ``night``, by code; one that the roster does not know is left out."""
    if not codes:
        return {}
    rows = connection.execute(text(_OFFICERS), {"province": province, "night": night, "codes": list(codes)})
    return {row.code: Officer(row.role, row.superior_role, row.superior) for row in rows}


def newest_release(connection: Connection, night: date) -> date | None:
    """The night of the newest published release up to ``night``."""
    found: date | None = connection.execute(text(_RELEASE), {"night": night}).scalar()
    return found


def _visited(connection: Connection, own: Mapping[str, Any]) -> int:
    return int(connection.execute(text(_VISITED), own).scalar_one())


def _row_counts(row: Mapping[str, Any]) -> RowCounts:
    return RowCounts(**{name: count for name, count in row.items() if name != "dataset"})


def _read(connection: Connection, query: str, own: Mapping[str, Any], shape: type[Shape]) -> tuple[Shape, ...]:
    return tuple(shape(**row._asdict()) for row in connection.execute(text(query), own))
