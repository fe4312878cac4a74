"""Completion from the nation down to the sub-SLS: every measure summed exactly up the region tree.

Parents come from ``reference.region_ancestor`` and ``reference.subsls.id_desa``: no code is cut into pieces.
"""

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.regions import LEVELS, NATION
from regsosek.statistics.as_of import KNOWN, AsOf, summed
from regsosek.warehouse.tables import PROGRESS_MEASURES

# A sub-SLS keeps its desa when its row of the frame ends, so its newest row says where all its cases belong.
_PLACED = f"""
{KNOWN},
lowest AS (SELECT province, placed_code, {summed()} FROM known GROUP BY province, placed_code),
desa_of AS (
    SELECT DISTINCT ON (province, id_subsls) province, id_subsls, id_desa FROM reference.subsls
    ORDER BY province, id_subsls, valid_from DESC
),
placed AS (
    SELECT coalesce(desa.code, own.code, l.province) AS code, desa.code IS NULL AS lost, {summed("l.{0}")}
    FROM lowest l
    LEFT JOIN desa_of f ON f.province = l.province AND f.id_subsls = l.placed_code
    LEFT JOIN reference.region desa ON desa.code = f.id_desa
    LEFT JOIN reference.region own ON own.code = l.placed_code
),
own AS (
    SELECT code, coalesce(sum(visited) FILTER (WHERE lost), 0)::bigint AS unmapped, {summed()}
    FROM placed GROUP BY code
)"""

_OWN = f"WITH {_PLACED} SELECT * FROM own ORDER BY code"

_COMPLETION = f"""
WITH {_PLACED},
rolled AS (
    SELECT a.ancestor_code AS code, {summed("sum(own.{0})::bigint AS {0}")}
    FROM own JOIN reference.region_ancestor a USING (code) GROUP BY a.ancestor_code
),
framed AS (
    SELECT a.ancestor_code AS code, sum(s.families_load)::bigint AS frame_families
    FROM reference.subsls s JOIN reference.region_ancestor a ON a.code = s.id_desa
    WHERE :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
    GROUP BY a.ancestor_code
),
province_of AS (
    SELECT a.code, a.ancestor_code AS province
    FROM reference.region_ancestor a JOIN reference.region p ON p.code = a.ancestor_code AND p.level = 'provinsi'
)
SELECT r.code, r.level, r.name, r.parent_code, p.province, {summed("coalesce(rolled.{0}, 0) AS {0}")},
       coalesce(own.unmapped, 0) AS unmapped, coalesce(framed.frame_families, 0) AS frame_families
FROM reference.region r
LEFT JOIN province_of p USING (code) LEFT JOIN rolled USING (code) LEFT JOIN own USING (code)
LEFT JOIN framed USING (code)
"""

_FRAME_VERSIONS = (
    "SELECT province, string_agg(DISTINCT version, ', ') AS frame_version FROM reference.subsls GROUP BY 1"
)

_SUBSLS = f"""
WITH {KNOWN},
framed AS (
    SELECT DISTINCT ON (id_subsls) id_subsls, id_desa, name, families_load FROM reference.subsls
    WHERE province = :province AND :night BETWEEN valid_from AND coalesce(valid_to, 'infinity')
    ORDER BY id_subsls, valid_from DESC
),
counted AS (SELECT placed_code AS id_subsls, {summed()} FROM known WHERE province = :province GROUP BY placed_code)
SELECT id_subsls, id_desa, name, families_load, {summed("coalesce({0}, 0) AS {0}")}
FROM framed LEFT JOIN counted USING (id_subsls) ORDER BY id_subsls
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


def own_figures(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """What each region counts itself, before anything is summed up the tree: ``code, unmapped`` and all measures.

    A desa counts its sub-SLS; the levels above count only what can be placed no lower.
    """
    return pd.read_sql_query(text(_OWN), connection, params=as_of.parameters)


def province_totals(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """All measures of every province that has figures, straight from what is known: index province."""
    query = f"WITH {KNOWN} SELECT province, {summed()} FROM known GROUP BY province ORDER BY province"
    return pd.read_sql_query(text(query), connection, params=as_of.parameters).set_index("province")


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
        "scale": [targets["scale"].min()],
    }
    return pd.concat([targets, pd.DataFrame(nation).astype({"target_families": "Int64"})], ignore_index=True)
