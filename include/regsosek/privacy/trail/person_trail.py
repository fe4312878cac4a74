"""The trail of one person's data: who saw its case and what became of it, asked when it is wanted.

Access stands in the trail (``access_trail.py``). Processing is not written twice: log, ledger, reasons and releases
say it, by the keys that they are indexed by. A person is found by the case (a family's document within its province),
or by NIK or KK number, which may stand in several cases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from regsosek.errors import ConfigurationError
from regsosek.privacy.trail.access_trail import case_key, key_id
from regsosek.privacy.trail.ways import ways
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.hashes.hash_keys import keys_in_use
from regsosek.wording.nouns import counted

Number = Literal["nik", "kk"]


@dataclass(frozen=True)
class AccessLine:
    """An access: who, by which right, when, how, to do what.

    Attributes:
        provinces: those that the account could read.
        named: whether the entry names this very case; else the login could read all cases of the province then.
        until: until when it could, if it does not name the case.
    """

    at: datetime
    account: str
    role: str
    provinces: tuple[str, ...]
    way: str
    told: str
    reason: str
    named: bool
    until: datetime | None = None

    @property
    def act(self) -> str:
        """``read``, ``handed on`` or ``looked up``."""
        return ways()[self.way].act

    @property
    def why(self) -> str:
        """The reader's own reason, else the purpose of the way."""
        return self.reason or ways()[self.way].purpose


@dataclass(frozen=True)
class ProcessingLine:
    """A step of processing: when, what, of which delivery, and what it rests on; without any value."""

    at: datetime | None
    night: date | None
    step: str
    delivery_id: str
    told: str


@dataclass(frozen=True)
class CaseTrail:
    """All that is known of one case.

    Attributes:
        kept: what the warehouse holds of it now, by table, in rows.
        unknown_keys: entries of the trail that were made by a key that is not given here.
    """

    province: str
    case_id: str
    accesses: tuple[AccessLine, ...]
    processing: tuple[ProcessingLine, ...]
    kept: dict[str, int]
    unknown_keys: int


_ENTRY = "a.at, a.account, a.role, a.provinces, a.way, a.told, a.reason"
_NAMED = f"""
SELECT {_ENTRY} FROM ledger.access_case c JOIN ledger.access a ON a.id = c.access_id
WHERE c.province = :province AND c.case_key = ANY(:keys) ORDER BY a.at
"""
# What a login of SQL read is not known by row: it could read every case of its provinces that was there.
_OPENED = f"""
SELECT {_ENTRY}, a.at + reference.reading_lasts() AS until FROM ledger.access a
WHERE a.way = 'sql' AND :province = ANY(a.provinces) AND a.at + reference.reading_lasts() >= :since ORDER BY a.at
"""
_OTHER_KEYS = "SELECT count(*) FROM ledger.access WHERE key_id <> ALL(:known)"
_REVISIONS = """
SELECT k.night, k.delivery_id, k.part, k.row_no, k.versi, k.status, d.producer, d.registered_at,
       coalesce(d.decided_at, d.registered_at) AS decided_at,
       (SELECT string_agg(DISTINCT r.rule_id, ' ' ORDER BY r.rule_id) FROM quality.reason r
        WHERE r.province = k.province AND r.night = k.night AND r.delivery_id = k.delivery_id AND r.part = k.part
              AND r.case_id = k.case_id) AS rules
FROM core.kasus k JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id
     AND d.reason IS DISTINCT FROM 'id_reused'
WHERE k.province = :province AND k.case_id = ANY(:cases) ORDER BY d.registered_at, k.night, k.part, k.row_no
"""
_EVENTS = """
SELECT at, night, kind, delivery_id, detail ->> 'by' AS by, detail ->> 'reason' AS reason FROM ledger.event
WHERE province = :province AND delivery_id = ANY(:deliveries) ORDER BY at
"""
_REQUESTS = """
SELECT at, kind, by, reason, request, lifted_at, lifted_by, lift_reason FROM ledger.case_request
WHERE province = :province AND case_id = ANY(:cases) ORDER BY at
"""
_PUBLISHED = """
SELECT min(first_published_at) AS first, max(published_at) AS last, count(*) AS releases, min(night) AS night
FROM release.release WHERE night >= :night AND published_at IS NOT NULL
"""
_NOW = """
SELECT state || coalesce(', newest revision ' || waiting, '') FROM core.kasus_terkini
WHERE province = :province AND case_id = ANY(:cases)
"""
_KEPT = """
WITH own AS (
    SELECT province, night, delivery_id, part, row_no, id_subsls, r109_no_bangunan, r110_no_keluarga FROM core.kasus
    WHERE province = :province AND case_id = ANY(:cases)
)
SELECT (SELECT count(*) FROM core.keluarga JOIN own USING (province, night, delivery_id, part, row_no))
           AS "answers of the family",
       (SELECT count(*) FROM core.anggota a JOIN own o USING (province, night, delivery_id, part)
        WHERE a.keluarga_row = o.row_no) AS "answers of members",
       (SELECT count(*) FROM restricted.keluarga_identity JOIN own USING (province, night, delivery_id, part, row_no))
           AS "identity of the family",
       (SELECT count(DISTINCT q) FROM restricted.quarantined q JOIN own USING (province, night, delivery_id, part)
        WHERE q.case_id = ANY(:cases)) AS "rows in quarantine, as delivered",
       (SELECT count(*) FROM stream.geotag g
        WHERE g.province = :province AND (g.id_subsls, g.r109_no_bangunan, g.r110_no_keluarga) IN (
            SELECT id_subsls, r109_no_bangunan, r110_no_keluarga FROM own)) AS "points on the map"
"""


def require_reader(connection: Connection) -> None:
    """Lets whoever may read the trail go on.

    Raises:
        ConfigurationError: the account may not.
    """
    if not connection.execute(text("SELECT has_table_privilege('ledger.access', 'SELECT')")).scalar_one():
        raise ConfigurationError(
            "only the warehouse's owner reads the trail: run this where REGSOSEK_WAREHOUSE_OWNER_URL is set, on a "
            "server by `docker compose run --rm command regsosek ...`"
        )


def trail_of_case(
    connection: Connection, keys: Sequence[bytes], province: str, case_id: str, mark: str | None = None
) -> CaseTrail:
    """Everything that is known of a case; by the account of the warehouse's owner.

    Args:
        keys: of the trail, the one in use first.
        mark: the name that the case has since it was erased.
    """
    cases = [case_id, *([mark] if mark else [])]
    steps = tuple(_processing(connection, province, cases))
    begun = min((step.at for step in steps if step.at), default=None)
    known = {"known": [key_id(key) for key in keys]}
    return CaseTrail(
        province,
        case_id,
        tuple(_accesses(connection, keys, province, cases, begun)),
        steps,
        dict(connection.execute(text(_KEPT), {"province": province, "cases": cases}).mappings().one()),
        connection.execute(text(_OTHER_KEYS), known).scalar_one(),
    )


def _accesses(
    connection: Connection, keys: Sequence[bytes], province: str, cases: Sequence[str], begun: datetime | None
) -> Iterator[AccessLine]:
    asked = {"province": province, "keys": [case_key(key, province, case) for key in keys for case in cases]}
    for row in connection.execute(text(_NAMED), asked).mappings():
        yield AccessLine(**{**row, "provinces": tuple(row["provinces"])}, named=True)
    if begun is not None:
        for row in connection.execute(text(_OPENED), {"province": province, "since": begun}).mappings():
            yield AccessLine(**{**row, "provinces": tuple(row["provinces"])}, named=False)


def _processing(connection: Connection, province: str, cases: Sequence[str]) -> Iterator[ProcessingLine]:
    named = {"province": province, "cases": list(cases)}
    rows = connection.execute(text(_REVISIONS), named).all()
    for row in rows:
        where = f"part {row.part}, row {row.row_no}, revision {row.versi}; producer {row.producer or 'not named'}"
        yield ProcessingLine(row.registered_at, row.night, "received", row.delivery_id, where)
        rules = f"rules {row.rules}" if row.rules else ""
        yield ProcessingLine(row.decided_at, row.night, row.status, row.delivery_id, rules)
    deliveries = list(dict.fromkeys(row.delivery_id for row in rows))
    for event in connection.execute(text(_EVENTS), {"province": province, "deliveries": deliveries}):
        told = "; ".join(filter(None, (event.by, event.reason)))
        yield ProcessingLine(event.at, event.night, event.kind, event.delivery_id, told)
    counted = [row.night for row in rows if row.status in {"loaded", "quarantined"}]
    if counted:
        yield from _published(connection, min(counted))
    for request in connection.execute(text(_REQUESTS), named):
        yield from _requested(request)
    for state in connection.execute(text(_NOW), named).scalars():
        yield ProcessingLine(None, None, "stands now", "", state)


def _requested(row: Any) -> Iterator[ProcessingLine]:
    yield ProcessingLine(row.at, None, row.kind, "", f"{row.by}; request {row.request}; {row.reason}")
    if row.lifted_at:
        yield ProcessingLine(row.lifted_at, None, "lifted", "", f"{row.lifted_by}; {row.lift_reason}")


def _published(connection: Connection, night: date) -> Iterator[ProcessingLine]:
    found = connection.execute(text(_PUBLISHED), {"night": night}).one()
    if found.releases:
        releases = counted(found.releases, "release", "releases")
        told = f"{releases} to {found.last.astimezone(UTC):%Y-%m-%d %H:%M} UTC, as one of a count"
        yield ProcessingLine(found.first, found.night, "published", "", told)


# Members and families by the keyed hash; those in quarantine lie as they were delivered.
_BY_NUMBER = {
    "nik": """
SELECT k.id_dokumen AS case_id FROM core.anggota a JOIN core.keluarga k
    ON (k.province, k.night, k.delivery_id, k.part, k.row_no)
     = (a.province, a.night, a.delivery_id, a.part, a.keluarga_row)
WHERE a.province = :province AND a.nik_hash = :hashed
UNION SELECT case_id FROM restricted.quarantined
WHERE province = :province AND dataset = 'anggota' AND payload ->> 'r403_nik' = :number
""",
    "kk": """
SELECT id_dokumen AS case_id FROM core.keluarga WHERE province = :province AND kk_hash = :hashed
UNION SELECT case_id FROM restricted.quarantined
WHERE province = :province AND dataset = 'keluarga' AND payload ->> 'r114_no_kk' = :number
""",
}


def cases_of_number(connection: Connection, keys: HashKeys, province: str, kind: Number, number: str) -> list[str]:
    """The cases of ``province`` in which a NIK or KK number stands; it is compared by its keyed hash.

    A NIK may stand in several: a person is counted where somebody enumerated it, and may have been twice.
    """
    hashed = hashed_on(number.encode(), keys_in_use(connection, province, keys))
    asked: dict[str, Any] = {"province": province, "hashed": hashed, "number": number}
    return sorted(connection.execute(text(_BY_NUMBER[kind]), asked).scalars())
