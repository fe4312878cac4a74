"""What an operator sees of deliveries: which there are, why one is held, what was decided; keys and counts only."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from regsosek.contract.reasons import rests_on_a_reading
from regsosek.errors import DecisionError
from regsosek.warehouse.nights.holding import MeasuredShare, provinces_with, shares_of
from regsosek.warehouse.nights.replacing import ReplacedFamilies, WithdrawnFamily, replaced_by, withdrawn_families


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery as it stands now; ``families, persons``: rows received, 0 if its manifest could not be read.

    ``messages``: rows received of a stream; ``instrument``: none where no manifest could be read; ``withdrawn``:
    families of the deliveries it replaces that it withdraws (a held one: would withdraw).
    """

    province: str
    delivery_id: str
    delivered_on: date
    night: date
    decided_night: date | None
    state: str
    reason: str | None
    families: int
    persons: int
    instrument: str | None = None
    messages: int = 0
    withdrawn: int = 0

    @property
    def may_be_retried(self) -> bool:
        """Whether an operator may have its rejection taken up again."""
        return self.state == "rejected" and rests_on_a_reading(self.reason or "")


@dataclass(frozen=True)
class BrokenRule:
    """How many rows of a delivery break one rule."""

    dataset: str
    rule_id: str
    severity: str
    rows: int


@dataclass(frozen=True)
class RegionShare:
    """Cases of a held delivery in one kab/kota (or province, where the code leads no lower)."""

    region_code: str
    name: str | None
    judged: int
    in_error: int


@dataclass(frozen=True)
class DecisionLine:
    """What happened to a delivery after it was held."""

    night: date
    kind: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class DeliveryDetail:
    """All that is known of one delivery: rules by number of violations, regions by number of cases in error."""

    line: DeliveryLine
    shares: tuple[MeasuredShare, ...]
    rules: tuple[BrokenRule, ...]
    regions: tuple[RegionShare, ...]
    decisions: tuple[DecisionLine, ...]
    replaced: tuple[ReplacedFamilies, ...] = ()
    withdrawn: tuple[WithdrawnFamily, ...] = ()


_LINES = """
SELECT d.province, d.delivery_id, d.delivered_on, d.night, d.decided_night, d.state, d.reason,
       coalesce(k.received, 0) AS families, coalesce(a.received, 0) AS persons, d.instrument,
       coalesce(m.received, 0) AS messages, (
           SELECT coalesce(sum(r.withdrawn), 0)::bigint FROM ledger.replacement r
           WHERE r.province = d.province AND r.delivery_id = d.delivery_id
                 AND d.reason IS DISTINCT FROM 'id_reused') AS withdrawn
FROM ledger.delivery d
LEFT JOIN ledger.delivery_count k ON k.province = d.province AND k.delivery_id = d.delivery_id
     AND k.delivered_on = d.delivered_on AND k.dataset = 'keluarga'
LEFT JOIN ledger.delivery_count a ON a.province = d.province AND a.delivery_id = d.delivery_id
     AND a.delivered_on = d.delivered_on AND a.dataset = 'anggota'
LEFT JOIN ledger.delivery_count m ON m.province = d.province AND m.delivery_id = d.delivery_id
     AND m.delivered_on = d.delivered_on AND m.dataset NOT IN ('keluarga', 'anggota')
WHERE {} ORDER BY d.province, d.night, d.position
"""
_CHOSEN = """
(:state = '' OR d.state = :state) AND (CAST(:night AS date) IS NULL OR d.night = :night)
AND d.province = ANY(:provinces)
"""
_OF_ID = "d.province = :province AND d.delivery_id = :delivery_id AND d.reason IS DISTINCT FROM 'id_reused'"
_RULES = """
SELECT dataset, rule_id, severity, violations AS rows FROM quality.rule_result
WHERE province = :province AND delivery_id = :delivery_id AND violations > 0
ORDER BY severity = 'critical' DESC, violations DESC, dataset, rule_id
"""
_REGIONS = """
SELECT e.region_code, r.name, e.judged, e.in_error
FROM quality.error_region e LEFT JOIN reference.region r ON r.code = e.region_code
WHERE e.province = :province AND e.delivery_id = :delivery_id ORDER BY e.in_error DESC, e.region_code
"""
_DECISIONS = """
SELECT night, kind, at, detail ->> 'by' AS by, detail ->> 'reason' AS reason FROM ledger.event
WHERE province = :province AND delivery_id = :delivery_id AND kind IN ('freed', 'rejected', 'retried') ORDER BY id
"""


def delivery_lines(
    connection: Connection, provinces: tuple[str, ...], *, state: str = "", night: date | None = None
) -> list[DeliveryLine]:
    """The deliveries of ``provinces``, in order of arrival: of one state, of one night of arrival, or all."""
    values = {"provinces": list(provinces), "state": state, "night": night}
    return [DeliveryLine(**row._mapping) for row in connection.execute(text(_LINES.format(_CHOSEN)), values)]


def province_of_delivery(connection: Connection, delivery_id: str, province: str = "") -> str:
    """The province whose delivery is meant: the one that is named, else the only one that has the id.

    Raises:
        DecisionError: no delivery is known by that id, or several provinces have one.
    """
    found = (province,) if province else provinces_with(connection, delivery_id)
    if not found:
        raise DecisionError(f"no delivery {delivery_id} is known; `regsosek deliveries list` names them")
    if len(found) > 1:
        raise DecisionError(f"provinces {', '.join(found)} have a delivery {delivery_id} each; name one with -p")
    return found[0]


def delivery_detail(connection: Connection, province: str, delivery_id: str) -> DeliveryDetail:
    """Everything about the delivery of ``province`` that was first to carry an id: ids are unique within a province.

    Raises:
        DecisionError: the province has no delivery of that id.
    """
    key = {"province": province, "delivery_id": delivery_id}
    row = connection.execute(text(_LINES.format(_OF_ID)), key).first()
    if row is None:
        raise DecisionError(
            f"province {province} has no delivery {delivery_id}; `regsosek deliveries list -p {province}` names them"
        )
    line = DeliveryLine(**row._mapping)
    return DeliveryDetail(
        line,
        shares_of(connection, province, delivery_id),
        tuple(BrokenRule(**each._mapping) for each in connection.execute(text(_RULES), key)),
        tuple(RegionShare(**each._mapping) for each in connection.execute(text(_REGIONS), key)),
        tuple(DecisionLine(**each._mapping) for each in connection.execute(text(_DECISIONS), key)),
        replaced_by(connection, province, delivery_id),
        withdrawn_families(connection, province, delivery_id),
    )
