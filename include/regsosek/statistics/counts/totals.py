"""Totals as of each night: those of the night before and what the night changed, of places, regions and days.

Regions follow today's frame. If a new frame moves a place to another desa, the totals of its province's regions are
written anew for every night, as if the place had always been there; places and days never change, and so no sum of
the province does. What was published stays as it was published.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection, text

from regsosek.warehouse.locks import hold_province
from regsosek.warehouse.tables import each_measure

# A sub-SLS keeps its desa when its row of the frame ends, so its newest row says where all its cases belong.
_REGION_OF = """
SELECT c.province, c.placed_code, coalesce(desa.code, own.code, c.province) AS region_code,
       desa.code IS NULL AS unmapped
FROM ({places}) c
LEFT JOIN LATERAL (
    SELECT id_desa FROM reference.subsls s WHERE s.province = c.province AND s.id_subsls = c.placed_code
    ORDER BY valid_from DESC LIMIT 1
) f ON true
LEFT JOIN reference.region desa ON desa.code = f.id_desa
LEFT JOIN reference.region own ON own.code = c.placed_code
"""

_OF_NIGHT = "SELECT DISTINCT province, placed_code FROM mart.change WHERE province = :province AND night = :night"
_PLACE = f"""
INSERT INTO mart.placement (province, placed_code, region_code, unmapped)
{_REGION_OF.format(places=_OF_NIGHT)} ON CONFLICT DO NOTHING
"""

# A correction may move the last day on which a place was visited, though no figure of it changes.
_LAST_DAY = """
SELECT max(enumerated_on) AS last_day FROM (
    SELECT enumerated_on FROM mart.change WHERE province = :province AND placed_code = d.code AND night <= :night
    GROUP BY enumerated_on HAVING sum(visited) > 0
) visited_on"""
_TOTALS = f"""
INSERT INTO mart.total (province, code, placed, night, last_day, {each_measure("{}")})
WITH changed AS (
    SELECT placed_code, {each_measure("sum({0}) AS {0}")} FROM mart.change
    WHERE province = :province AND night = :night GROUP BY placed_code
),
delta AS (
    SELECT placed_code AS code, true AS placed, {each_measure("{}")} FROM changed
    UNION ALL
    SELECT a.ancestor_code, false, {each_measure("sum(c.{0})")}
    FROM changed c JOIN mart.placement p ON p.province = :province AND p.placed_code = c.placed_code
    JOIN reference.region_ancestor a ON a.code = p.region_code
    JOIN reference.region r ON r.code = a.ancestor_code AND r.level <> 'nasional'
    GROUP BY a.ancestor_code
)
SELECT :province, d.code, d.placed, :night, l.last_day, {each_measure("coalesce(f.{0}, 0) + d.{0}")}
FROM delta d LEFT JOIN LATERAL ({_LAST_DAY}) l ON d.placed LEFT JOIN LATERAL (
    SELECT * FROM mart.total t
    WHERE t.province = :province AND t.code = d.code AND t.placed = d.placed AND t.night < :night
    ORDER BY t.night DESC LIMIT 1
) f ON true
WHERE ({each_measure("d.{}")}) <> ({each_measure("0")}) OR l.last_day IS DISTINCT FROM f.last_day
"""

_DAYS = f"""
INSERT INTO mart.province_day (province, enumerated_on, night, {each_measure("{}")})
SELECT :province, d.enumerated_on, :night, {each_measure("coalesce(f.{0}, 0) + d.{0}")}
FROM (SELECT enumerated_on, {each_measure("sum({0}) AS {0}")} FROM mart.change
      WHERE province = :province AND night = :night GROUP BY enumerated_on) d
LEFT JOIN LATERAL (
    SELECT * FROM mart.province_day t
    WHERE t.province = :province AND t.enumerated_on = d.enumerated_on AND t.night < :night
    ORDER BY t.night DESC LIMIT 1
) f ON true
WHERE ({each_measure("d.{}")}) <> ({each_measure("0")})
"""

_REGION_DAYS = """
INSERT INTO mart.region_day (province, code, enumerated_on, night, visited)
SELECT :province, a.ancestor_code, c.enumerated_on, c.night, sum(c.visited)
FROM mart.change c JOIN mart.placement p USING (province, placed_code)
JOIN reference.region_ancestor a ON a.code = p.region_code
JOIN reference.region r ON r.code = a.ancestor_code AND r.level IN ('provinsi', 'kabkota')
WHERE c.province = :province AND (CAST(:night AS date) IS NULL OR c.night = :night)
GROUP BY a.ancestor_code, c.enumerated_on, c.night HAVING sum(c.visited) <> 0
"""


def write_totals(connection: Connection, province: str, night: date) -> None:
    """Adds the changes of ``night`` to the totals before it; those of every earlier night must stand."""
    own = {"province": province, "night": night}
    connection.execute(text(_PLACE), own)
    for table, statement in (("total", _TOTALS), ("province_day", _DAYS), ("region_day", _REGION_DAYS)):
        connection.execute(text(f"DELETE FROM mart.{table} WHERE province = :province AND night = :night"), own)
        connection.execute(text(statement), own)


_OF_PROVINCE = "SELECT province, placed_code FROM mart.placement"
_MOVED = f"""
SELECT DISTINCT p.province FROM mart.placement p
JOIN ({_REGION_OF.format(places=_OF_PROVINCE)}) n USING (province, placed_code)
WHERE (p.region_code, p.unmapped) <> (n.region_code, n.unmapped)
"""
_MOVE = f"""
UPDATE mart.placement p SET region_code = n.region_code, unmapped = n.unmapped
FROM ({_REGION_OF.format(places=_OF_PROVINCE + " WHERE province = :province")}) n
WHERE p.province = :province AND n.placed_code = p.placed_code
      AND (p.region_code, p.unmapped) <> (n.region_code, n.unmapped)
"""
_TREES = """
SELECT p.code AS province, md5(string_agg(a.code || a.ancestor_code, ',' ORDER BY a.code, a.ancestor_code)) AS tree
FROM reference.region p
JOIN reference.region_ancestor b ON b.ancestor_code = p.code JOIN reference.region_ancestor a ON a.code = b.code
WHERE p.level = 'provinsi' GROUP BY p.code
"""
_SUM_AGAIN = f"""
INSERT INTO mart.total (province, code, placed, night, {each_measure("{}")})
SELECT :province, code, false, night, {each_measure("sum({0}) OVER so_far")}
FROM (SELECT a.ancestor_code AS code, c.night, {each_measure("sum(c.{0}) AS {0}")}
      FROM mart.change c JOIN mart.placement p USING (province, placed_code)
      JOIN reference.region_ancestor a ON a.code = p.region_code
      JOIN reference.region r ON r.code = a.ancestor_code AND r.level <> 'nasional'
      WHERE c.province = :province GROUP BY 1, 2
      HAVING ({each_measure("sum(c.{0})")}) <> ({each_measure("0")})) of_night
WINDOW so_far AS (PARTITION BY code ORDER BY night)
"""


@contextmanager
def following_frame(connection: Connection) -> Iterator[None]:
    """Lets totals of regions follow regions and frame that are replaced inside, in the same transaction.

    Only provinces with a moved place or another tree are written anew; their nights wait until the transaction ends.
    """
    before = _trees(connection)
    yield
    after = _trees(connection)
    moved = set(connection.execute(text(_MOVED)).scalars())
    for province in sorted(moved | {code for code in before if before[code] != after.get(code)}):
        hold_province(connection, province)
        connection.execute(text(_MOVE), {"province": province})
        sum_again(connection, province)


def _trees(connection: Connection) -> dict[str, str]:
    return {row.province: row.tree for row in connection.execute(text(_TREES))}


def sum_again(connection: Connection, province: str) -> None:
    """Writes the totals of the regions of ``province`` anew, of all nights, from its changes; days of regions too."""
    own = {"province": province}
    connection.execute(text("DELETE FROM mart.total WHERE province = :province AND NOT placed"), own)
    connection.execute(text(_SUM_AGAIN), own)
    connection.execute(text("DELETE FROM mart.region_day WHERE province = :province"), own)
    connection.execute(text(_REGION_DAYS), own | {"night": None})
