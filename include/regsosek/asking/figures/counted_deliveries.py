"""What each delivery contributes to a number that is counted from deliveries, by the source of the number.

Cases of questionnaire K are counted in :mod:`regsosek.asking.figures.tracing`. Here are the streams, the verified
lists, what arrived or was found in a night, what a rule judged, and what is held.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.statistics.counts.days import ARRIVAL_FIELDS
from regsosek.statistics.counts.restatement import PLACED
from regsosek.statistics.progress import ARRIVED, OF_ARRIVED
from regsosek.statistics.streams.days import counted_messages, zone_of
from regsosek.warehouse.nights.as_of_night import STANDING

# The columns of the streams that a published number is the sum of.
_MESSAGE_COLUMNS = {"stream_families": "families", "tags_poor": "poor", "tags_photographed": "photographed"}
_MESSAGES = """
SELECT p.delivery_id, sum(p.counted)::bigint AS counted
FROM (SELECT :province AS province, id_subsls AS placed_code, delivery_id, sum({column}) AS counted
      FROM ({messages}) m GROUP BY id_subsls, delivery_id) p {placed}
WHERE a.ancestor_code = :region GROUP BY p.delivery_id
"""
_LIST_COLUMNS = {
    "stream_families": "coalesce(v.families, 0)",
    "verified_families": "coalesce(v.families, 0)",
    "subsls_verified": "(v.families IS NOT NULL OR v.not_found)::int",
}
_LISTS = """
SELECT v.delivery_id, sum({column})::bigint AS counted
FROM (SELECT DISTINCT ON (v.id_subsls) v.*, s.id_desa
      FROM mart.verified v JOIN reference.subsls s ON s.province = v.province AND s.id_subsls = v.id_subsls
           AND :published BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
      WHERE v.province = :province AND v.night <= :night ORDER BY v.id_subsls, v.night DESC) v
JOIN reference.region_ancestor a ON a.code = v.id_desa AND a.ancestor_code = :region
GROUP BY v.delivery_id
"""
_ARRIVED_COLUMNS = {field: ARRIVED[measure] for measure, field in ARRIVAL_FIELDS.items()}
_ARRIVALS = "SELECT k.delivery_id, {column} AS counted {arrived} AND :night <= :stood GROUP BY k.delivery_id"
_HELD = f"""
WITH {STANDING}
SELECT delivery_id, sum(held)::bigint AS counted FROM standing_count
WHERE province = :province AND dataset = 'keluarga' AND held > 0 GROUP BY delivery_id
"""
_FOUND_COLUMNS = {
    "deliveries": "1",
    "deliveries_unfinished": "(s.state = 'registered')::int",
    **{f"deliveries_{state}": f"(s.state = '{state}')::int" for state in ("accepted", "held", "rejected")},
    **{f"{state}_of_night": f"(s.state = '{state}')::int * coalesce(c.received, 0)" for state in ("held", "rejected")},
}
_FOUND = f"""
WITH {STANDING}
SELECT s.delivery_id, sum({{column}})::bigint AS counted
FROM standing s LEFT JOIN standing_count c ON c.province = s.province AND c.delivery_id = s.delivery_id
     AND c.delivered_on = s.delivered_on AND c.dataset = 'keluarga'
WHERE s.province = :province AND s.night = :found GROUP BY s.delivery_id
"""
_JUDGED_COLUMNS = {"violating": "r.violations", "judged": "e.judged"}
_TONIGHT = "_tonight"
_JUDGED = f"""
WITH {STANDING}
SELECT s.delivery_id, {{column}} AS counted
FROM standing_all s JOIN quality.rule_result r USING (province, delivery_id)
JOIN quality.error_share e USING (province, delivery_id, dataset)
WHERE s.province = :province AND s.state = 'accepted' AND s.counted_night <= :stood
      AND (r.dataset, r.rule_id, r.severity) = (:dataset, :rule_id, :severity)
      AND (s.counted_night = :night OR NOT CAST(:tonight AS boolean))
"""


def messages_by_delivery(
    connection: Connection, field: str, stream: str, province: str, region: str, night: date
) -> dict[str, int]:
    """The part of each delivery of a stream that is counted by day in ``field`` of ``region`` as of ``night``."""
    messages = counted_messages(stream)
    query = _MESSAGES.format(column=_MESSAGE_COLUMNS[field], messages=messages, placed=PLACED.format("p"))
    return _parts(connection, query, province=province, region=region, night=night, zone=zone_of(province))


def lists_by_delivery(
    connection: Connection, field: str, province: str, region: str, night: date, published: date
) -> dict[str, int]:
    """The same of the recap of verified lists, in the frame of the night that is ``published``."""
    query = _LISTS.format(column=_LIST_COLUMNS[field])
    return _parts(connection, query, province=province, region=region, night=night, published=published)


def arrivals_by_delivery(
    connection: Connection, field: str, province: str, arrived: date, stood: date
) -> dict[str, int]:
    """What each delivery brought that counts from the night ``arrived``; nothing if the province ``stood`` before."""
    query = _ARRIVALS.format(column=_ARRIVED_COLUMNS[field], arrived=OF_ARRIVED)
    return _parts(connection, query, province=province, night=arrived, stood=stood)


def held_by_delivery(connection: Connection, province: str, night: date) -> dict[str, int]:
    """Families of each delivery that was held as of ``night``."""
    return _parts(connection, _HELD, province=province, night=night)


def found_by_delivery(connection: Connection, field: str, province: str, found: date, night: date) -> dict[str, int]:
    """The part of each delivery that was found in night ``found``, as it stood on ``night``."""
    return _parts(connection, _FOUND.format(column=_FOUND_COLUMNS[field]), province=province, found=found, night=night)


def judged_by_delivery(
    connection: Connection, field: str, rule: Mapping[str, str], province: str, night: date, stood: date
) -> dict[str, int]:
    """Rows of each delivery that a rule judged, or that violate it, up to the night that the province ``stood`` at.

    Args:
        rule: its ``dataset``, ``rule_id`` and ``severity``.
        night: of the release; the fields of tonight are of it alone.
    """
    query = _JUDGED.format(column=_JUDGED_COLUMNS[field.removesuffix(_TONIGHT)])
    values = {**rule, "province": province, "night": night, "stood": stood, "tonight": field.endswith(_TONIGHT)}
    return _parts(connection, query, **values)


def _parts(connection: Connection, query: str, **values: Any) -> dict[str, int]:
    rows: list[Mapping[str, Any]] = [dict(row._mapping) for row in connection.execute(text(query), values)]
    return {row["delivery_id"]: int(row["counted"]) for row in rows if row["counted"]}
