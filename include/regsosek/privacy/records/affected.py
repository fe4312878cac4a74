"""The cases that an incident touched: found by the trail of access, by deliveries, or by province, and counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, text

from regsosek.contract.codebook import DATASETS
from regsosek.contract.instruments import QUESTIONNAIRE, datasets_of
from regsosek.privacy.records.categories import ADULT, Category, categories, categories_of, columns_of_roles
from regsosek.privacy.records.incident import Incident
from regsosek.privacy.trail.access_trail import EVERYWHERE, case_key

KEYS = ("keys",)
AT_ONCE = 20_000


@dataclass(frozen=True)
class AffectedProvince:
    """What of a province was exposed: cases as they stand, persons in them, and children among these."""

    province: str
    deliveries: int
    cases: int
    persons: int
    children: int


@dataclass(frozen=True)
class Affected:
    """What was exposed altogether.

    Attributes:
        accesses: entries of the trail by way, with the first and the last.
        outside: deliveries that were not taken in (held, rejected, not read yet), and the families that were counted in
            them: no row of theirs is here, so who they are stands in their files alone.
        unnamed: cases of entries that are none of the questionnaire, or were hashed by a key that is not at hand.
    """

    provinces: tuple[AffectedProvince, ...]
    categories: tuple[Category, ...]
    accesses: tuple[tuple[str, int, datetime, datetime], ...]
    unnamed: int
    outside: tuple[int, int] = (0, 0)

    def total(self, field: str) -> int:
        """A sum over the provinces."""
        return sum(getattr(each, field) for each in self.provinces)


_OPEN = "CREATE TEMP TABLE affected (province text, case_id text, PRIMARY KEY (province, case_id)) ON COMMIT DROP"
_OF_PROVINCES = """
INSERT INTO affected SELECT province, case_id FROM core.kasus_terkini
WHERE province = ANY(:provinces) ON CONFLICT DO NOTHING
"""
_DELIVERIES = """
SELECT province, delivery_id, coalesce(instrument, :questionnaire) AS instrument, instrument_version AS version
FROM ledger.delivery
WHERE (delivery_id = ANY(:deliveries) OR EXISTS (SELECT 1 FROM unnest(CAST(:prefixes AS text[])) p WHERE
           starts_with(prefix, p) OR starts_with(p, prefix)))
      AND (cardinality(CAST(:provinces AS text[])) = 0 OR province = ANY(:provinces))
      AND reason IS DISTINCT FROM 'id_reused'
"""
_OF_DELIVERIES = """
INSERT INTO affected SELECT DISTINCT k.province, k.case_id FROM core.kasus k
JOIN unnest(CAST(:provinces AS text[]), CAST(:deliveries AS text[])) AS d (province, delivery_id)
     USING (province, delivery_id) ON CONFLICT DO NOTHING
"""
_OUTSIDE = """
SELECT count(DISTINCT (d.province, d.delivery_id)) AS deliveries, coalesce(sum(c.received), 0)::bigint AS families
FROM ledger.delivery d
JOIN unnest(CAST(:provinces AS text[]), CAST(:deliveries AS text[])) AS own (province, delivery_id)
     USING (province, delivery_id)
LEFT JOIN ledger.delivery_count c ON c.province = d.province AND c.delivery_id = d.delivery_id
     AND c.delivered_on = d.delivered_on AND c.dataset = 'keluarga'
WHERE d.state <> 'accepted'
"""
_ENTRIES = """
SELECT id, at, role, provinces, way FROM ledger.access
WHERE at >= :began AND at <= :ended
      AND (cardinality(CAST(:accounts AS text[])) = 0 OR account = ANY(:accounts))
      AND (cardinality(CAST(:ways AS text[])) = 0 OR way = ANY(:ways))
      AND (cardinality(CAST(:provinces AS text[])) = 0 OR provinces && CAST(:provinces_or_all AS text[]))
ORDER BY at
"""
# A session of SQL that was opened before may have read until it ended.
_SESSIONS = _ENTRIES.replace("at >= :began", "way = 'sql' AND at + reference.reading_lasts() >= :began AND at < :began")
_SEEN = """
SELECT DISTINCT province, case_key FROM ledger.access_case WHERE access_id = ANY(:entries)
AND (cardinality(CAST(:provinces AS text[])) = 0 OR province = ANY(:provinces)) ORDER BY province
"""
_IDS = "SELECT case_id FROM core.kasus_terkini WHERE province = :province"
_NAMED = """
INSERT INTO affected SELECT :province, case_id FROM unnest(CAST(:cases AS text[])) AS case_id ON CONFLICT DO NOTHING
"""
# Of a family that was withdrawn the answers of before are kept: persons are the most that any revision names. Children
# are those of the revision that speaks for the case. No index leads from a family to its members: they
# are joined at once, not looked for case by case.
_COUNTED = f"""
WITH spoken AS (
    SELECT province, case_id, night, delivery_id, part, row_no FROM affected
    LEFT JOIN core.kasus_terkini t USING (province, case_id)
),
minors AS (
    SELECT s.province, count(*) AS children FROM spoken s
    JOIN core.anggota a ON a.province = s.province AND a.night = s.night AND a.delivery_id = s.delivery_id
         AND a.part = s.part AND a.keluarga_row = s.row_no
    WHERE a.r407_umur < {ADULT} GROUP BY s.province
)
SELECT s.province, count(DISTINCT s.delivery_id) AS deliveries, count(*) AS cases,
       coalesce(sum(k.members), 0)::bigint AS persons, coalesce(max(m.children), 0) AS children
FROM spoken s
LEFT JOIN LATERAL (
    SELECT max(members) AS members FROM core.kasus r WHERE r.province = s.province AND r.case_id = s.case_id
) k ON true
LEFT JOIN minors m ON m.province = s.province
GROUP BY s.province ORDER BY s.province
"""
_LISTED = """
SELECT province, case_id, t.id_subsls, t.r109_no_bangunan, t.r110_no_keluarga, t.state
FROM affected LEFT JOIN core.kasus_terkini t USING (province, case_id) ORDER BY province, case_id
"""


def find_affected(connection: Connection, keys: tuple[bytes, ...], incident: Incident) -> Affected:
    """Fills the temporary table ``affected`` with the cases that an incident touched, and counts them.

    In the caller's transaction, by the account of the warehouse's owner.

    Args:
        keys: of the trail of access, the one in use first.
    """
    connection.execute(text(_OPEN))
    scope, found = incident.scope, set[Category]()
    entries, unnamed, outside = [], 0, (0, 0)
    if scope.of_deliveries:
        taken, outside = _take_deliveries(connection, incident)
        found |= taken
    if scope.of_access:
        entries = _entries(connection, incident)
        unnamed = _take_seen(connection, keys, incident, [entry.id for entry in entries])
        _take_opened(connection, incident, entries)
        found |= _shown(entries)
    if not (scope.of_deliveries or scope.of_access):
        connection.execute(text(_OF_PROVINCES), {"provinces": scope.provinces})
        found |= set(categories_of(DATASETS))
    connection.execute(text("ANALYZE affected"))
    counted = [AffectedProvince(**row) for row in connection.execute(text(_COUNTED)).mappings()]
    stated = set(scope.categories)
    of = [each for each in categories() if (each.category in stated if stated else each in found)]
    return Affected(tuple(counted), tuple(of), tuple(_by_way(entries)), unnamed, outside)


def _take_deliveries(connection: Connection, incident: Incident) -> tuple[set[Category], tuple[int, int]]:
    scope = incident.scope
    asked = {"deliveries": scope.deliveries, "prefixes": scope.prefixes, "provinces": scope.provinces}
    rows = connection.execute(text(_DELIVERIES), {**asked, "questionnaire": QUESTIONNAIRE}).all()
    pairs = {"provinces": [row.province for row in rows], "deliveries": [row.delivery_id for row in rows]}
    connection.execute(text(_OF_DELIVERIES), pairs)
    outside = connection.execute(text(_OUTSIDE), pairs).one()
    taken = {each for row in rows for each in categories_of(_datasets(row))}
    return taken, (outside.deliveries, outside.families)


def _datasets(row: Any) -> tuple[str, ...]:
    return datasets_of(row.instrument, row.version) if row.version else DATASETS


def _entries(connection: Connection, incident: Incident) -> list[Any]:
    scope = incident.scope
    asked = {
        "began": incident.began_at, "ended": incident.ended_at, "accounts": scope.accounts, "ways": scope.ways,
        "provinces": scope.provinces, "provinces_or_all": [*scope.provinces, EVERYWHERE],
    }  # fmt: skip
    return [row for query in (_SESSIONS, _ENTRIES) for row in connection.execute(text(query), asked)]


def _take_seen(connection: Connection, keys: tuple[bytes, ...], incident: Incident, entries: list[Any]) -> int:
    """Finds the cases that entries name by keyed hash: each case of the province is hashed and looked for."""
    seen: dict[str, set[bytes]] = {}
    for row in connection.execute(text(_SEEN), {"entries": entries, "provinces": incident.scope.provinces}):
        seen.setdefault(row.province, set()).add(bytes(row.case_key))
    unnamed = 0
    for province, hashes in seen.items():
        found = 0
        for cases in _portions(_ids(connection, province, keys, hashes)):
            found += len(cases)
            connection.execute(text(_NAMED), {"province": province, "cases": cases})
        unnamed += len(hashes) - found
    return unnamed


def _ids(connection: Connection, province: str, keys: tuple[bytes, ...], hashes: set[bytes]) -> Iterator[str]:
    streamed = connection.execute(text(_IDS), {"province": province}, execution_options={"yield_per": AT_ONCE})
    for case in streamed.scalars():
        if any(case_key(key, province, case) in hashes for key in keys):
            yield case


def _portions(cases: Iterator[str]) -> Iterator[list[str]]:
    while portion := list(islice(cases, AT_ONCE)):
        yield portion


def _take_opened(connection: Connection, incident: Incident, entries: list[Any]) -> None:
    """A login of SQL may have read every case of its provinces."""
    own = {province for entry in entries if entry.way == "sql" for province in entry.provinces}
    wanted = own & set(incident.scope.provinces) if incident.scope.provinces else own
    connection.execute(text(_OF_PROVINCES), {"provinces": sorted(wanted)})


def _shown(entries: list[Any]) -> set[Category]:
    """By what entries say: keys in lists, what the roles open in SQL."""
    roles = {role for entry in entries if entry.way == "sql" for role in entry.role.split()}
    found = set(categories_of(DATASETS, columns_of_roles(roles))) if roles else set()
    return found | {each for each in categories() if entries and each.category in KEYS}


def _by_way(entries: list[Any]) -> Iterator[tuple[str, int, datetime, datetime]]:
    for way in sorted({entry.way for entry in entries}):
        moments = [entry.at for entry in entries if entry.way == way]
        yield way, len(moments), min(moments), max(moments)


def listed_by_province(connection: Connection) -> Iterator[tuple[str, list[Any]]]:
    """The cases that :func:`find_affected` found, by province, with the keys of their places."""
    found = connection.execute(text(_LISTED), execution_options={"yield_per": AT_ONCE})
    for province, rows in groupby(found, key=lambda row: row.province):
        yield province, list(rows)
