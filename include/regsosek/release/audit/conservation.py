"""Conservation: what was received equals what is accounted for, and the rows that the ledger speaks of really exist.

An independent query: it reads the stored rows themselves, not the counts that loading noted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.codebook import ALL_DATASETS, STREAMS
from regsosek.geography.regions import NATION
from regsosek.statistics.counts.days import ARRIVAL_FIELDS
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.warehouse.nights.as_of_night import STANDING
from regsosek.warehouse.tables import ROW_STATES

_COUNTED = f"""
WITH {STANDING}
SELECT d.delivery_id, d.counted_night AS night, d.state, c.dataset, c.received,
       {", ".join(f"c.{state}" for state in ROW_STATES)}
FROM standing_all d
LEFT JOIN standing_count c
    ON c.province = d.province AND c.delivery_id = d.delivery_id AND c.delivered_on = d.delivered_on
WHERE d.province = :province AND d.counted_night > :after
ORDER BY d.counted_night, d.night, d.position, c.dataset
"""

_OWN = "WHERE province = :province AND night > :after AND night <= :night"


def _messages(dataset: str) -> str:
    """SQL: what is there of a stream; whatever was not quarantined stands in its table, said again or not."""
    return f"""
UNION ALL SELECT delivery_id, '{dataset}', 'loaded', count(*) FROM stream.{dataset} {_OWN} AND row_state = 'loaded'
GROUP BY 1
UNION ALL SELECT delivery_id, '{dataset}', 'received', sum(rows)::bigint FROM (
    SELECT delivery_id, count(*) AS rows FROM stream.{dataset} {_OWN} GROUP BY 1
    UNION ALL
    SELECT delivery_id, count(*) FROM restricted.quarantined {_OWN} AND dataset = '{dataset}' GROUP BY 1
) AS messages GROUP BY 1"""


# Rows of part 0 were delivered by nobody: a superseding delivery withdraws with them what it does not name.
_PRESENT = f"""
SELECT delivery_id, 'keluarga' AS dataset, 'received' AS kind, count(*) AS rows FROM core.kasus {_OWN} AND part > 0
GROUP BY 1
UNION ALL
SELECT delivery_id, 'anggota', 'received', sum(members)::bigint FROM core.kasus {_OWN} AND part > 0 GROUP BY 1
UNION ALL SELECT delivery_id, 'keluarga', 'loaded', count(*) FROM core.keluarga {_OWN} GROUP BY 1
UNION ALL SELECT delivery_id, 'anggota', 'loaded', count(*) FROM core.anggota {_OWN} GROUP BY 1
UNION ALL SELECT delivery_id, dataset, 'quarantined', count(*) FROM restricted.quarantined {_OWN} GROUP BY 1, 2
{"".join(map(_messages, STREAMS))}
"""

_ARRIVED = f"SELECT night, sum(received)::bigint AS received FROM mart.arrivals {_OWN} GROUP BY night"

_NATIONAL = f"""
SELECT coalesce(sum(c.received), 0)::bigint AS received,
       {", ".join(f"coalesce(sum(c.{state}), 0)::bigint AS {state}" for state in ROW_STATES)}
FROM ledger.delivery d
JOIN ledger.delivery_count c
    ON c.province = d.province AND c.delivery_id = d.delivery_id AND c.delivered_on = d.delivered_on
JOIN unnest(CAST(:provinces AS text[]), CAST(:nights AS date[])) AS a (province, last_night)
    ON a.province = d.province AND coalesce(d.decided_night, d.night) <= a.last_night
WHERE d.state = 'accepted' AND c.dataset = 'keluarga'
"""
_ARRIVING_STATES = ("received", "loaded", "quarantined", "superseded", "duplicate", "withdrawn")

Present = Mapping[tuple[str, str, str], int]


@dataclass(frozen=True)
class LedgerCounts:
    """What the ledger says of one dataset of one delivery; a delivery without counts has no ``dataset``."""

    delivery_id: str
    night: date
    state: str
    dataset: str | None
    received: int
    states: Mapping[str, int]


def conservation_faults(connection: Connection, as_of: AsOf, last_good: Mapping[str, date]) -> dict[str, list[str]]:
    """Faults by province, of the nights after its last good one up to the one it stands at; empty if all holds."""
    found = {
        code: _faults_of(connection, code, after=last_good.get(code, date.min), until=night)
        for code, night in as_of.nights.items()
    }
    return {code: faults for code, faults in found.items() if faults}


def national_faults(connection: Connection, as_of: AsOf, arrivals: pd.DataFrame) -> list[str]:
    """Compares what the release says arrived in the nation with the ledger's accepted deliveries, state by state."""
    row = connection.execute(text(_NATIONAL), as_of.parameters).one()._mapping
    shown = arrivals[arrivals["code"] == NATION]
    sums = {state: int(shown[ARRIVAL_FIELDS[state]].sum()) for state in _ARRIVING_STATES}
    faults = [
        f"nation: the ledger accepted {row[state]} rows {state}, the release shows {shown_rows}"
        for state, shown_rows in sums.items()
        if row[state] != shown_rows
    ]
    accounted = sum(row[state] for state in ROW_STATES)
    if row["received"] != accounted:
        faults.append(f"nation: {row['received']} rows received, {accounted} accounted for")
    return faults


def _faults_of(connection: Connection, province: str, *, after: date, until: date) -> list[str]:
    bounds: dict[str, Any] = {"province": province, "after": after, "night": until}
    counted = [_counted(row) for row in connection.execute(text(_COUNTED), bounds)]
    present = {(r.delivery_id, r.dataset, r.kind): int(r.rows) for r in connection.execute(text(_PRESENT), bounds)}
    arrived = {row.night: row.received for row in connection.execute(text(_ARRIVED), bounds)}
    return [*delivery_faults(counted, present), *_arrival_faults(counted, arrived)]


def _counted(row: Any) -> LedgerCounts:
    states = {state: getattr(row, state) or 0 for state in ROW_STATES}
    return LedgerCounts(row.delivery_id, row.night, row.state, row.dataset, row.received or 0, states)


def delivery_faults(counted: list[LedgerCounts], present: Present) -> list[str]:
    """What does not hold: sums of the ledger, and rows present for accepted deliveries and for no others."""
    accepted = {each.delivery_id for each in counted if each.state == "accepted"}
    faults = [fault for each in counted for fault in _ledger_faults(each)]
    faults += [fault for each in counted if each.state == "accepted" for fault in _row_faults(each, present)]
    strangers = {(delivery, dataset) for (delivery, dataset, _), rows in present.items() if rows} - {
        (delivery, dataset) for delivery in accepted for dataset in ALL_DATASETS
    }
    faults += [
        f"delivery {delivery}: rows of {dataset} stand, but it was not accepted"
        for delivery, dataset in sorted(strangers)
    ]
    return faults


def _ledger_faults(each: LedgerCounts) -> Iterator[str]:
    if each.state == "registered":
        yield f"delivery {each.delivery_id}: not decided (process its night again)"
    if each.state == "accepted" and each.dataset is None:
        yield f"delivery {each.delivery_id}: accepted without counts"
    if each.received != sum(each.states.values()):
        yield (
            f"delivery {each.delivery_id}: {each.received} rows of {each.dataset} received, "
            f"{sum(each.states.values())} accounted for"
        )


def _row_faults(each: LedgerCounts, present: Present) -> Iterator[str]:
    expected = {"received": each.received, "loaded": each.states["loaded"], "quarantined": each.states["quarantined"]}
    for kind, rows in expected.items():
        stored = present.get((each.delivery_id, each.dataset or "", kind), 0)
        if stored != rows:
            yield f"delivery {each.delivery_id}: {rows} rows of {each.dataset} {kind}, {stored} stored"


def _arrival_faults(counted: list[LedgerCounts], arrived: Mapping[date, int]) -> Iterator[str]:
    nights = {each.night for each in counted} | set(arrived)
    for night in sorted(nights):
        received = sum(
            e.received for e in counted if e.night == night and e.state == "accepted" and e.dataset == "keluarga"
        )
        if received != arrived.get(night, 0):
            yield f"night {night}: {received} families received, the statistics count {arrived.get(night, 0)}"
