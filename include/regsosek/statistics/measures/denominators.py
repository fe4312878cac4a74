"""What a figure is a share of: target, frame, prelist, verified list, registry; each with version and coverage.

Prelist: the frame on the day on which the province opened, so what was planned. A family visited beyond it is *newly
found*: in each sub-SLS what exceeds its opening load, and all in places that the opening frame lacked. What was split
or merged since is counted with what it came from, or a split would find a whole SLS anew.

The verified list arrives late and in pieces. A region's list that is entered in part never stands for the whole: what
was visited and what was verified are both taken of the sub-SLS whose list is entered, and the coverage says how many
of all those are.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.provinces import provinces
from regsosek.geography.region_targets import RegionTargets
from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.as_of import AS_OF, AsOf, newest_total
from regsosek.statistics.measures.counted import of_what_is_counted

REGISTRY_VERSION = "Dukcapil 2023-02"
SUMS = (
    "prelist_families", "found_families", "sls_prelist", "sls_visited", "subsls_frame", "subsls_verified",
    "verified_families", "visited_where_verified",
)  # fmt: skip
_LATEST = ("last_day", "verified_version")
_WHOLE = 100.0

# What was visited beyond the opening load of related places (``root``) is told of new places first, then of the others.
_PLACES = f"""
{AS_OF},
counted AS (
    SELECT p.province, p.placed_code AS code, t.visited, t.last_day
    FROM mart.placement p JOIN as_of a USING (province)
    JOIN {newest_total("p.province", "p.placed_code", "a.last_night", placed=True)} t ON true
),
opening AS (
    SELECT s.province, s.id_subsls AS code, s.families_load AS load
    FROM reference.subsls s
    JOIN unnest(CAST(:opened AS text[]), CAST(:opens AS date[])) AS o (province, day) ON o.province = s.province
    WHERE o.day BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
),
place AS (
    SELECT province, code, coalesce(l.root, code) AS root, coalesce(visited, 0) AS visited, last_day, load
    FROM counted FULL JOIN opening USING (province, code)
    LEFT JOIN unnest(CAST(:members AS text[]), CAST(:roots AS text[])) AS l (code, root) USING (code)
),
beyond AS (
    SELECT *, greatest(sum(visited) OVER own - coalesce(sum(load) OVER own, 0), 0) AS excess,
           coalesce(sum(visited) OVER (PARTITION BY province, root ORDER BY load IS NOT NULL, code
                                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM place WINDOW own AS (PARTITION BY province, root)
),
desa_of AS (
    SELECT DISTINCT ON (province, id_subsls) province, id_subsls AS code, id_desa FROM reference.subsls
    ORDER BY province, id_subsls, valid_from DESC
),
placed AS (
    SELECT coalesce(desa.code, own.code, b.province) AS region, b.code, b.visited, b.last_day, b.load,
           greatest(least(b.visited, b.excess - b.before), 0) AS found
    FROM beyond b
    LEFT JOIN desa_of f ON f.province = b.province AND f.code = b.code
    LEFT JOIN reference.region desa ON desa.code = f.id_desa
    LEFT JOIN reference.region own ON own.code = b.code
)"""

# An SLS is what its sub-SLS share: the first 14 digits of their codes, as the landing contract writes them.
_OF_PLACES = """
SELECT region AS code, coalesce(sum(load), 0)::bigint AS prelist_families, sum(found)::bigint AS found_families,
       count(DISTINCT left(code, 14)) FILTER (WHERE load IS NOT NULL) AS sls_prelist,
       count(DISTINCT left(code, 14)) FILTER (WHERE visited > 0 AND length(code) = 16) AS sls_visited,
       max(last_day) AS last_day, 0 AS subsls_frame, 0 AS subsls_verified, 0::bigint AS verified_families,
       0::bigint AS visited_where_verified, NULL::date AS verified_version
FROM placed GROUP BY region
"""

_OF_LISTS = """
SELECT s.id_desa, 0, 0, 0, 0, NULL::date, count(*), count(*) FILTER (WHERE v.entered),
       coalesce(sum(v.families) FILTER (WHERE v.entered), 0)::bigint,
       coalesce(sum(c.visited) FILTER (WHERE v.entered), 0)::bigint, max(v.night)
FROM reference.subsls s
LEFT JOIN (
    SELECT DISTINCT ON (v.province, v.id_subsls) v.province, v.id_subsls, v.families, v.night,
           v.families IS NOT NULL OR v.not_found AS entered
    FROM mart.verified v JOIN as_of a ON a.province = v.province AND v.night <= a.last_night
    ORDER BY v.province, v.id_subsls, v.night DESC
) v USING (province, id_subsls)
LEFT JOIN counted c ON c.province = s.province AND c.code = s.id_subsls
WHERE :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
GROUP BY s.id_desa
"""

_QUERY = f"""
WITH {_PLACES},
own AS ({_OF_PLACES} UNION ALL {_OF_LISTS})
SELECT a.ancestor_code AS code, {", ".join(f"sum(own.{name})::bigint AS {name}" for name in SUMS)},
       {", ".join(f"max(own.{name}) AS {name}" for name in _LATEST)}
FROM own JOIN reference.region_ancestor a ON a.code = own.code
GROUP BY a.ancestor_code
"""

_CHANGES = """
SELECT p.id_subsls_lama AS former, p.id_subsls_baru AS heir, p.status, f.id_desa
FROM reference.psls p
LEFT JOIN (SELECT DISTINCT ON (province, id_subsls) province, id_subsls, id_desa FROM reference.subsls
           ORDER BY province, id_subsls, valid_from DESC) f
    ON f.province = p.province AND f.id_subsls = p.id_subsls_lama
WHERE p.valid_from <= :night
"""
_SPLIT = 1


def with_denominators(
    connection: Connection,
    as_of: AsOf,
    windows: Mapping[str, FieldWindow],
    regions: pd.DataFrame,
    targets: RegionTargets,
) -> pd.DataFrame:
    """Adds to ``regions`` (``statistics.tree.completion``) every denominator with its version and coverage.

    Columns beside those of :data:`SUMS`: ``last_day``, ``verified_version``, and those of :func:`described`.
    """
    counted = _counted(connection, as_of, windows)
    merged = regions.merge(counted, on="code", how="left")
    merged[list(SUMS)] = merged[list(SUMS)].fillna(0).astype("int64")
    return described(merged, windows, targets, as_of.nights)


def described(
    regions: pd.DataFrame, windows: Mapping[str, FieldWindow], targets: RegionTargets, known: Collection[str]
) -> pd.DataFrame:
    """Adds supplied targets, registry, and of every denominator version and coverage (percent), to region figures.

    Columns: ``target_coverage, frame_kabkota, kabkota_count, frame_coverage, prelist_version, sls_target,
    sls_target_version, sls_target_coverage, registry_families, registry_version, registry_coverage``; ``target_*`` of
    kab/kota, if supplied. Regions of provinces that are not ``known`` (without figures) have no counts.
    """
    supplied = _with_supplied(regions, targets)
    covered = _with_frame_coverage(supplied)
    opened = {code: f"kerangka pada {window.opens}" for code, window in windows.items()}
    covered["prelist_version"] = [
        None if pd.isna(version) else f"{version}, {opened.get(province, 'kerangka pada pembukaan tiap provinsi')}"
        for version, province in zip(covered["frame_version"], covered["province"], strict=True)
    ]
    return of_what_is_counted(_with_registry(_with_sls_target(covered, targets)), known)


def lineages(changes: Iterable[tuple[str, str, int, str | None]]) -> dict[str, str]:
    """Which places belong together: every code that changed, to one code of all that it is related to.

    Args:
        changes: former code, code that it became, status of PSLS, desa of the former. The families of an SLS that was
            split are placed at its desa where nobody knows which part they live in, so the desa belongs to them too.
    """
    root: dict[str, str] = {}

    def find(code: str) -> str:
        while root.setdefault(code, code) != code:
            root[code] = root[root[code]]
            code = root[code]
        return code

    for former, heir, status, desa in changes:
        related = [former, heir] + ([desa] if status == _SPLIT and desa else [])
        roots = sorted(find(code) for code in related)
        for each in roots:
            root[each] = roots[0]
    return {code: find(code) for code in root}


def related_places(connection: Connection, night: date) -> dict[str, str]:
    """Every code that changed up to ``night``, and one code of all that it is related to (:func:`lineages`)."""
    changes = connection.execute(text(_CHANGES), {"night": night})
    return lineages((row.former, row.heir, row.status, row.id_desa) for row in changes)


def _counted(connection: Connection, as_of: AsOf, windows: Mapping[str, FieldWindow]) -> pd.DataFrame:
    related = related_places(connection, as_of.night)
    parameters: dict[str, Any] = {
        **as_of.parameters,
        "opened": list(windows),
        "opens": [window.opens for window in windows.values()],
        "members": list(related),
        "roots": list(related.values()),
    }
    return pd.read_sql_query(text(_QUERY), connection, params=parameters)


def _with_supplied(regions: pd.DataFrame, targets: RegionTargets) -> pd.DataFrame:
    given = {code: each.families for code, each in targets.by_region.items() if each.families is not None}
    here = regions["code"].isin(given)
    families = regions["target_families"].mask(here, regions["code"].map(given)).astype("Int64")
    return regions.assign(
        target_families=families,
        target_source=regions["target_source"].mask(here, "supplied"),
        target_version=regions["target_version"].mask(here, targets.version),
        target_coverage=pd.Series(_WHOLE, index=regions.index, dtype="Float64").where(families.notna()),
    )


def _with_frame_coverage(regions: pd.DataFrame) -> pd.DataFrame:
    """Of nation and provinces by kab/kota; a lower region is covered if the frame knows it."""
    kabkota = regions[regions["level"] == "kabkota"]
    known = kabkota.assign(kabkota_count=1, frame_kabkota=(kabkota["frame_families"] > 0).astype("int64"))
    of_province = known.groupby("province")[["kabkota_count", "frame_kabkota"]].sum()
    counts = pd.concat([of_province, of_province.sum().to_frame(NATION).T]).rename_axis("code")
    merged = regions.merge(counts.astype("Int64"), left_on="code", right_index=True, how="left")
    upper = merged["frame_kabkota"].astype("Float64") * _WHOLE / merged["kabkota_count"]
    lower = pd.Series(_WHOLE, index=merged.index, dtype="Float64").where(merged["frame_families"] > 0)
    merged["frame_coverage"] = upper.where(merged["level"].isin(["nasional", "provinsi"]), lower)
    return merged


def _with_sls_target(regions: pd.DataFrame, targets: RegionTargets) -> pd.DataFrame:
    given = {code: each.sls for code, each in targets.by_region.items() if each.sls is not None}
    here = regions["code"].isin(given)
    return regions.assign(
        sls_target=regions["sls_prelist"].mask(here, regions["code"].map(given)).astype("Int64"),
        sls_target_version=regions["prelist_version"].mask(here, targets.version),
        sls_target_coverage=regions["frame_coverage"].mask(here, _WHOLE),
    )


def _with_registry(regions: pd.DataFrame) -> pd.DataFrame:
    """Of provinces at the scale of their target, and of the nation their sum, unless one of them has no scale."""
    families = {each.code: each.families_dukcapil for each in provinces()}
    of_province = regions[regions["level"] == "provinsi"]
    scaled = {
        str(code): None if pd.isna(scale) else round(families[code] * scale)
        for code, scale in zip(of_province["code"], of_province["scale"], strict=True)
    }
    known = [number for number in scaled.values() if number is not None]
    nation = sum(known) if len(known) == len(families) else None
    registry = pd.Series([{**scaled, NATION: nation}.get(code) for code in regions["code"]], dtype="Int64")
    registry.index = regions.index
    return regions.assign(
        registry_families=registry,
        registry_version=pd.Series(REGISTRY_VERSION, index=regions.index, dtype=object).where(registry.notna()),
        registry_coverage=pd.Series(_WHOLE, index=regions.index, dtype="Float64").where(registry.notna()),
    )
