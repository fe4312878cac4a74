"""Completion from the nation down to the sub-SLS: every measure summed exactly up the region tree.

Totals are read, not summed anew (``statistics.totals``). Parents come from ``reference.region_ancestor`` and
``reference.subsls.id_desa``: no code is cut into pieces.
"""

from collections.abc import Iterable

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.regions import LEVELS, NATION
from regsosek.statistics.definitions.as_of import AS_OF, AsOf, newest_total, summed
from regsosek.warehouse.tables import PROGRESS_MEASURES, each_measure

_PROVINCE_OF = """
province_of AS (
    SELECT a.code, a.ancestor_code AS province
    FROM reference.region_ancestor a JOIN reference.region p ON p.code = a.ancestor_code AND p.level = 'provinsi'
)"""

# The nation stands in no province's totals.
_REGIONS = f"""
{AS_OF},
{_PROVINCE_OF},
in_province AS (
    SELECT p.code, {each_measure("t.{0}")}
    FROM province_of p JOIN as_of a USING (province)
    JOIN {newest_total("p.province", "p.code", "a.last_night", placed=False)} t ON true
),
rolled AS (
    SELECT * FROM in_province
    UNION ALL
    SELECT '{NATION}', {summed()} FROM in_province JOIN as_of a ON a.province = code HAVING count(*) > 0
)"""

_REGION_TOTALS = f"WITH {_REGIONS} SELECT * FROM rolled"

_COMPLETION = f"""
WITH {_REGIONS},
lost AS (
    SELECT p.region_code AS code, sum(t.visited)::bigint AS unmapped
    FROM mart.placement p JOIN as_of a USING (province)
    JOIN {newest_total("p.province", "p.placed_code", "a.last_night", placed=True)} t ON true
    WHERE p.unmapped GROUP BY p.region_code
),
framed AS (
    SELECT a.ancestor_code AS code, sum(s.families_load)::bigint AS frame_families
    FROM reference.subsls s JOIN reference.region_ancestor a ON a.code = s.id_desa
    WHERE :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
    GROUP BY a.ancestor_code
)
SELECT r.code, r.level, r.name, r.parent_code, p.province, {each_measure("coalesce(rolled.{0}, 0)::bigint AS {0}")},
       coalesce(lost.unmapped, 0) AS unmapped, coalesce(framed.frame_families, 0) AS frame_families
FROM reference.region r
LEFT JOIN province_of p USING (code) LEFT JOIN rolled USING (code) LEFT JOIN lost USING (code)
LEFT JOIN framed USING (code)
"""

# By the frame itself, not by mart.placement: what the totals rest on is checked with it.
_CHANGED = f"""
WITH {AS_OF},
former AS (
    SELECT * FROM unnest(CAST(:former_provinces AS text[]), CAST(:former_nights AS date[])) AS f (province, night)
),
changed AS (
    SELECT c.province, c.placed_code, {each_measure("sum(c.{0} * sign(c.night - f.night - 0.5)) AS {0}")}
    FROM as_of a
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT night FROM former WHERE province = a.province), '0001-01-01'::date) AS night
    ) f
    JOIN mart.change c ON c.province = a.province
         AND c.night > least(f.night, a.last_night) AND c.night <= greatest(f.night, a.last_night)
    GROUP BY c.province, c.placed_code
)
SELECT coalesce(desa.code, own.code, c.province) AS code, {each_measure("sum(c.{0})::bigint AS {0}")}
FROM changed c
LEFT JOIN LATERAL (
    SELECT id_desa FROM reference.subsls s WHERE s.province = c.province AND s.id_subsls = c.placed_code
    ORDER BY valid_from DESC LIMIT 1
) f ON true
LEFT JOIN reference.region desa ON desa.code = f.id_desa
LEFT JOIN reference.region own ON own.code = c.placed_code
GROUP BY 1
"""

_FRAME_VERSIONS = (
    "SELECT province, string_agg(DISTINCT version, ', ') AS frame_version FROM reference.subsls GROUP BY 1"
)

_SUBSLS = f"""
WITH {AS_OF},
framed AS (
    SELECT DISTINCT ON (id_subsls) id_subsls, id_desa, name, families_load FROM reference.subsls
    WHERE province = :province AND :night BETWEEN valid_from AND coalesce(valid_to, 'infinity')
    ORDER BY id_subsls, valid_from DESC
)
SELECT id_subsls, id_desa, name, families_load, {each_measure("coalesce(t.{0}, 0) AS {0}")}
FROM framed LEFT JOIN as_of a ON a.province = :province
LEFT JOIN {newest_total(":province", "id_subsls", "a.last_night", placed=True)} t ON true
ORDER BY id_subsls
"""

_PROVINCES = f"""
WITH {AS_OF}
SELECT a.province, {each_measure("t.{0}")}
FROM as_of a JOIN {newest_total("a.province", "a.province", "a.last_night", placed=False)} t ON true
ORDER BY a.province
"""


def completion(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """One row per region of every level down to desa, upper levels first, then by code.

    Columns: ``code, level, name, parent_code, province``; all ``PROGRESS_MEASURES`` in families (``persons`` in
    persons); ``unmapped``: cases counted at this very region because their code can be placed no lower (*tak
    terpetakan*; of a desa: their sub-SLS is unknown); ``frame_families`` and ``frame_version``: of the sub-SLS frame
    valid that night; ``target_families, target_source, target_version, scale``: of provinces and the nation alone,
    else missing.
    """
    regions = pd.read_sql_query(text(_COMPLETION), connection, params=as_of.parameters)
    versions = pd.read_sql_query(text(_FRAME_VERSIONS), connection)
    targets = _with_nation(_targets(connection), expected=int((regions["level"] == "provinsi").sum()))
    merged = regions.merge(targets, on="code", how="left").merge(versions, on="province", how="left")
    merged.loc[merged["code"] == NATION, "frame_version"] = ", ".join(sorted(set(versions["frame_version"])))
    merged["level"] = pd.Categorical(merged["level"], LEVELS, ordered=True)
    return merged.sort_values(["level", "code"], ignore_index=True).astype({"level": str})


def region_totals(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """All measures of every region that has figures, the nation included: index code."""
    frame = pd.read_sql_query(text(_REGION_TOTALS), connection, params=as_of.parameters)
    return frame.set_index("code").astype("int64")


def changed_figures(connection: Connection, as_of: AsOf, former: AsOf) -> pd.DataFrame:
    """What changed from ``former`` to ``as_of`` in the places that each region counts itself: ``code``, all measures.

    A desa counts its sub-SLS; the levels above count only what can be placed no lower. Read from the changes alone.
    """
    before = {"former_provinces": list(former.nights), "former_nights": list(former.nights.values())}
    return pd.read_sql_query(text(_CHANGED), connection, params=as_of.parameters | before)


def province_totals(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """All measures of every province that has figures: index province."""
    return pd.read_sql_query(text(_PROVINCES), connection, params=as_of.parameters).set_index("province")


def sub_sls(connection: Connection, as_of: AsOf, province: str) -> pd.DataFrame:
    """One row per sub-SLS of ``province`` in the frame of the night: its desa, name, families expected, measures."""
    return pd.read_sql_query(text(_SUBSLS), connection, params=as_of.parameters | {"province": province})


def add_up(own: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Sums ``own`` figures up the tree by ``parent_code``, level by level: index code, columns the measures."""
    measures = list(PROGRESS_MEASURES)
    sums = own.set_index("code")[measures].reindex(regions["code"], fill_value=0)
    for level in reversed(LEVELS[1:]):
        children = regions.loc[regions["level"] == level, ["code", "parent_code"]]
        upwards = sums.loc[children["code"]].groupby(children["parent_code"].to_numpy()).sum()
        sums = sums.add(upwards, fill_value=0).astype("int64")
    return sums.loc[regions["code"]]


def scale_of_sum(targets: Iterable[float], scales: Iterable[float]) -> float:
    """The share that targets together are of their targets in the real operation, to nine decimals; 1 of none."""
    each = [(float(target), float(scale)) for target, scale in zip(targets, scales, strict=True)]
    real = sum(target / scale for target, scale in each)
    return round(sum(target for target, _ in each) / real, 9) if real else 1.0


def _targets(connection: Connection) -> pd.DataFrame:
    query = (
        "SELECT province AS code, families AS target_families, source AS target_source, version AS target_version, "
        "scale::float8 AS scale FROM reference.target"
    )
    return pd.read_sql_query(text(query), connection).astype({"target_families": "Int64"})


def _with_nation(targets: pd.DataFrame, expected: int) -> pd.DataFrame:
    """Adds the nation: the sum, unless a province has no target, for a sum with a hole is no denominator."""
    if len(targets) < max(expected, 1):
        return targets
    sources = sorted(set(targets["target_source"]))
    nation = {
        "code": [NATION],
        "target_families": [targets["target_families"].sum()],
        "target_source": ["+".join(sources)],
        "target_version": ["+".join(sorted(set(targets["target_version"])))],
        "scale": [scale_of_sum(targets["target_families"], targets["scale"])],
    }
    return pd.concat([targets, pd.DataFrame(nation).astype({"target_families": "Int64"})], ignore_index=True)
