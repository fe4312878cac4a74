"""The weekly audit: everything that stands published, from the log and from the archived files, province by province.

Every night proves what it changed (``audit.py``). This proves the whole: what each place, day and region counts is
computed from all cases of the log at once, and compared with the sum of the changes, with the totals, and with the
published tables; and what the province counts is read from every archived file (``full_reading.py``).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.errors import AuditError
from regsosek.geography.regions import NATION
from regsosek.landing.store import Store
from regsosek.release.figures.disclosure import OPEN, RESULTS
from regsosek.release.files.tables import REGION_TABLES
from regsosek.release.rereading.archived_cases import Archive
from regsosek.release.rereading.full_reading import read_whole
from regsosek.statistics.counts.changes import COUNTED_OF_CASE
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.cases.case_state import ALL_ACCEPTED, case_state_as_of
from regsosek.warehouse.nights.lost_nights import lost_nights, told_lost
from regsosek.warehouse.tables import PROGRESS_MEASURES, each_measure, full_audit, published_release

SHOWN = 5


_RECOUNT = f"""
CREATE TEMP TABLE recounted ON COMMIT DROP AS
WITH states AS ({case_state_as_of("night", ALL_ACCEPTED)})
SELECT placed_code, enumerated_on, {each_measure("sum({0})::bigint AS {0}")}
FROM (SELECT placed_code, enumerated_on, {COUNTED_OF_CASE} FROM states) cases GROUP BY 1, 2
"""

_REGIONS = f"""
SELECT a.ancestor_code AS code, {each_measure("sum(c.{0})::bigint AS {0}")}
FROM recounted c
LEFT JOIN LATERAL (
    SELECT id_desa FROM reference.subsls s WHERE s.province = :province AND s.id_subsls = c.placed_code
    ORDER BY valid_from DESC LIMIT 1
) f ON true
LEFT JOIN reference.region desa ON desa.code = f.id_desa
LEFT JOIN reference.region own ON own.code = c.placed_code
JOIN reference.region_ancestor a ON a.code = coalesce(desa.code, own.code, :province)
JOIN reference.region r ON r.code = a.ancestor_code AND r.level <> 'nasional'
GROUP BY 1
"""


def _newest(table: str, code: str, condition: str) -> str:
    return (
        f"SELECT DISTINCT ON ({code}) {code}::text AS code, {each_measure('{}')} FROM mart.{table} "
        f"WHERE province = :province AND night <= :night AND {condition} ORDER BY {code}, night DESC"
    )


def _recounted_by(code: str) -> str:
    return f"SELECT {code} AS code, {each_measure('sum({0})::bigint AS {0}')} FROM recounted GROUP BY 1"


_PLACE_AND_DAY = "placed_code || ' on ' || enumerated_on"
# What is compared: its name, as counted again, and as it stands.
_COMPARED = {
    "changes of place": (
        _recounted_by(_PLACE_AND_DAY),
        f"SELECT {_PLACE_AND_DAY} AS code, {each_measure('sum({0})::bigint AS {0}')} FROM mart.change "
        "WHERE province = :province AND night <= :night GROUP BY 1",
    ),
    "total of place": (_recounted_by("placed_code"), _newest("total", "code", "placed")),
    "day": (_recounted_by("enumerated_on::text"), _newest("province_day", "enumerated_on", "true")),
    "total of region": (_REGIONS, _newest("total", "code", "NOT placed")),
}
_DIFFERING = f"""
SELECT code, {each_measure("coalesce(a.{0}, 0) AS again_{0}, coalesce(s.{0}, 0) AS stands_{0}")},
       count(*) OVER () AS differing
FROM ({{again}}) a FULL JOIN ({{stands}}) s USING (code)
WHERE ({each_measure("coalesce(a.{0}, 0)")}) <> ({each_measure("coalesce(s.{0}, 0)")})
ORDER BY code LIMIT :shown
"""
_OF_PROVINCE = "SELECT code FROM reference.region_ancestor WHERE ancestor_code = :province"


@dataclass(frozen=True)
class AuditedRelease:
    """The release that is audited: its files, and the night that each province stands at in it."""

    release_id: str
    night: date
    prefix: str
    nights: Mapping[str, date]


def newest_release(connection: Connection) -> AuditedRelease:
    """The release of the newest night, as published last and not rolled back.

    Raises:
        AuditError: nothing is published yet.
    """
    table = published_release.c
    query = (
        select(table.release_id, table.night, table.prefix, table.manifest["as_of"])
        .where(table.rolled_back_at.is_(None))
        .order_by(table.night.desc(), table.published_at.desc())
    )
    found = connection.execute(query.limit(1)).first()
    if found is None:
        raise AuditError("nothing is published yet; run `regsosek night` first")
    return AuditedRelease(*found[:3], nights={code: date.fromisoformat(night) for code, night in found[3].items()})


def audit_province(
    connection: Connection, archive: Archive, release_bucket: str, standing: AuditedRelease, province: str
) -> tuple[str, ...]:
    """What does not hold of ``province`` in the release; in one transaction, so that a night cannot come between."""
    own: dict[str, Any] = {"province": province, "night": standing.nights.get(province, date.min)}
    connection.execute(text(_RECOUNT), own)
    faults = [told_lost(code, nights) for code, nights in lost_nights(connection, province).items()]
    faults += [fault for what in _COMPARED for fault in _differences(connection, what, own)]
    regions = _read(connection, _REGIONS, own)
    codes = set(connection.execute(text(_OF_PROVINCE), own).scalars())
    published = published_figures(archive.files.store, release_bucket, standing)
    faults += _published_faults(province, published, regions, codes)
    try:
        read = read_whole(connection, archive, province, own["night"])
    except AuditError as error:
        return (*faults, str(error))
    logged = regions.reindex([province], fill_value=0).to_dict("records")[0]
    faults += [
        f"province {province}: {name} is {logged[name]} by the log, {figure} by the archived files"
        for name, figure in asdict(read).items()
        if logged[name] != figure
    ]
    return tuple(faults)


def nation_faults(store: Store, release_bucket: str, standing: AuditedRelease) -> tuple[str, ...]:
    """What does not hold of the nation: it must be the sum of its provinces as published."""
    published = published_figures(store, release_bucket, standing)
    return tuple(
        f"nation: {measure} is {nation[NATION]} in nasional.csv, {sum(of_province.values())} in provinsi.csv"
        for (table, measure), nation in published.items()
        if table == "nasional.csv"
        for of_province in [published["provinsi.csv", measure]]
        if NATION in nation and nation[NATION] != sum(of_province.values())
    )


def published_figures(store: Store, bucket: str, standing: AuditedRelease) -> dict[tuple[str, str], dict[str, int]]:
    """What the tables of regions say: by table and measure, figures by code.

    Cells without one are left out, and results that are not told as of the night (``release/figures/disclosure.py``):
    each is counted again in the week in which it is.

    Raises:
        AuditError: a file of the release is gone.
    """
    names = {field: each.column for field, each in definitions().items()}
    found: dict[tuple[str, str], dict[str, int]] = {}
    for table, (_, fields) in REGION_TABLES.items():
        size = store.size(bucket, standing.prefix + table)
        content = None if size is None else store.get_bytes(bucket, standing.prefix + table, max_bytes=size)
        if content is None:
            raise AuditError(f"{bucket}/{standing.prefix}{table} is gone; publish night {standing.night} again")
        rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        as_of_night = [row for row in rows if row.get(names["disclosure_status"], OPEN) == OPEN]
        for measure in set(fields) & set(PROGRESS_MEASURES):
            told = as_of_night if measure in RESULTS else rows
            column = names[measure]
            found[table, measure] = {row[names["code"]]: int(row[column]) for row in told if row[column]}
    return found


def note(connection: Connection, release_id: str, province: str, faults: tuple[str, ...]) -> None:
    """Records what the audit of ``province`` found; a later one replaces it."""
    values = {"faults": list(faults), "at": text("now()")}
    statement = insert(full_audit).values(release_id=release_id, province=province, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["release_id", "province"], set_=values))


def noted(connection: Connection, release_id: str) -> dict[str, tuple[str, ...]]:
    """What the audit of a release found, by province; those not audited yet are absent."""
    query = select(full_audit.c.province, full_audit.c.faults).filter_by(release_id=release_id)
    return {row.province: tuple(row.faults) for row in connection.execute(query.order_by(full_audit.c.province))}


def _read(connection: Connection, query: str, own: Mapping[str, Any]) -> pd.DataFrame:
    return pd.read_sql_query(text(query), connection, params=dict(own)).set_index("code").astype("int64")


def _differences(connection: Connection, what: str, own: Mapping[str, Any]) -> Iterator[str]:
    again, stands = _COMPARED[what]
    query = _DIFFERING.format(again=again, stands=stands)
    for place, row in enumerate(connection.execute(text(query), {**own, "shown": SHOWN}).mappings()):
        for measure in PROGRESS_MEASURES:
            stood, counted = row[f"stands_{measure}"], row[f"again_{measure}"]
            if stood != counted:
                yield f"province {own['province']}, {what} {row['code']}: {measure} is {stood}, counted again {counted}"
        if place == SHOWN - 1 and row["differing"] > SHOWN:
            yield f"province {own['province']}, {what}: {row['differing'] - SHOWN} more differ"


def _published_faults(
    province: str, published: Mapping[tuple[str, str], Mapping[str, int]], regions: pd.DataFrame, codes: set[str]
) -> Iterator[str]:
    for (table, measure), figures in sorted(published.items()):
        counted = regions[measure].to_dict()
        wrong = {code: shown for code, shown in figures.items() if code in codes and shown != counted.get(code, 0)}
        for code in sorted(wrong)[:SHOWN]:
            yield (
                f"province {province}, {table}: {measure} of {code} is published as {wrong[code]}, "
                f"counted again {counted.get(code, 0)}"
            )
        if len(wrong) > SHOWN:
            yield f"province {province}, {table}: {measure} differs in {len(wrong) - SHOWN} more regions"
