"""What waits in quarantine: families and messages of streams that a province must send again; keys and rules alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, text

from regsosek.contract.codebook import STREAMS
from regsosek.contract.stream_kinds import MESSAGES
from regsosek.warehouse.access.hidden_cases import is_shown

FAMILIES = "keluarga"
# What can wait in quarantine: a family with all its members, or a message of a stream.
QUARANTINED = (FAMILIES, *STREAMS)
if TYPE_CHECKING:
    Quarantined = str
else:  # known when the module is loaded; FastAPI refuses any other name
    Quarantined = Literal[QUARANTINED]


def without_officer(dataset: str, case_id: str) -> str:
    """What a message speaks of, for those who may not see which officer sent it."""
    key = MESSAGES[dataset].key
    parts = zip(key, case_id.split("/"), strict=False)  # an id may lack an optional column at its end
    return "/".join(part for column, part in parts if column != "kode_petugas")


@dataclass(frozen=True)
class QuarantinedCase:
    """A case that is to be corrected: its keys, and the rules that it breaks.

    Attributes:
        night: since when its newest revision waits.
        case_id: of a family its document, of a message what it speaks of, or ``?`` and its row where that is not known.
        state: ``quarantined``, or ``pending`` where an older revision stays loaded meanwhile.
        ppl: code of the officer.
    """

    province: str
    night: date
    delivery_id: str
    case_id: str
    state: str
    id_subsls: str | None
    building: int | None
    family: int | None
    ppl: str | None
    rules: tuple[str, ...]


@dataclass(frozen=True)
class WaitingByRule:
    """How many cases of a province wait because of one rule, and since when the first of them."""

    rule_id: str
    cases: int
    since: date


@dataclass(frozen=True)
class WaitingByNight:
    """How many cases of a province came into quarantine on one night and wait still, by state."""

    night: date
    state: str
    cases: int


# The newest revision of a case that is in quarantine, so that a case corrected since does not appear.
_FAMILIES = """
SELECT t.province, k.night, k.delivery_id, k.part, NULL::text AS dataset, NULL::int AS row_no, t.case_id,
       t.waiting AS state, k.id_subsls, k.r109_no_bangunan AS building, k.r110_no_keluarga AS family, k.ppl
FROM ({chosen}) t
JOIN LATERAL (
    SELECT * FROM core.kasus k
    WHERE k.province = t.province AND k.case_id = t.case_id AND k.status = 'quarantined'
    ORDER BY k.rank_versi DESC, k.produced_at DESC, k.content_hash DESC LIMIT 1
) k ON true
"""
_CHOSEN = "SELECT * FROM core.kasus_terkini WHERE waiting IS NOT NULL AND province = :province"
# Counts count every case; lists leave out those that are shown to nobody.
_LISTED = f"SELECT * FROM core.kasus_terkini w WHERE waiting IS NOT NULL AND province = :province AND {is_shown('w')}"
# By the key of the pointer, byte by byte, so that a page costs what it holds, and the order is that of its keys.
_PAGE = f'{_LISTED} AND case_id COLLATE "C" > :after ORDER BY case_id COLLATE "C" LIMIT :limit'


def _messages(dataset: str) -> str:
    """SQL: messages in quarantine that no accepted one of the same key has replaced since; the newest of each key."""
    key = ", ".join(f"m.{column}" for column in MESSAGES[dataset].key)
    places = MESSAGES[dataset].key.index("id_subsls") + 1 if "id_subsls" in MESSAGES[dataset].key else 0
    officers = MESSAGES[dataset].key.index("kode_petugas") + 1 if "kode_petugas" in MESSAGES[dataset].key else 0
    return f"""
SELECT DISTINCT ON (named) province, night, delivery_id, part, dataset, row_no, case_id, 'quarantined' AS state,
       {_part(places)} AS id_subsls, NULL::int AS building, NULL::int AS family, {_part(officers)} AS ppl
FROM (
    SELECT r.*, d.produced_at, CASE WHEN left(r.case_id, 1) = '?'
           THEN concat_ws('/', r.delivery_id, r.part, r.row_no) ELSE r.case_id END AS named
    FROM (SELECT DISTINCT province, night, delivery_id, part, dataset, row_no, case_id FROM quality.reason
          WHERE province = :province AND dataset = '{dataset}' AND severity = 'critical') r
    JOIN ledger.delivery d ON d.province = r.province AND d.delivery_id = r.delivery_id AND d.state = 'accepted'
) q
WHERE NOT EXISTS (
    SELECT 1 FROM stream.{dataset} m
    JOIN ledger.delivery d ON d.province = m.province AND d.delivery_id = m.delivery_id AND d.state = 'accepted'
    WHERE m.province = q.province AND concat_ws('/', {key}) = q.case_id
      AND (m.produced_at, m.delivery_id, m.part, m.row_no) > (q.produced_at, q.delivery_id, q.part, q.row_no))
ORDER BY named, produced_at DESC, delivery_id DESC, part DESC, row_no DESC
"""


def _part(position: int) -> str:
    known = f"CASE WHEN left(case_id, 1) <> '?' THEN split_part(case_id, '/', {position}) END"
    return known if position else "NULL::text"


_LISTS = {FAMILIES: _FAMILIES.format(chosen=_LISTED), **{dataset: _messages(dataset) for dataset in STREAMS}}
_WAITING = {FAMILIES: _FAMILIES.format(chosen=_CHOSEN), **{dataset: _messages(dataset) for dataset in STREAMS}}
# A rule that a family's member breaks is the family's; a message has a row of its own.
_REASON = """
quality.reason r ON r.province = w.province AND r.night = w.night AND r.delivery_id = w.delivery_id AND r.part = w.part
     AND r.case_id = w.case_id AND r.severity = 'critical' AND (w.dataset IS NULL OR r.dataset = w.dataset)
     AND (w.row_no IS NULL OR r.row_no = w.row_no)
"""
_NAMED = "r.rule_id || coalesce(' (anggota ' || r.r401_no_urut || ')', '')"
_CASES = f"""
WITH waiting AS ({{waiting}})
SELECT w.province, w.night, w.delivery_id, w.case_id, w.state, w.id_subsls, w.building, w.family, w.ppl,
       coalesce(array_agg(DISTINCT {_NAMED} ORDER BY {_NAMED}) FILTER (WHERE r.rule_id IS NOT NULL), ARRAY[]::text[])
           AS rules
FROM waiting w LEFT JOIN {_REASON}
WHERE :rule = '' OR EXISTS (
    SELECT 1 FROM quality.reason x WHERE x.province = w.province AND x.night = w.night AND x.delivery_id = w.delivery_id
    AND x.part = w.part AND x.case_id = w.case_id AND x.rule_id = :rule AND (w.row_no IS NULL OR x.row_no = w.row_no))
GROUP BY w.province, w.night, w.delivery_id, w.part, w.row_no, w.case_id, w.state, w.id_subsls, w.building, w.family,
         w.ppl
ORDER BY {{order}} LIMIT :most
"""
_BY_KEY, _BY_AGE = (
    "w.id_subsls, w.building, w.family, w.case_id",
    "w.night, w.id_subsls, w.building, w.family, w.case_id",
)
_BY_RULE = f"""
WITH waiting AS ({{waiting}})
SELECT r.rule_id, count(DISTINCT (w.case_id, w.row_no)) AS cases, min(w.night) AS since FROM waiting w JOIN {_REASON}
GROUP BY r.rule_id ORDER BY 2 DESC, 1
"""
_BY_NIGHT = """
WITH waiting AS ({waiting})
SELECT night, state, count(*) AS cases FROM waiting GROUP BY night, state ORDER BY night, state
"""


def quarantined_cases(
    connection: Connection,
    province: str,
    rule: str = "",
    *,
    dataset: str = FAMILIES,
    most: int | None = None,
    oldest_first: bool = False,
) -> Iterator[QuarantinedCase]:
    """The open cases of ``province``, by key; only those that break ``rule`` if it is given, and at most ``most``."""
    asked: dict[str, Any] = {"province": province, "rule": rule, "most": most}
    query = _CASES.format(waiting=_LISTS[dataset], order=_BY_AGE if oldest_first else _BY_KEY)
    yield from _cases(connection, query, asked)


def quarantine_page(connection: Connection, province: str, *, after: str, limit: int) -> list[QuarantinedCase]:
    """The first ``limit`` open families of ``province`` whose ids come after ``after``, by id."""
    query = _CASES.format(waiting=_FAMILIES.format(chosen=_PAGE), order='w.case_id COLLATE "C"')
    asked = {"province": province, "rule": "", "most": None, "after": after, "limit": limit}
    return list(_cases(connection, query, asked))


def _cases(connection: Connection, query: str, asked: dict[str, Any]) -> Iterator[QuarantinedCase]:
    for row in connection.execute(text(query), asked):
        values = dict(row._mapping)
        yield QuarantinedCase(**values | {"rules": tuple(values["rules"])})


def waiting_by_rule(connection: Connection, province: str, dataset: str = FAMILIES) -> list[WaitingByRule]:
    """The rules that cases of ``province`` wait because of, the most frequent first; a case may break several."""
    rows = connection.execute(text(_BY_RULE.format(waiting=_WAITING[dataset])), {"province": province})
    return [WaitingByRule(**row._mapping) for row in rows]


def waiting_by_night(connection: Connection, province: str, dataset: str = FAMILIES) -> list[WaitingByNight]:
    """Since when the cases of ``province`` wait, the oldest night first."""
    rows = connection.execute(text(_BY_NIGHT.format(waiting=_WAITING[dataset])), {"province": province})
    return [WaitingByNight(**row._mapping) for row in rows]
