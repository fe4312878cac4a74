"""What a replacement takes away: families of the replaced deliveries that it withdraws, and those that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, delete, select, text

from regsosek.quality.hold_limits import REPLACED, ErrorShare
from regsosek.warehouse.access.hidden_cases import is_shown
from regsosek.warehouse.database import analyse_cases, step_tables
from regsosek.warehouse.kabkota import KABKOTA_OF_PLACE
from regsosek.warehouse.nights.as_of_night import STANDING
from regsosek.warehouse.nights.ledger import Delivery
from regsosek.warehouse.tables import delivery, replacement


@dataclass(frozen=True, slots=True)
class ReplacedFamilies:
    """Counted families of replaced deliveries in one kab/kota (or province, where the code leads no lower).

    Attributes:
        families: all that were counted before.
        withdrawn: those that the replacement does not name and no other delivery brings.
        kept: those that it does not name either, but another delivery brings.
        deliveries: ids of the replacements, joined by commas.
        name: of the kab/kota, where it was asked for.
    """

    code: str
    families: int
    withdrawn: int
    kept: int
    deliveries: str = ""
    name: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the replacements."""
        return tuple(self.deliveries.split(","))


@dataclass(frozen=True, slots=True)
class WithdrawnFamily:
    """A family that a replacement withdrew, by its keys alone."""

    case_id: str
    id_subsls: str | None
    building: int | None
    family: int | None


_STEPS = {
    "replaced": """
SELECT delivery_id, coalesce(decided_night, night) AS night FROM ledger.delivery
WHERE province = :province AND state = 'accepted' AND delivery_id = ANY(:supersedes)
""",
    "former": """
SELECT DISTINCT k.case_id FROM core.kasus k JOIN replaced USING (night, delivery_id)
WHERE k.province = :province AND k.part > 0
""",
    "left_out": """
SELECT case_id FROM former
EXCEPT
SELECT case_id FROM core.kasus
WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND part > 0
""",
    # What some delivery brings that still stands: the rule of warehouse/cases/case_state.py, asked before the flip.
    "brought": """
SELECT DISTINCT o.case_id
FROM core.kasus o JOIN left_out USING (case_id)
JOIN ledger.delivery d ON d.province = o.province AND d.delivery_id = o.delivery_id AND d.state = 'accepted'
WHERE o.province = :province AND o.part > 0 AND o.verdict IS NOT NULL AND o.delivery_id <> ALL(:supersedes)
      AND NOT EXISTS (
          SELECT 1 FROM core.kasus a
          JOIN ledger.delivery s ON s.province = a.province AND s.delivery_id = a.delivery_id AND s.state = 'accepted'
          WHERE a.province = o.province AND a.case_id = o.case_id AND a.part = 0
                AND jsonb_exists(s.supersedes, o.delivery_id))
""",
    "counted": """
SELECT t.case_id, k.placed_code, l.case_id IS NOT NULL AND b.case_id IS NULL AS withdrawn,
       b.case_id IS NOT NULL AS kept
FROM former f
JOIN core.kasus_terkini t ON t.province = :province AND t.case_id = f.case_id
     AND t.state IN ('loaded', 'pending', 'quarantined')
JOIN core.kasus k ON k.province = t.province AND k.night = t.night AND k.delivery_id = t.delivery_id
     AND k.part = t.part AND k.row_no = t.row_no
LEFT JOIN left_out l ON l.case_id = f.case_id
LEFT JOIN brought b ON b.case_id = f.case_id
""",
}
_NOTE = f"""
INSERT INTO ledger.replacement (province, delivery_id, region_code, families, withdrawn, kept)
WITH {KABKOTA_OF_PLACE}
SELECT :province, :delivery_id, coalesce(k.ancestor_code, :province), count(*), count(*) FILTER (WHERE c.withdrawn),
       count(*) FILTER (WHERE c.kept)
FROM counted c
LEFT JOIN sub_sls s ON s.id_subsls = c.placed_code
LEFT JOIN kabkota k ON k.code = coalesce(s.id_desa, c.placed_code)
GROUP BY 3
"""
_WHOLE = """
SELECT coalesce(sum(families), 0)::bigint, coalesce(sum(withdrawn), 0)::bigint FROM ledger.replacement
WHERE province = :province AND delivery_id = :delivery_id
"""


def note_replaced(connection: Connection, entry: Delivery, supersedes: Sequence[str]) -> tuple[ErrorShare, ...]:
    """Counts, before the flip, what a loaded delivery of families replaces; the share that it withdraws, if any."""
    key = {"province": entry.province, "delivery_id": entry.delivery_id}
    connection.execute(delete(replacement).filter_by(**key))
    if not supersedes:
        return ()
    values = entry.key | {"supersedes": list(supersedes)}
    analyse_cases(connection, entry.province)
    with step_tables(connection, _STEPS, values):
        connection.execute(text(_NOTE), values)
    families, withdrawn = connection.execute(text(_WHOLE), key).one()
    return (ErrorShare(REPLACED, int(families), int(withdrawn)),)


_OF_DELIVERY = """
SELECT e.region_code AS code, e.families, e.withdrawn, e.kept, e.delivery_id AS deliveries, r.name
FROM ledger.replacement e LEFT JOIN reference.region r ON r.code = e.region_code
WHERE e.province = :province AND e.delivery_id = :delivery_id ORDER BY e.withdrawn DESC, e.region_code
"""
_OF_NIGHT = f"""
WITH {STANDING}
SELECT r.region_code AS code, sum(r.families)::bigint AS families, sum(r.withdrawn)::bigint AS withdrawn,
       sum(r.kept)::bigint AS kept, string_agg(r.delivery_id, ',' ORDER BY r.delivery_id) AS deliveries
FROM ledger.replacement r JOIN standing d USING (province, delivery_id)
WHERE r.province = :province AND d.counted_night = :night AND d.state = 'accepted' GROUP BY 1 ORDER BY 1
"""
# A family that came back since is none of them any more.
_WITHDRAWN = f"""
SELECT a.case_id, a.id_subsls, a.r109_no_bangunan AS building, a.r110_no_keluarga AS family
FROM ledger.delivery d
JOIN core.kasus a ON a.province = d.province AND a.night = coalesce(d.decided_night, d.night)
     AND a.delivery_id = d.delivery_id AND a.part = 0
JOIN core.kasus_terkini t ON t.province = a.province AND t.case_id = a.case_id AND t.state = 'withdrawn'
WHERE d.province = :province AND d.delivery_id = :delivery_id AND d.state = 'accepted' AND {is_shown("a")}
ORDER BY a.id_subsls, a.r109_no_bangunan, a.r110_no_keluarga, a.case_id
"""


def replaced_by(connection: Connection, province: str, delivery_id: str) -> tuple[ReplacedFamilies, ...]:
    """What a delivery replaces (a held one: would replace) by kab/kota, most withdrawn first."""
    rows = connection.execute(text(_OF_DELIVERY), {"province": province, "delivery_id": delivery_id})
    return tuple(ReplacedFamilies(**row._mapping) for row in rows)


def replaced_in_night(connection: Connection, province: str, night: date) -> tuple[ReplacedFamilies, ...]:
    """What the deliveries accepted as of ``night`` replaced, by kab/kota."""
    rows = connection.execute(text(_OF_NIGHT), {"province": province, "night": night})
    return tuple(ReplacedFamilies(**row._mapping) for row in rows)


def superseded_by(connection: Connection, province: str, deliveries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The ids of all deliveries that each of ``deliveries`` replaces."""
    asked = select(delivery.c.delivery_id, delivery.c.supersedes).where(
        delivery.c.province == province, delivery.c.delivery_id.in_(deliveries)
    )
    return {row.delivery_id: tuple(sorted(row.supersedes or ())) for row in connection.execute(asked)}


def withdrawn_families(connection: Connection, province: str, delivery_id: str) -> tuple[WithdrawnFamily, ...]:
    """The families that an accepted replacement withdrew and that are still withdrawn, by key."""
    rows = connection.execute(text(_WITHDRAWN), {"province": province, "delivery_id": delivery_id})
    return tuple(WithdrawnFamily(**row._mapping) for row in rows)
