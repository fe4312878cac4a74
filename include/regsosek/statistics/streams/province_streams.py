"""What the streams of a province say as of a night, read from the warehouse: what :mod:`reconciliation` compares."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.statistics.definitions.as_of import AsOf, last_refreshed
from regsosek.statistics.measures.denominators import related_places
from regsosek.statistics.streams.clocks import Clocks, clocks_as_of
from regsosek.statistics.streams.reconciliation import DAY_COUNTS, ProvinceStreams

# A document that was withdrawn, or dropped by a delivery that supersedes another, did arrive: nobody must look for it.
_DAYS = """
SELECT placed_code AS code, enumerated_on AS day,
       sum(visited) - least(coalesce(sum(visited) FILTER (WHERE cause IN ('withdrawn', 'superseded')), 0), 0)
           AS arrived,
       0 AS reported, 0 AS verified, 0 AS messages, 0 AS tagged, 0 AS without_document
FROM mart.change WHERE province = :province AND night <= :night GROUP BY placed_code, enumerated_on
UNION ALL
SELECT id_subsls, told_on, 0, coalesce(sum(families) FILTER (WHERE stream = 'progres'), 0), sum(verified),
       coalesce(sum(messages) FILTER (WHERE stream = 'progres'), 0),
       coalesce(sum(families) FILTER (WHERE stream = 'geotag'), 0), sum(without_document)
FROM mart.stream_day WHERE province = :province AND night <= :night GROUP BY id_subsls, told_on
"""
_LISTS = """
SELECT f.id_subsls AS code, coalesce(v.families, 0) AS families,
       coalesce(v.families IS NOT NULL OR v.not_found, false) AS entered
FROM (SELECT DISTINCT id_subsls FROM reference.subsls
      WHERE province = :province AND :night BETWEEN valid_from AND coalesce(valid_to, 'infinity')) f
LEFT JOIN LATERAL (SELECT * FROM mart.verified v WHERE v.province = :province AND v.id_subsls = f.id_subsls
                   AND v.night <= :night ORDER BY v.night DESC LIMIT 1) v ON true
"""
_KNOWN = "SELECT DISTINCT id_subsls FROM reference.subsls WHERE province = :province"


def told_as_of(
    connection: Connection, province: str, night: date, closes: date, clocks: Clocks, related: Mapping[str, str]
) -> ProvinceStreams:
    """What the streams of ``province`` say as of ``night``.

    Args:
        closes: the last day of its field work.
        related: of codes that changed, one of all that they are related to (``denominators.related_places``).
    """
    own: dict[str, Any] = {"province": province, "night": night}
    days = pd.read_sql_query(text(_DAYS), connection, params=own)
    lists = pd.read_sql_query(text(_LISTS), connection, params=own)
    known = set(connection.execute(text(_KNOWN), own).scalars())
    mixed = {related.get(code, code) for code in (*related, *days["code"]) if code not in known}
    counted = _by_root(days, related).groupby(["code", "day"], as_index=False)[list(DAY_COUNTS)].sum()
    entered = _by_root(lists, related).groupby("code", as_index=False).agg({"families": "sum", "entered": "all"})
    return ProvinceStreams(
        days=counted.astype(dict.fromkeys(DAY_COUNTS, "int64")),
        lists=entered.astype({"families": "int64", "entered": "bool"}),
        mixed=frozenset(mixed),
        closes=closes,
        clocks=clocks,
    )


def told_of_night(
    connection: Connection, province: str, night: date, window: FieldWindow
) -> tuple[ProvinceStreams, date]:
    """What the streams say as of the last good night of ``province`` up to ``night``, and which night that is."""
    stands = last_refreshed(connection, night).nights.get(province, night)
    clocks = clocks_as_of(connection, AsOf(stands, {province: stands}))[province]
    related = related_places(connection, stands)
    return told_as_of(connection, province, stands, window.closing(stands), clocks, related), stands


def _by_root(frame: pd.DataFrame, related: Mapping[str, str]) -> pd.DataFrame:
    return frame.assign(code=[related.get(code, code) for code in frame["code"]])
