"""Deliveries that an operator decides about: held ones, why each is and what became; rejections taken up again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, delete, func, insert, select, text

from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.contract.reasons import rests_on_a_reading
from regsosek.landing.archive import Decision, HoldLimit
from regsosek.quality.hold_limits import ErrorShare, Limits
from regsosek.warehouse.cases.loading import clear_delivery
from regsosek.warehouse.kabkota import KABKOTA_OF_PLACE
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.as_of_night import STANDING
from regsosek.warehouse.nights.ledger import Delivery, RowCounts
from regsosek.warehouse.tables import ROW_STATES, delivery, delivery_count, error_region, error_share, event

BY_OPERATOR = "rejected_by_operator"
RETRIED = "retried"
SUPERSEDED = "superseded_while_held"


@dataclass(frozen=True)
class MeasuredShare:
    """Rows judged and in error of one dataset (``keluarga``: cases), and the limit they were held against.

    Of ``replaced``: families of the replaced deliveries, and those of them that are withdrawn.
    """

    dataset: str
    judged: int
    in_error: int
    limit_percent: Decimal | None
    least_rows: int | None

    @property
    def exceeded(self) -> bool:
        """Whether this share is why the delivery is held."""
        if self.limit_percent is None or self.least_rows is None:
            return False
        limit = HoldLimit(percent=self.limit_percent, least_rows=self.least_rows)
        return ErrorShare(self.dataset, self.judged, self.in_error).exceeds(limit)


@dataclass(frozen=True)
class HeldDelivery:
    """A delivery that waits for an operator; ``shares`` those of all datasets, not only the exceeded ones.

    ``messages``: rows of a stream's delivery, which has neither families nor persons.
    """

    province: str
    delivery_id: str
    delivered_on: date
    night: date
    families: int
    persons: int
    shares: tuple[MeasuredShare, ...]
    instrument: str = QUESTIONNAIRE
    messages: int = 0

    @property
    def exceeded(self) -> tuple[MeasuredShare, ...]:
        """Why it is held."""
        return tuple(share for share in self.shares if share.exceeded)


def note_shares(connection: Connection, entry: Delivery, shares: Iterable[ErrorShare], limits: Limits) -> None:
    """Keeps the error shares of a judged delivery, beside the limits of its receipt."""
    key = {"province": entry.province, "delivery_id": entry.delivery_id}
    connection.execute(delete(error_share).filter_by(**key))
    for share in shares:
        limit = limits.get(share.dataset)
        values = key | vars(share)
        if limit is not None:
            values |= {"limit_percent": limit.percent, "least_rows": limit.least_rows}
        connection.execute(insert(error_share).values(**values))


def first_shares(connection: Connection, entry: Delivery) -> tuple[ErrorShare, ...]:
    """The error shares of a delivery as :func:`note_shares` kept them when it was judged first."""
    found = shares_of(connection, entry.province, entry.delivery_id)
    return tuple(ErrorShare(each.dataset, each.judged, each.in_error) for each in found)


_NOTE_REGIONS = f"""
INSERT INTO quality.error_region (province, delivery_id, region_code, judged, in_error)
WITH places AS (
    SELECT placed_code, count(*) AS judged, count(*) FILTER (WHERE verdict = 'error') AS in_error
    FROM core.kasus
    WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND verdict IS NOT NULL
    GROUP BY placed_code
),
{KABKOTA_OF_PLACE}
SELECT :province, :delivery_id, coalesce(k.ancestor_code, :province), sum(p.judged), sum(p.in_error)
FROM places p
LEFT JOIN sub_sls s ON s.id_subsls = p.placed_code
LEFT JOIN kabkota k ON k.code = coalesce(s.id_desa, p.placed_code)
GROUP BY 3
"""


def hold(connection: Connection, entry: Delivery, totals: Mapping[str, int]) -> RowCounts:
    """Holds a delivery whole: its rows go, its counts stay, and where its errors lie."""
    key = {"province": entry.province, "delivery_id": entry.delivery_id}
    connection.execute(delete(error_region).filter_by(**key))
    connection.execute(text(_NOTE_REGIONS), entry.key)
    clear_delivery(connection, entry.province, entry.counted_night, entry.delivery_id)
    ledger.change(connection, entry, state="held", decided_at=func.now())
    return {
        dataset: ledger.set_counts(connection, entry, dataset, {"received": rows, "held": rows})
        for dataset, rows in totals.items()
    }


def apply_decision(connection: Connection, decision: Decision) -> Delivery | None:
    """Enters a decision into ledger and journal; None, and nothing done, unless its delivery waits for it.

    A freed or retried delivery is registered once more, for the deciding night; a rejected one counts whole as
    rejected from it.
    """
    entry = find(connection, decision.province, decision.delivery_id)
    if entry is None or not _waits_for(connection, entry, decision):
        return None
    note_former_state(connection, entry, decision.night)
    detail: dict[str, object] = {"by": decision.by, "reason": decision.reason}
    if decision.decision == "rejected":
        _reject(connection, entry, decision.night, BY_OPERATOR, decision.reason)
    else:
        again = {"state": "registered", "reason": None, "detail": None}
        ledger.change(connection, entry, **again, decided_night=decision.night, decided_at=decision.at)
    if decision.retry:
        detail["retry"] = decision.retry
    ledger.note_event(
        connection, entry.province, decision.night, decision.decision, detail, entry.delivery_id, at=decision.at
    )
    return entry


def _waits_for(connection: Connection, entry: Delivery, decision: Decision) -> bool:
    if decision.decision != "retried":
        return entry.state == "held"
    return may_be_retried(entry) and retries_of(connection, entry) < decision.retry


def may_be_retried(entry: Delivery) -> bool:
    """Whether it was rejected for what a reading of the object store said, and not for what it holds."""
    return entry.state == "rejected" and rests_on_a_reading(entry.reason or "")


def replacing(connection: Connection, entry: Delivery) -> str | None:
    """The delivery that replaces this one, unless it was rejected."""
    query = select(delivery.c.delivery_id).where(
        delivery.c.province == entry.province,
        delivery.c.supersedes.contains([entry.delivery_id]),
        delivery.c.state != "rejected",
    )
    return connection.execute(query.order_by(delivery.c.night.desc())).scalars().first()


def retries_of(connection: Connection, entry: Delivery) -> int:
    """How many times an operator had a rejection of it taken up again."""
    query = select(func.count()).where(
        event.c.province == entry.province, event.c.delivery_id == entry.delivery_id, event.c.kind == RETRIED
    )
    return connection.execute(query).scalar_one()


def was_freed(connection: Connection, entry: Delivery) -> bool:
    """Whether an operator freed it after it was held."""
    query = select(event.c.id).where(
        event.c.province == entry.province, event.c.delivery_id == entry.delivery_id, event.c.kind == "freed"
    )
    return connection.execute(query).first() is not None


_NOTE_FORMER = """
INSERT INTO ledger.former_state
SELECT d.province, d.delivery_id, d.delivered_on, :until_night, d.state, d.reason, d.detail, d.instrument,
       d.decided_night,
       coalesce((SELECT jsonb_object_agg(c.dataset, c.received) FROM ledger.delivery_count c
                 WHERE (c.province, c.delivery_id, c.delivered_on) = (d.province, d.delivery_id, d.delivered_on)), '{}')
FROM ledger.delivery d
WHERE d.province = :province AND d.delivery_id = :delivery_id AND d.delivered_on = :delivered_on
ON CONFLICT DO NOTHING
"""


def note_former_state(connection: Connection, entry: Delivery, until_night: date) -> None:
    """Keeps how a delivery stood for the nights before the one in which it is decided anew; the first time counts."""
    key = {"province": entry.province, "delivery_id": entry.delivery_id, "delivered_on": entry.delivered_on}
    connection.execute(text(_NOTE_FORMER), {**key, "until_night": until_night})


def resolve_superseded(connection: Connection, entry: Delivery, supersedes: Sequence[str]) -> tuple[Delivery, ...]:
    """Rejects the held deliveries that an accepted one supersedes: nobody has to decide about them any more."""
    rejected = []
    for superseded in supersedes:
        held = find(connection, entry.province, superseded)
        if held is not None and held.state == "held":
            note_former_state(connection, held, entry.counted_night)
            _reject(connection, held, entry.counted_night, SUPERSEDED, f"superseded by {entry.delivery_id}")
            detail = {"by": entry.delivery_id, "reason": SUPERSEDED}
            ledger.note_event(connection, held.province, entry.counted_night, "rejected", detail, superseded)
            rejected.append(held)
    return tuple(rejected)


def all_superseded(connection: Connection, province: str, supersedes: Sequence[str]) -> tuple[str, ...]:
    """``supersedes``, and what the held ones among them would have superseded: who replaces those replaces these."""
    found = list(supersedes)
    for delivery_id in found:
        query = select(delivery.c.supersedes).where(
            delivery.c.province == province, delivery.c.delivery_id == delivery_id, delivery.c.state == "held"
        )
        for further in connection.execute(query).scalars():
            found += [each for each in further or () if each not in found]
    return tuple(found)


# A night takes its mark off when it begins: without the mark, its statistics may lack what it brought.
_UNFINISHED = """
SELECT night FROM ledger.seal s
WHERE province = :province AND night < :before AND (NOT EXISTS (
    SELECT 1 FROM mart.refreshed f WHERE f.province = s.province AND f.night = s.night) OR EXISTS (
    SELECT 1 FROM ledger.delivery d
    WHERE d.province = s.province AND coalesce(d.decided_night, d.night) = s.night AND d.state = 'registered'))
ORDER BY 1
"""


def unfinished_nights(connection: Connection, province: str, before: date) -> list[date]:
    """The sealed nights before ``before`` that were interrupted, or begun again and interrupted since."""
    return list(connection.execute(text(_UNFINISHED), {"province": province, "before": before}).scalars())


def find(connection: Connection, province: str, delivery_id: str) -> Delivery | None:
    """The delivery of ``province`` that was first to carry an id."""
    query = select(*ledger.LINE).where(
        delivery.c.province == province,
        delivery.c.delivery_id == delivery_id,
        delivery.c.reason.is_distinct_from(ledger.ID_REUSED),
    )
    row = connection.execute(query).first()
    return Delivery(**row._mapping) if row else None


def provinces_with(connection: Connection, delivery_id: str) -> tuple[str, ...]:
    """The provinces that have a delivery of that id, by code: ids are unique within a province only."""
    query = select(delivery.c.province).where(delivery.c.delivery_id == delivery_id).distinct()
    return tuple(connection.execute(query.order_by(delivery.c.province)).scalars())


def forget_decisions(connection: Connection, province: str, night: date) -> None:
    """Takes back what ``night`` and later nights decided about deliveries of earlier ones: they stand as before."""
    own = {"province": province, "night": night}
    for statement in (_COUNTS_AGAIN, _STATE_AGAIN, _FORGET_FORMER):
        connection.execute(text(statement), own)


_BEFORE = """
FROM (SELECT DISTINCT ON (f.delivery_id, f.delivered_on) f.* FROM ledger.former_state f
      WHERE f.province = :province AND f.until_night >= :night
      ORDER BY f.delivery_id, f.delivered_on, f.until_night) was
"""
_ITS_ROWS = "coalesce((was.counts ->> c.dataset)::bigint, 0)"


def _again(state: str) -> str:
    return f"{state} = CASE WHEN was.state = '{state}' THEN {_ITS_ROWS} ELSE 0 END"


_COUNTS_AGAIN = f"""
UPDATE ledger.delivery_count c SET received = {_ITS_ROWS}, {", ".join(map(_again, ROW_STATES))} {_BEFORE}
WHERE (c.province, c.delivery_id, c.delivered_on) = (was.province, was.delivery_id, was.delivered_on)
"""
_STATE_AGAIN = f"""
UPDATE ledger.delivery d
SET state = was.state, reason = was.reason, detail = was.detail, instrument = was.instrument,
    decided_night = was.decided_night {_BEFORE}
WHERE (d.province, d.delivery_id, d.delivered_on) = (was.province, was.delivery_id, was.delivered_on)
"""
_FORGET_FORMER = "DELETE FROM ledger.former_state WHERE province = :province AND until_night >= :night"


def _reject(connection: Connection, entry: Delivery, night: date, reason: str, detail: str) -> None:
    query = select(delivery_count.c.dataset, delivery_count.c.received).filter_by(
        province=entry.province, delivery_id=entry.delivery_id, delivered_on=entry.delivered_on
    )
    totals = {row.dataset: row.received for row in connection.execute(query)}
    ledger.reject(connection, entry, reason=reason, detail=detail, totals=totals)
    ledger.change(connection, entry, decided_night=night)


_HELD = f"""
WITH {STANDING}
SELECT s.province, s.delivery_id, s.delivered_on, s.night, coalesce(k.received, 0) AS families,
       coalesce(a.received, 0) AS persons, s.instrument, (
           SELECT coalesce(sum(m.received), 0)::bigint FROM standing_count m
           WHERE m.province = s.province AND m.delivery_id = s.delivery_id AND m.delivered_on = s.delivered_on
                 AND m.dataset NOT IN ('keluarga', 'anggota')) AS messages
FROM standing_all s
LEFT JOIN standing_count k ON k.province = s.province AND k.delivery_id = s.delivery_id
     AND k.delivered_on = s.delivered_on AND k.dataset = 'keluarga'
LEFT JOIN standing_count a ON a.province = s.province AND a.delivery_id = s.delivery_id
     AND a.delivered_on = s.delivered_on AND a.dataset = 'anggota'
WHERE s.state = 'held' AND (:province = '' OR s.province = :province)
ORDER BY s.province, s.night, s.position
"""


def held_deliveries(
    connection: Connection, *, night: date | None = None, province: str | None = None
) -> list[HeldDelivery]:
    """The deliveries that waited for a decision as of ``night`` (default: that wait now), in order of arrival."""
    values = {"night": night or date.max, "province": province or ""}
    return [
        HeldDelivery(**row._mapping, shares=shares_of(connection, row.province, row.delivery_id))
        for row in connection.execute(text(_HELD), values)
    ]


def shares_of(connection: Connection, province: str, delivery_id: str) -> tuple[MeasuredShare, ...]:
    """The error shares of a judged delivery, ``keluarga`` first; none of one that was rejected before it was judged."""
    table = error_share.c
    columns = (table.dataset, table.judged, table.in_error, table.limit_percent, table.least_rows)
    query = select(*columns).where(table.province == province, table.delivery_id == delivery_id)
    rows = connection.execute(query.order_by(table.dataset.desc()))
    return tuple(MeasuredShare(**row._mapping) for row in rows)
