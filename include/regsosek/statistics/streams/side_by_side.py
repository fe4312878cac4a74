"""Completion of each stream side by side, by region, each with its own clock; photo coverage of poor families.

Streams are never added. A sub-SLS of the frame counts as reported by a stream if the stream tells of a family there, or
in what the sub-SLS was split or merged from; as finished if it tells of as many families as the frame expects there.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.stream_kinds import DOCUMENTS
from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.as_of import AS_OF, AsOf, newest_total
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.measures.denominators import related_places
from regsosek.statistics.streams.clocks import Clock, streams

_SHARES = ("subsls_reported_of_frame", "subsls_finished_of_frame", "stream_of_frame")
_PHOTO_SHARES = ("photo_coverage",)
_COUNTS = ("stream_families", "subsls_reported", "subsls_finished")
_LEVELS = ("nasional", "provinsi", "kabkota")

# One look into the key for each place, as for the totals of K.
_STREAMED = """
streamed AS (
    SELECT p.province, p.id_subsls, p.stream, t.families, t.poor, t.photographed
    FROM mart.stream_place p JOIN as_of a USING (province)
    CROSS JOIN LATERAL (
        SELECT * FROM mart.stream_total t
        WHERE t.province = p.province AND t.stream = p.stream AND t.id_subsls = p.id_subsls AND t.night <= a.last_night
        ORDER BY t.night DESC LIMIT 1
    ) t
)"""
_KNOWN = f"""
known (province, code, stream, families, entered) AS (
    SELECT p.province, p.placed_code, 'k', t.visited, false
    FROM mart.placement p JOIN as_of a USING (province)
    JOIN {newest_total("p.province", "p.placed_code", "a.last_night", placed=True)} t ON true
    UNION ALL
    SELECT province, id_subsls, stream, families, false FROM streamed
    UNION ALL
    SELECT province, id_subsls, 'rekap_vk', coalesce(families, 0), families IS NOT NULL OR not_found
    FROM (SELECT DISTINCT ON (v.province, v.id_subsls) v.*
          FROM mart.verified v JOIN as_of a ON a.province = v.province AND v.night <= a.last_night
          JOIN reference.subsls s ON s.province = v.province AND s.id_subsls = v.id_subsls
               AND :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
          ORDER BY v.province, v.id_subsls, v.night DESC) newest
)"""
_DESA_OF = """
desa_of AS (
    SELECT DISTINCT ON (province, id_subsls) province, id_subsls AS code, id_desa FROM reference.subsls
    ORDER BY province, id_subsls, valid_from DESC
)"""
_REGION_OF_KNOWN = """
    LEFT JOIN desa_of d ON d.province = k.province AND d.code = k.code
    LEFT JOIN reference.region desa ON desa.code = d.id_desa
    LEFT JOIN reference.region own ON own.code = k.code"""

_SIDE_BY_SIDE = f"""
WITH {AS_OF}, {_STREAMED}, {_KNOWN}, {_DESA_OF},
related AS (SELECT * FROM unnest(CAST(:members AS text[]), CAST(:roots AS text[])) AS l (code, root)),
told AS (
    SELECT k.province, coalesce(l.root, k.code) AS root, k.stream, sum(k.families) AS families,
           bool_or(k.entered) AS entered
    FROM known k LEFT JOIN related l USING (code) GROUP BY 1, 2, 3
),
framed AS (
    SELECT s.province, s.id_desa, s.id_subsls, coalesce(l.root, s.id_subsls) AS root,
           sum(s.families_load) OVER (PARTITION BY s.province, coalesce(l.root, s.id_subsls)) AS load
    FROM reference.subsls s LEFT JOIN related l ON l.code = s.id_subsls
    WHERE :night BETWEEN s.valid_from AND coalesce(s.valid_to, 'infinity')
),
own AS (
    SELECT coalesce(desa.code, own.code, k.province) AS region, k.stream, k.families, 0 AS reported, 0 AS finished
    FROM known k
    {_REGION_OF_KNOWN}
    UNION ALL
    SELECT f.id_desa, t.stream, 0, (t.families > 0 OR t.entered)::int,
           CASE t.stream WHEN 'rekap_vk' THEN t.entered ELSE t.families >= f.load END::int
    FROM framed f JOIN told t ON t.province = f.province AND t.root = f.root
    WHERE f.load > 0
)
SELECT a.ancestor_code AS code, own.stream, sum(own.families)::bigint AS stream_families,
       sum(own.reported)::bigint AS subsls_reported, sum(own.finished)::bigint AS subsls_finished
FROM own JOIN reference.region_ancestor a ON a.code = own.region
JOIN reference.region r ON r.code = a.ancestor_code AND r.level IN ('nasional', 'provinsi', 'kabkota')
GROUP BY a.ancestor_code, own.stream
"""

_BESIDE = f"""
WITH {AS_OF}, {_STREAMED}, {_KNOWN}, {_DESA_OF}
SELECT a.ancestor_code AS code, k.stream, sum(k.families)::bigint AS families
FROM known k
{_REGION_OF_KNOWN}
JOIN reference.region_ancestor a ON a.code = coalesce(desa.code, own.code, k.province)
WHERE k.stream <> :documents AND a.ancestor_code = ANY(:codes)
GROUP BY 1, 2 HAVING sum(k.families) > 0
"""
_PHOTOS = f"""
WITH {AS_OF}, {_STREAMED}, {_DESA_OF}
SELECT u.ancestor_code AS code, sum(s.poor)::bigint AS tags_poor, sum(s.photographed)::bigint AS tags_photographed
FROM streamed s JOIN desa_of d ON d.province = s.province AND d.code = s.id_subsls
JOIN reference.region_ancestor u ON u.code = d.id_desa
JOIN reference.region r ON r.code = u.ancestor_code AND r.level IN ('nasional', 'provinsi', 'kabkota')
WHERE s.stream = 'geotag' GROUP BY u.ancestor_code
"""


def side_by_side(
    connection: Connection,
    as_of: AsOf,
    regions: pd.DataFrame,
    clocks: Mapping[str, Mapping[str, Clock]],
    opens: Mapping[str, date],
) -> pd.DataFrame:
    """One row per region down to kab/kota and stream that any of its provinces delivers; by code, then stream.

    Columns: ``code, name, level, province, stream``; ``stream_families, subsls_reported, subsls_finished``, of
    ``subsls_frame`` and ``frame_families`` with version and coverage; shares; its clock ``stream_night,
    stream_through, stream_lag, stream_provinces`` (of the nation the clock of the province that lags most). No day
    before the field work began is complete: ``stream_through`` is missing then. A kab/kota of which a stream has no
    family has no clock of it.

    Args:
        regions: with denominators (``statistics.denominators``).
        clocks: of each province and stream (``clocks.clocks_as_of``).
        opens: of each province the first day of its field work.
    """
    related = related_places(connection, as_of.night)
    parameters = {**as_of.parameters, "members": list(related), "roots": list(related.values())}
    counted = pd.read_sql_query(text(_SIDE_BY_SIDE), connection, params=parameters)
    columns = ["code", "name", "level", "province", "subsls_frame", "frame_families", "frame_version", "frame_coverage"]
    upper = regions.loc[regions["level"].isin(_LEVELS), columns]
    rows = [own for stream in streams() for own in _clock_rows(upper, stream, clocks, as_of, opens)]
    timed = pd.DataFrame(rows, columns=["code", "stream", *_CLOCK_COLUMNS]).astype({"stream_lag": "Int64"})
    merged = timed.merge(upper, on="code").merge(counted, on=["code", "stream"], how="left")
    merged[list(_COUNTS)] = merged[list(_COUNTS)].fillna(0).astype("int64")
    # A province's deliveries say nothing of when a kab/kota sent that none of their rows is of.
    silent = (merged["level"] == "kabkota") & (merged["stream_families"] == 0)
    merged.loc[silent, list(_OF_DELIVERIES)] = None
    order = {stream: place for place, stream in enumerate(streams())}
    merged = merged.assign(place=merged["stream"].map(order)).sort_values(["code", "place"], ignore_index=True)
    return with_shares(merged, _SHARES)


def families_beside(connection: Connection, as_of: AsOf, codes: Collection[str]) -> dict[str, dict[str, int]]:
    """Counts the families that the streams beside the documents tell of, by region of ``codes`` and stream.

    A region or stream without any is absent; streams come in the order of ``contract/streams.csv``.
    """
    asked = {**as_of.parameters, "codes": list(codes), "documents": DOCUMENTS}
    counted = {(row.code, row.stream): row.families for row in connection.execute(text(_BESIDE), asked)}
    beside = {code: {s: counted[code, s] for s in streams() if (code, s) in counted} for code in codes}
    return {code: families for code, families in beside.items() if families}


_OF_DELIVERIES = ("stream_night", "stream_through", "stream_lag")
_CLOCK_COLUMNS = (*_OF_DELIVERIES, "stream_provinces")


def _clock_rows(
    regions: pd.DataFrame,
    stream: str,
    clocks: Mapping[str, Mapping[str, Clock]],
    as_of: AsOf,
    opens: Mapping[str, date],
) -> list[dict[str, Any]]:
    """Of each region with a clock of this stream its code and clock."""
    known = {code: own[stream] for code, own in clocks.items() if stream in own}
    rows = []
    for code, province in zip(regions["code"], regions["province"], strict=True):
        own = known if code == NATION else {province: known[province]} if province in known else {}
        if own:
            slowest = min(own.values(), key=lambda clock: clock.last)
            rows.append({
                "code": code, "stream": stream, "stream_night": slowest.last,
                "stream_through": _complete_through(own, opens), "stream_lag": slowest.lag(as_of.night),
                "stream_provinces": len(own),
            })  # fmt: skip
    return rows


def _complete_through(clocks: Mapping[str, Clock], opens: Mapping[str, date]) -> date | None:
    """The last day that the stream has told everything about in all these provinces; none if one has no such day."""
    through = [clock.complete_through(opens[province]) for province, clock in clocks.items()]
    known = [day for day in through if day is not None]
    return min(known) if len(known) == len(through) else None


def photo_coverage(connection: Connection, as_of: AsOf, regions: pd.DataFrame) -> pd.DataFrame:
    """One row per region down to kab/kota with standing tags of poor and very poor families, by code.

    Columns: ``code, name, level, province, tags_poor, tags_photographed, photo_coverage``.
    """
    counted = pd.read_sql_query(text(_PHOTOS), connection, params=as_of.parameters)
    merged = regions[["code", "name", "level", "province"]].merge(counted[counted["tags_poor"] > 0], on="code")
    return with_shares(merged.sort_values("code", ignore_index=True), _PHOTO_SHARES)
