"""What an operator asks of the ledger: how nights went; counts alone."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from regsosek.contract.repairs import repair_kinds
from regsosek.statistics.counts.tree import scale_of_sum
from regsosek.statistics.definitions.as_of import newest_total
from regsosek.warehouse.nights.as_of_night import STANDING


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


def scale_of_reference(connection: Connection) -> float:
    """The fraction of the real operation that the loaded targets stand for; 1 where none are loaded."""
    rows = connection.execute(text("SELECT families, scale FROM reference.target")).all()
    return scale_of_sum([row.families for row in rows], [row.scale for row in rows])


def target_of_reference(connection: Connection, province: str) -> int | None:
    """The loaded target of a province, in families; None where none is loaded."""
    query = text("SELECT families FROM reference.target WHERE province = :province")
    return connection.execute(query, {"province": province}).scalar()
