"""What an operator asks of the ledger: how nights went, what a province must correct; keys and rules, never values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from regsosek.contract.repairs import repair_kinds
from regsosek.statistics.as_of import newest_total
from regsosek.warehouse.standing import STANDING


@dataclass(frozen=True)
class ProvinceLine:
    """One province on one night: rows of keluarga by what became of them, deliveries by state, families visited.

    ``held_deliveries`` counts those of earlier nights too, which still wait; a delivery that was held and then decided
    counts on the night of the decision.
    ``repairs`` counts the files, columns and values that reading mended and the province is told of.
    """

    province: str
    refreshed: bool
    deliveries: int
    rejected_deliveries: int
    held_deliveries: int
    unfinished: int
    received: int
    clean: int
    warned: int
    quarantined: int
    superseded: int
    duplicate: int
    withdrawn: int
    held: int
    rejected: int
    repairs: int
    visited: int
    complete: int
    target: int


_LINES = f"""
WITH {STANDING},
counted AS (
    SELECT d.province, count(*) AS deliveries, count(*) FILTER (WHERE d.state = 'rejected') AS rejected_deliveries,
           coalesce(sum(c.received), 0)::bigint AS received, coalesce(sum(c.loaded), 0)::bigint AS loaded,
           coalesce(sum(c.quarantined), 0)::bigint AS quarantined, coalesce(sum(c.superseded), 0)::bigint AS superseded,
           coalesce(sum(c.duplicate), 0)::bigint AS duplicate, coalesce(sum(c.withdrawn), 0)::bigint AS withdrawn,
           coalesce(sum(c.held), 0)::bigint AS held, coalesce(sum(c.rejected), 0)::bigint AS rejected
    FROM standing d
    LEFT JOIN standing_count c ON c.province = d.province AND c.delivery_id = d.delivery_id
         AND c.delivered_on = d.delivered_on AND c.dataset = 'keluarga'
    WHERE d.counted_night = :night GROUP BY d.province
),
waiting AS (SELECT province, count(*) AS held_deliveries FROM standing_all WHERE state = 'held' GROUP BY province),
mended AS (
    SELECT province, sum(amount)::bigint AS repairs FROM ledger.repair
    WHERE night = :night AND kind = ANY (:told) GROUP BY province
)
SELECT t.province, f.province IS NOT NULL AS refreshed, coalesce(c.deliveries, 0) AS deliveries,
       coalesce(c.rejected_deliveries, 0) AS rejected_deliveries,
       coalesce(h.held_deliveries, 0) AS held_deliveries,
       coalesce(jsonb_array_length(s.unfinished), 0) AS unfinished, coalesce(c.received, 0) AS received,
       coalesce(c.loaded, 0) - coalesce(w.warned, 0) AS clean, coalesce(w.warned, 0) AS warned,
       coalesce(c.quarantined, 0) AS quarantined, coalesce(c.superseded, 0) AS superseded,
       coalesce(c.duplicate, 0) AS duplicate, coalesce(c.withdrawn, 0) AS withdrawn, coalesce(c.held, 0) AS held,
       coalesce(c.rejected, 0) AS rejected, coalesce(m.repairs, 0) AS repairs, coalesce(r.visited, 0) AS visited,
       coalesce(r.complete, 0) AS complete, t.families AS target
FROM reference.target t
LEFT JOIN counted c USING (province)
LEFT JOIN waiting h USING (province)
LEFT JOIN mended m USING (province)
LEFT JOIN mart.province_arrivals w ON w.province = t.province AND w.night = :night
LEFT JOIN {newest_total("t.province", "t.province", ":night", placed=False)} r ON true
LEFT JOIN ledger.seal s ON s.province = t.province AND s.night = :night
LEFT JOIN mart.refreshed f ON f.province = t.province AND f.night = :night
ORDER BY t.province
"""


def province_lines(connection: Connection, night: date) -> list[ProvinceLine]:
    """How ``night`` went, one line for each province with a target."""
    told = [kind.kind for kind in repair_kinds().values() if kind.told]
    return [ProvinceLine(*row) for row in connection.execute(text(_LINES), {"night": night, "told": told})]


def processed_nights(connection: Connection) -> list[date]:
    """The nights that any province was refreshed for, oldest first."""
    return [row.night for row in connection.execute(text("SELECT DISTINCT night FROM mart.refreshed ORDER BY night"))]


def scale_of_reference(connection: Connection) -> float:
    """The fraction of the real operation that the loaded targets stand for; 1 where none are loaded."""
    scale = connection.execute(text("SELECT min(scale) FROM reference.target")).scalar()
    return float(scale) if scale is not None else 1.0


@dataclass(frozen=True)
class QuarantinedCase:
    """A case that is to be corrected: its keys, and the rules that it breaks."""

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


# The newest revision of a case that is in quarantine, so that a case corrected since does not appear.
_OPEN_CASES = """
SELECT t.province, k.night, k.delivery_id, t.case_id, t.state, k.id_subsls, k.r109_no_bangunan AS building,
       k.r110_no_keluarga AS family, k.ppl,
       coalesce(array_agg(DISTINCT r.rule_id || coalesce(' (anggota ' || r.r401_no_urut || ')', '')
                          ORDER BY r.rule_id || coalesce(' (anggota ' || r.r401_no_urut || ')', ''))
                FILTER (WHERE r.rule_id IS NOT NULL), ARRAY[]::text[]) AS rules
FROM ({chosen}) t
JOIN LATERAL (
    SELECT * FROM core.kasus k
    WHERE k.province = t.province AND k.case_id = t.case_id AND k.status = 'quarantined'
    ORDER BY k.rank_versi DESC, k.produced_at DESC, k.content_hash DESC LIMIT 1
) k ON true
LEFT JOIN quality.reason r ON r.province = k.province AND r.night = k.night AND r.delivery_id = k.delivery_id
     AND r.part = k.part AND r.case_id = k.case_id AND r.severity = 'critical'
WHERE {asked}
GROUP BY t.province, k.night, k.delivery_id, t.case_id, t.state, k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga,
         k.ppl
ORDER BY {order}
"""
_CHOSEN = "SELECT * FROM core.kasus_terkini WHERE state IN ('quarantined', 'pending') AND province = :province"
_QUARANTINE = _OPEN_CASES.format(
    chosen=_CHOSEN,
    asked="""(:rule = '' OR EXISTS (
    SELECT 1 FROM quality.reason x WHERE x.province = k.province AND x.night = k.night
    AND x.delivery_id = k.delivery_id AND x.part = k.part AND x.case_id = k.case_id AND x.rule_id = :rule))""",
    order="k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga, t.case_id",
)
# By the key of the pointer, byte by byte, so that a page costs what it holds, and the order is that of its keys.
_QUARANTINE_PAGE = _OPEN_CASES.format(
    chosen=f'{_CHOSEN} AND case_id COLLATE "C" > :after ORDER BY case_id COLLATE "C" LIMIT :limit',
    asked="true",
    order='t.case_id COLLATE "C"',
)


def quarantined_cases(connection: Connection, province: str, rule: str = "") -> Iterator[QuarantinedCase]:
    """The open cases of ``province``, by key; only those that break ``rule`` if it is given."""
    for row in connection.execute(text(_QUARANTINE), {"province": province, "rule": rule}):
        yield _case(row)


def quarantine_page(connection: Connection, province: str, *, after: str, limit: int) -> list[QuarantinedCase]:
    """The first ``limit`` open cases of ``province`` whose ids come after ``after``, by id."""
    asked = {"province": province, "after": after, "limit": limit}
    return [_case(row) for row in connection.execute(text(_QUARANTINE_PAGE), asked)]


def _case(row: Row[Any]) -> QuarantinedCase:
    values = dict(row._mapping)
    return QuarantinedCase(**values | {"rules": tuple(values["rules"])})
