"""What arrived and what became of it: nights sealed, deliveries registered and decided, rows accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from regsosek.contract.codebook import DATASETS, STREAMS
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.contract.manifest import Manifest
from regsosek.errors import ConservationError, LockLostError
from regsosek.staging.case_facts import case_facts
from regsosek.warehouse.cases.loading import TABLES_OF_A_PART
from regsosek.warehouse.cases.pointers import rebuild_pointers, refresh_pointers
from regsosek.warehouse.database import analyse_cases
from regsosek.warehouse.nights.lost_nights import WHOLE
from regsosek.warehouse.nights.night_faults import forget_fault
from regsosek.warehouse.nights.reason import system_name
from regsosek.warehouse.tables import (
    ROW_STATES,
    delivery,
    delivery_count,
    error_region,
    error_share,
    event,
    refreshed,
    repair,
    replacement,
    rule_result,
    seal,
    step_timing,
)

MART_TABLES = (
    "mart.change", "mart.total", "mart.province_day", "mart.region_day", "mart.arrivals", "mart.province_arrivals",
    "mart.refreshed", "mart.verified",
)  # fmt: skip


# The reason of a folder whose delivery id was used before: shares and rule results of the id are not about it.
ID_REUSED = "id_reused"


@dataclass(frozen=True)
class Delivery:
    """One line of the ledger; ``decided_night`` is set where the fate of a held delivery was decided afterwards."""

    province: str
    delivery_id: str
    delivered_on: date
    night: date
    position: int
    prefix: str
    state: str
    reason: str | None = None
    detail: str | None = None
    decided_night: date | None = None

    @property
    def counted_night(self) -> date:
        """The night from which it counts, and that its rows bear."""
        return self.decided_night or self.night

    @property
    def key(self) -> dict[str, Any]:
        """Names its rows: ``province, night, delivery_id``."""
        return {"province": self.province, "night": self.counted_night, "delivery_id": self.delivery_id}


# By dataset, the rows received and what became of them.
RowCounts = dict[str, dict[str, int]]


@dataclass
class Spent:
    """What a step took: time, and the most memory that its process had held by its end."""

    seconds: float = 0.0
    peak_rss_bytes: int = 0


LINE = (
    delivery.c.province, delivery.c.delivery_id, delivery.c.delivered_on, delivery.c.night, delivery.c.position,
    delivery.c.prefix, delivery.c.state, delivery.c.reason, delivery.c.detail, delivery.c.decided_night,
)  # fmt: skip


def sealed(connection: Connection, province: str, night: date) -> bool:
    """Whether discovery of ``night`` has been completed for ``province``."""
    query = select(seal.c.night).where(seal.c.province == province, seal.c.night == night)
    return connection.execute(query).first() is not None


def sealed_nights(connection: Connection, province: str) -> set[date]:
    """The nights whose discovery has been completed for ``province``."""
    return set(connection.execute(select(seal.c.night).where(seal.c.province == province)).scalars())


def strays(connection: Connection, night: date) -> dict[str, int]:
    """How many keys discovery could not place on ``night``, by province; provinces without any are left out."""
    query = select(seal.c.province, seal.c.strays).where(seal.c.night == night, seal.c.strays > 0)
    return {row.province: row.strays for row in connection.execute(query)}


def registered_folders(connection: Connection, province: str) -> set[tuple[str, date]]:
    """All (delivery id, day of delivery) that the ledger knows of ``province``."""
    query = select(delivery.c.delivery_id, delivery.c.delivered_on).where(delivery.c.province == province)
    return {(row.delivery_id, row.delivered_on) for row in connection.execute(query)}


def register(
    connection: Connection, deliveries: Sequence[Delivery], versions: Mapping[str, str], registered_at: datetime
) -> None:
    """Enters new deliveries; those already known stay as they are."""
    for entry in deliveries:
        values = vars(entry) | {"versions": dict(versions), "registered_at": registered_at}
        connection.execute(insert(delivery).values(**values).on_conflict_do_nothing())


def write_seal(
    connection: Connection,
    *,
    province: str,
    night: date,
    sealed_at: datetime,
    unfinished: Sequence[str],
    strays: int,
    archived_bytes: int,
) -> None:
    """Seals ``night`` for ``province``; sealing again (reopened) keeps when it was sealed first."""
    values = {"province": province, "night": night, "sealed_at": sealed_at}
    found = {"unfinished": list(unfinished), "strays": strays, "archived_bytes": archived_bytes}
    connection.execute(
        insert(seal).values(**values, **found).on_conflict_do_update(index_elements=["province", "night"], set_=found)
    )


def note_event(
    connection: Connection,
    province: str,
    night: date,
    kind: str,
    detail: Mapping[str, Any],
    delivery_id: str | None = None,
    at: datetime | None = None,
) -> None:
    """Adds a line to the journal: what an operator or a delivery did to what had been decided before (now, or at)."""
    values = {"province": province, "night": night, "kind": kind, "detail": dict(detail), "delivery_id": delivery_id}
    connection.execute(insert(event).values(**values, at=at or func.now()))


def last_event(connection: Connection, province: str, night: date, kind: str) -> Mapping[str, Any] | None:
    """The details of the last line of ``kind`` in the journal of one province and night; None if there is none."""
    query = (
        select(event.c.detail)
        .where(event.c.province == province, event.c.night == night, event.c.kind == kind)
        .order_by(event.c.at.desc(), event.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def count_events(connection: Connection, province: str, night: date, kind: str) -> int:
    """How many lines of ``kind`` the journal has for one province and night."""
    query = select(func.count()).where(event.c.province == province, event.c.night == night, event.c.kind == kind)
    return connection.execute(query).scalar_one()


def deliveries_of(connection: Connection, province: str, night: date) -> list[Delivery]:
    """The deliveries of one province and night in their order, and those of earlier nights that were decided for it."""
    query = (
        select(*LINE)
        .where(delivery.c.province == province, or_(delivery.c.night == night, delivery.c.decided_night == night))
        .order_by(delivery.c.position, delivery.c.delivered_on, delivery.c.delivery_id)
    )
    return [Delivery(**row._mapping) for row in connection.execute(query)]


def registered_again(connection: Connection, province: str, night: date) -> list[Delivery]:
    """The deliveries that were freed or retried for ``night`` and are not received yet, in order of decision."""
    line = delivery.c
    query = (
        select(*LINE)
        .where(line.province == province, line.decided_night == night, line.state == "registered")
        .order_by(line.decided_at, line.position, line.delivery_id)
    )
    return [Delivery(**row._mapping) for row in connection.execute(query)]


def is_known(connection: Connection, province: str, delivery_id: str, instrument: str = QUESTIONNAIRE) -> bool:
    """Whether a delivery of that id was ever registered for ``province`` and may be one of ``instrument``."""
    query = select(delivery.c.instrument).where(delivery.c.province == province, delivery.c.delivery_id == delivery_id)
    return any(known in {None, instrument} for known in connection.execute(query).scalars())


def describe(
    connection: Connection, entry: Delivery, manifest: Manifest, manifest_sha256: str, supersedes: Sequence[str]
) -> None:
    """Notes what the manifest says, and all that the delivery supersedes."""
    change(
        connection,
        entry,
        produced_at=manifest.produced_at,
        producer=system_name(manifest.producer),
        enumerated_from=manifest.enumerated_from,
        enumerated_to=manifest.enumerated_to,
        instrument=manifest.instrument,
        instrument_version=manifest.instrument_version,
        manifest_sha256=manifest_sha256,
        supersedes=list(supersedes),
    )


def require_registered(connection: Connection, entry: Delivery) -> None:
    """Holds a delivery's line until the transaction ends; what is written of it is written while it is undecided.

    Raises:
        LockLostError: another run has decided it meanwhile.
    """
    line = select(delivery.c.state).where(*_line(entry)).with_for_update()
    state = connection.execute(line).scalar_one_or_none()
    if state != "registered":
        raise LockLostError(
            f"delivery {entry.delivery_id} of province {entry.province} is {state or 'forgotten'} since another run; "
            "run the night again when no other is under way"
        )


def reject(
    connection: Connection, entry: Delivery, *, reason: str, detail: str, totals: Mapping[str, int]
) -> RowCounts:
    """Decides against a delivery: it counts whole as rejected (``totals``: rows by dataset, zero if unreadable)."""
    change(connection, entry, state="rejected", reason=reason, detail=detail, decided_at=func.now())
    return {
        dataset: set_counts(connection, entry, dataset, {"received": rows, "rejected": rows})
        for dataset, rows in totals.items()
    }


def accept(connection: Connection, entry: Delivery, totals: Mapping[str, int], supersedes: Sequence[str]) -> RowCounts:
    """Makes a delivery visible: counts, synthetic withdrawals, state and pointers, all in the caller's transaction.

    Raises:
        ConservationError: rows received are not the rows accounted for; nothing becomes visible.
    """
    counts = _count(connection, entry, totals)
    change(connection, entry, state="accepted", decided_at=func.now())
    if set(totals) == set(DATASETS):  # a stream has no cases: its newest messages are looked up when they are asked for
        analyse_cases(connection, entry.province)
        for superseded in supersedes:
            _withdraw_absent(connection, entry, superseded)
        refresh_pointers(connection, entry.key)
    return counts


def note_refreshed(connection: Connection, province: str, night: date) -> None:
    """Notes that the statistics of ``province`` hold all that ``night`` brought; without it, the night names a gap."""
    values = {"province": province, "night": night}
    statement = insert(refreshed).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(values), set_={"at": func.now()}))
    forget_fault(connection, province, night)


def note_begun(connection: Connection, province: str, night: date) -> None:
    """Takes the mark of :func:`note_refreshed` off while a province works on ``night``: if it fails, that shows."""
    connection.execute(refreshed.delete().where(refreshed.c.province == province, refreshed.c.night == night))


def refreshed_at(connection: Connection, night: date) -> dict[str, datetime]:
    """When each province was last brought up to all of ``night``, by province."""
    query = f"SELECT province, r.at FROM mart.refreshed r JOIN ({WHOLE}) w USING (province, night) WHERE night = :night"
    return {row.province: row.at for row in connection.execute(text(query), {"night": night})}


def refreshed_provinces(connection: Connection, night: date) -> set[str]:
    """The provinces whose statistics hold all of ``night``."""
    query = text(f"SELECT province FROM ({WHOLE}) whole WHERE night = :night")
    return set(connection.execute(query, {"night": night}).scalars())


def note_rule_results(connection: Connection, entry: Delivery, results: Sequence[Mapping[str, Any]]) -> None:
    """Keeps how many rows of a delivery violate each rule."""
    connection.execute(
        rule_result.delete().where(
            rule_result.c.province == entry.province, rule_result.c.delivery_id == entry.delivery_id
        )
    )
    key = {"province": entry.province, "delivery_id": entry.delivery_id}
    if results:
        connection.execute(insert(rule_result), [{**key, **result} for result in results])


def note_repairs(connection: Connection, entry: Delivery, part: int, repairs: Sequence[Mapping[str, Any]]) -> None:
    """Keeps what reading a part repaired: ``dataset, kind, variable, amount``; clearing the part forgets it."""
    key = {**entry.key, "part": part}
    if repairs:
        connection.execute(insert(repair), [{**key, **each} for each in repairs])


def note_timing(connection: Connection, entry: Delivery, part: int, spent: Mapping[str, Spent]) -> None:
    """Keeps what each step of a part took (part 0: the delivery as a whole)."""
    for step, each in spent.items():
        key = {"province": entry.province, "delivery_id": entry.delivery_id, "part": part, "step": step}
        statement = insert(step_timing).values(**key, **vars(each))
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=vars(each)))


def change(connection: Connection, entry: Delivery, **values: Any) -> None:
    """Sets columns of one line."""
    connection.execute(update(delivery).where(*_line(entry)).values(**values))


def _line(entry: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (
        delivery.c.province == entry.province,
        delivery.c.delivery_id == entry.delivery_id,
        delivery.c.delivered_on == entry.delivered_on,
    )


def forget(connection: Connection, province: str, night: date) -> None:
    """Removes everything that ``night`` and later nights brought to ``province``, before a replay rebuilds it."""
    own = {"province": province, "night": night}
    by_delivery = (
        "DELETE FROM {}.{} t USING ledger.delivery d WHERE t.province = :province AND d.province = t.province "
        "AND d.delivery_id = t.delivery_id AND d.night >= :night AND {}"
    )
    # A reused id names an older delivery's results too: those stay.
    bound = {delivery_count: "d.delivered_on = t.delivered_on"}
    for table in (delivery_count, step_timing, rule_result, error_share, error_region, replacement):
        same = bound.get(table, f"d.reason IS DISTINCT FROM '{ID_REUSED}'")
        connection.execute(text(by_delivery.format(table.schema, table.name, same)), own)
    tables = (*TABLES_OF_A_PART, "ledger.delivery", "ledger.seal", "ledger.event", "ledger.fault", *MART_TABLES)
    for table_name in tables:
        connection.execute(text(f"DELETE FROM {table_name} WHERE province = :province AND night >= :night"), own)
    rebuild_pointers(connection, province)


def set_counts(connection: Connection, entry: Delivery, dataset: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Sets the counts of one dataset of a delivery; states that are not named have none. Returns all of them."""
    key = {
        "province": entry.province,
        "delivery_id": entry.delivery_id,
        "delivered_on": entry.delivered_on,
        "dataset": dataset,
    }
    full = dict.fromkeys(ROW_STATES, 0) | dict(counts)
    connection.execute(
        insert(delivery_count).values(**key, **full).on_conflict_do_update(index_elements=list(key), set_=full)
    )
    return full


_MESSAGES = """
    SELECT row_state, count(*) FROM stream.{dataset}
    WHERE province = :province AND night = :night AND delivery_id = :delivery_id GROUP BY row_state
    UNION ALL
    SELECT 'quarantined', count(*) FROM restricted.quarantined
    WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND dataset = '{dataset}'"""
_COUNTED = {
    "keluarga": """
        SELECT status, count(*) FROM core.kasus
        WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND part > 0 GROUP BY status""",
    "anggota": """
        SELECT status, sum(members) FROM core.kasus
        WHERE province = :province AND night = :night AND delivery_id = :delivery_id AND part > 0 GROUP BY status""",
    **{dataset: _MESSAGES.format(dataset=dataset) for dataset in STREAMS},
}


def _count(connection: Connection, entry: Delivery, totals: Mapping[str, int]) -> RowCounts:
    accounted: RowCounts = {}
    for dataset, received in totals.items():
        counts = {row[0]: int(row[1]) for row in connection.execute(text(_COUNTED[dataset]), entry.key)}
        if sum(counts.values()) != received:
            raise ConservationError(
                f"delivery {entry.delivery_id} of province {entry.province}: {received} rows of {dataset} received, "
                f"{sum(counts.values())} accounted for ({counts}); nothing of it was made visible"
            )
        accounted[dataset] = set_counts(connection, entry, dataset, {"received": received, **counts})
    return accounted


# Cases of the superseded delivery that the new one does not name stand as part 0 of its log. That withdraws them unless
# another delivery brings them (warehouse/cases/case_state.py).
_WITHDRAW_ABSENT = f"""
INSERT INTO core.kasus (province, night, delivery_id, part, row_no, case_id, versi, rank_versi, produced_at,
                        content_hash, status, verdict, id_subsls, r109_no_bangunan, r110_no_keluarga, placed_code,
                        enumerated_on, result, ppl, members, {", ".join(case_facts())})
SELECT old.province, :night, :delivery_id, 0, row_number() OVER (ORDER BY old.case_id)
         + (SELECT count(*) FROM core.kasus p
            WHERE p.province = :province AND p.night = :night AND p.delivery_id = :delivery_id AND p.part = 0),
       old.case_id, old.versi, old.rank_versi, d.produced_at,
       substring(sha256(old.content_hash || convert_to(:delivery_id, 'UTF8')) FROM 1 FOR 16), 'withdrawn', NULL,
       old.id_subsls, old.r109_no_bangunan, old.r110_no_keluarga, old.placed_code, old.enumerated_on, NULL, NULL, 0,
       {", ".join("0" for _ in case_facts())}
FROM (SELECT DISTINCT ON (case_id) * FROM core.kasus
      WHERE province = :province AND delivery_id = :superseded AND part > 0
      ORDER BY case_id, rank_versi DESC, row_no) old
JOIN ledger.delivery d ON d.province = old.province AND d.delivery_id = :delivery_id AND d.state = 'accepted'
WHERE NOT EXISTS (SELECT 1 FROM core.kasus new WHERE new.province = :province AND new.case_id = old.case_id
                  AND new.night = :night AND new.delivery_id = :delivery_id)
"""


def _withdraw_absent(connection: Connection, entry: Delivery, superseded: str) -> None:
    values = entry.key | {"superseded": superseded}
    left_out = connection.execute(text(_WITHDRAW_ABSENT), values).rowcount
    detail = {"superseded": superseded, "left_out": left_out}
    note_event(connection, entry.province, entry.counted_night, "superseded", detail, entry.delivery_id)
