"""Totals as of each night: those of the night before and what the night changed, of places, regions and days.

Regions follow today's frame. If a new frame moves a place to another desa, the totals of its province's regions are
written anew for every night, as if the place had always been there; places and days never change, and so no sum of
the province does. What was published stays as it was published.
"""

from datetime import date

from sqlalchemy import Connection, text

from regsosek.warehouse.tables import PROGRESS_MEASURES


def _each(template: str) -> str:
    return ", ".join(template.format(measure) for measure in PROGRESS_MEASURES)


# A sub-SLS keeps its desa when its row of the frame ends, so its newest row says where all its cases belong.
_PLACE = """
INSERT INTO mart.placement (province, placed_code, region_code, unmapped)
SELECT :province, c.placed_code, coalesce(desa.code, own.code, :province), desa.code IS NULL
FROM (SELECT DISTINCT placed_code FROM mart.change WHERE province = :province AND night = :night) c
LEFT JOIN LATERAL (
    SELECT id_desa FROM reference.subsls s WHERE s.province = :province AND s.id_subsls = c.placed_code
    ORDER BY valid_from DESC LIMIT 1
) f ON true
LEFT JOIN reference.region desa ON desa.code = f.id_desa
LEFT JOIN reference.region own ON own.code = c.placed_code
ON CONFLICT DO NOTHING
"""

_TOTALS = f"""
INSERT INTO mart.total (province, code, placed, night, {_each("{}")})
WITH changed AS (
    SELECT placed_code, {_each("sum({0}) AS {0}")} FROM mart.change
    WHERE province = :province AND night = :night GROUP BY placed_code
),
delta AS (
    SELECT placed_code AS code, true AS placed, {_each("{}")} FROM changed
    UNION ALL
    SELECT a.ancestor_code, false, {_each("sum(c.{0})")}
    FROM changed c JOIN mart.placement p ON p.province = :province AND p.placed_code = c.placed_code
    JOIN reference.region_ancestor a ON a.code = p.region_code
    JOIN reference.region r ON r.code = a.ancestor_code AND r.level <> 'nasional'
    GROUP BY a.ancestor_code
)
SELECT :province, d.code, d.placed, :night, {_each("coalesce(f.{0}, 0) + d.{0}")}
FROM delta d LEFT JOIN LATERAL (
    SELECT * FROM mart.total t
    WHERE t.province = :province AND t.code = d.code AND t.placed = d.placed AND t.night < :night
    ORDER BY t.night DESC LIMIT 1
) f ON true
WHERE ({_each("d.{}")}) <> ({_each("0")})
"""

_DAYS = f"""
INSERT INTO mart.province_day (province, enumerated_on, night, {_each("{}")})
SELECT :province, d.enumerated_on, :night, {_each("coalesce(f.{0}, 0) + d.{0}")}
FROM (SELECT enumerated_on, {_each("sum({0}) AS {0}")} FROM mart.change
      WHERE province = :province AND night = :night GROUP BY enumerated_on) d
LEFT JOIN LATERAL (
    SELECT * FROM mart.province_day t
    WHERE t.province = :province AND t.enumerated_on = d.enumerated_on AND t.night < :night
    ORDER BY t.night DESC LIMIT 1
) f ON true
WHERE ({_each("d.{}")}) <> ({_each("0")})
"""


def write_totals(connection: Connection, province: str, night: date) -> None:
    """Adds the changes of ``night`` to the totals before it; those of every earlier night must stand."""
    own = {"province": province, "night": night}
    connection.execute(text(_PLACE), own)
    for table, statement in (("total", _TOTALS), ("province_day", _DAYS)):
        connection.execute(text(f"DELETE FROM mart.{table} WHERE province = :province AND night = :night"), own)
        connection.execute(text(statement), own)
