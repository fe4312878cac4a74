"""The figures of a region's parts down to the sub-SLS, for accounts that see its province: also what is not public."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from regsosek.geography.regions import NATION, region_master
from regsosek.statistics.definitions.as_of import last_refreshed, newest_total
from regsosek.warehouse.tables import PROGRESS_MEASURES, each_measure

SHOWN_MEASURES = tuple(measure for measure in PROGRESS_MEASURES if measure != "persons")

_FRAME = """
frame AS (
    SELECT DISTINCT ON (id_subsls) id_subsls, id_desa, name, families_load FROM reference.subsls
    WHERE province = :province AND valid_from <= :night AND :night <= coalesce(valid_to, 'infinity')
    ORDER BY id_subsls, valid_from DESC
)"""
_REGIONS = f"""
WITH {_FRAME}, load AS (
    SELECT a.ancestor_code AS code, sum(f.families_load) AS families
    FROM frame f JOIN reference.region_ancestor a ON a.code = f.id_desa GROUP BY 1
)
SELECT r.code, r.name, coalesce(l.families, 0)::bigint AS frame_families,
       {each_measure("coalesce(t.{0}, 0)::bigint AS {0}")}
FROM reference.region r LEFT JOIN load l USING (code)
LEFT JOIN {newest_total(":province", "r.code", ":night", placed=False)} t ON true
WHERE r.parent_code = :code AND (l.families > 0 OR t.code IS NOT NULL) ORDER BY r.code
"""
_SUBSLS = f"""
WITH {_FRAME}
SELECT f.id_subsls AS code, coalesce(f.name, '') AS name, f.families_load::bigint AS frame_families,
       {each_measure("coalesce(t.{0}, 0)::bigint AS {0}")}
FROM frame f LEFT JOIN {newest_total(":province", "f.id_subsls", ":night", placed=True)} t ON true
WHERE f.id_desa = :code ORDER BY f.id_subsls
"""


@dataclass(frozen=True)
class Part:
    """A part of a region: families that the frame expects, and families by measure as of the night."""

    code: str
    name: str
    frame_families: int
    counts: Mapping[str, int]

    @property
    def visited_of_frame(self) -> float | None:
        """As a fraction; None where the frame expects nobody."""
        return self.counts["visited"] / self.frame_families if self.frame_families else None


@dataclass(frozen=True)
class RegionParts:
    """A region with its parts.

    Attributes:
        chain: code and name of what it lies in, the province first, and of itself.
        part_level: level of the parts; ``subsls`` below a desa.
        night: the last night whose statistics hold everything that the province brought; None before the first.
    """

    chain: Sequence[tuple[str, str]]
    part_level: str
    night: date | None
    parts: Sequence[Part]


_PART_LEVEL = {"provinsi": "kabkota", "kabkota": "kecamatan", "kecamatan": "desa", "desa": "subsls"}


def region_parts(connection: Connection, code: str) -> RegionParts | None:
    """The parts of region ``code``, from a province down to a desa; None where there is no such region."""
    regions = region_master().regions
    if code == NATION or code not in regions:
        return None
    chain = [regions[code]]
    while (above := chain[0].parent_code) not in (None, NATION):
        chain.insert(0, regions[str(above)])
    province, level = chain[0].code, _PART_LEVEL[regions[code].level]
    night = last_refreshed(connection, date.max).nights.get(province)
    named = [(each.code, each.name) for each in chain]
    if night is None:
        return RegionParts(named, level, None, ())
    query = _SUBSLS if level == "subsls" else _REGIONS
    rows = connection.execute(text(query), {"province": province, "code": code, "night": night}).mappings()
    parts = [
        Part(row["code"], row["name"], row["frame_families"], {name: row[name] for name in SHOWN_MEASURES})
        for row in rows
    ]
    return RegionParts(named, level, night, parts)


def province_of_region(code: str) -> str | None:
    """The province that a region lies in, by the region master; None where there is no such region."""
    regions = region_master().regions
    found = regions.get(code)
    while found is not None and found.level != "provinsi":
        found = regions.get(found.parent_code or "")
    return None if found is None else found.code
