"""What was corrected, freed, withdrawn, superseded or reopened lately: cases counted, and the journal of decisions."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from regsosek.statistics.counts.changes import CAUSES

# What changes figures that were known before; ``new`` and ``late`` are news, not corrections.
CORRECTING = tuple(cause for cause in CAUSES if cause not in {"new", "late"})


@dataclass(frozen=True)
class Changed:
    """What a night changed of what was known before of a province, in cases.

    Attributes:
        left_quarantine: as many fewer wait in quarantine than the night before, new ones left out; less than 0 if more.
        visited: by cause (``statistics/counts/changes.py``), what it changed of families visited.
        complete: what all causes together changed of complete families.
    """

    province: str
    night: date
    left_quarantine: int
    visited: Mapping[str, int]
    complete: int


@dataclass(frozen=True)
class Event:
    """A line of the journal: what an operator or a delivery did to what had been decided before."""

    province: str
    night: date
    kind: str
    delivery_id: str | None
    at: datetime
    by: str
    told: str


_CHANGED = """
SELECT province, night, cause, sum(visited)::bigint AS visited, sum(complete)::bigint AS complete,
       -sum(quarantined + pending)::bigint AS left_quarantine
FROM mart.change
WHERE province = ANY(:provinces) AND night = ANY(:nights) AND cause = ANY(:causes)
GROUP BY province, night, cause ORDER BY night DESC, province
"""
_EVENTS = """
SELECT province, night, kind, delivery_id, at, detail FROM ledger.event
WHERE province = ANY(:provinces) AND night = ANY(:nights) ORDER BY at DESC, id DESC
"""


def changed(connection: Connection, nights: Sequence[date], seen: Collection[str]) -> list[Changed]:
    """What nights changed of what was known before, the newest night first; a night that changed nothing is absent."""
    asked: dict[str, Any] = {"provinces": list(seen), "nights": list(nights), "causes": list(CORRECTING)}
    visited: defaultdict[tuple[str, date], dict[str, int]] = defaultdict(dict)
    others: defaultdict[tuple[str, date], list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(text(_CHANGED), asked):
        visited[row.province, row.night][row.cause] = row.visited
        others[row.province, row.night].append((row.left_quarantine, row.complete))
    return [
        Changed(*key, sum(left for left, _ in others[key]), by_cause, sum(complete for _, complete in others[key]))
        for key, by_cause in visited.items()
    ]


def journal(connection: Connection, nights: Sequence[date], seen: Collection[str]) -> list[Event]:
    """The journal of nights, the latest line first."""
    rows = connection.execute(text(_EVENTS), {"provinces": list(seen), "nights": list(nights)})
    return [_event(dict(row._mapping)) for row in rows]


def _event(row: dict[str, Any]) -> Event:
    detail = dict(row.pop("detail"))
    by, reason = str(detail.pop("by", "")), str(detail.pop("reason", ""))
    rest = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in detail.items())
    return Event(**row, by=by, told="; ".join(filter(None, (reason, rest))))
