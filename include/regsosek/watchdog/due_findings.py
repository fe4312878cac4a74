"""Which findings a round tells: when they begin, again after some hours, once when they are over. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from regsosek.watchdog.checks import RoundFindings
from regsosek.watchdog.finding import Finding
from regsosek.watchdog.observing.limits import RepeatLimits as Rules
from regsosek.watchdog.state import Memory, Record


class DueReason(StrEnum):
    """Why a finding is told now."""

    BEGAN = "began"
    STANDS = "stands"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class DueFinding:
    """A finding as this round tells it."""

    finding: Finding
    why: DueReason
    since: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What a round makes of what was remembered; ``told`` counts only once somebody took it (:func:`confirmed`)."""

    memory: Memory
    told: tuple[DueFinding, ...]


def step(memory: Memory, judged: RoundFindings, now: datetime, rules: Rules, silenced: Collection[str] = ()) -> Step:
    """Remembers what ``judged`` saw at ``now``, and decides what to tell.

    Args:
        silenced: keys of findings that are remembered and not told.
    """
    seen = {each.key: each for each in judged.findings}
    records = [_seen(memory.records.get(key), finding, now) for key, finding in seen.items()]
    told = [_tell(record, now, rules) for record in records if record.finding.key not in silenced]
    absent = [record for key, record in memory.records.items() if key not in seen]
    for record in absent:
        gone = record.over_at is None and record.kind not in judged.blind and now - record.seen_at >= rules.settle
        if gone and record.told_at is not None and record.finding.key not in silenced:
            told.append(DueFinding(record.finding, DueReason.OVER, record.began_at))
            records.append(record)
        else:
            records.append(record.model_copy(update={"over_at": now}) if gone else record)
    return Step(memory.with_records(records, now), tuple(filter(None, told)))


def confirmed(memory: Memory, told: Sequence[DueFinding], now: datetime) -> Memory:
    """After ``told`` has reached somebody: it is not told again before its time."""
    why = {each.finding.key: each.why for each in told}
    return memory.with_records(
        (_confirmed(each, why.get(each.finding.key), now) for each in memory.records.values()), now
    )


def _confirmed(record: Record, why: DueReason | None, now: datetime) -> Record:
    if why is None:
        return record
    return record.model_copy(update={"over_at": now} if why is DueReason.OVER else {"told_at": now})


def _seen(record: Record | None, finding: Finding, now: datetime) -> Record:
    if record is None or record.over_at is not None:
        return Record.begun(finding, now)
    return record.model_copy(update={"seen_at": now, "detail": finding.detail})


def _tell(record: Record, now: datetime, rules: Rules) -> DueFinding | None:
    if record.told_at is None:
        return DueFinding(record.finding, DueReason.BEGAN, record.began_at)
    if now - record.told_at >= rules.repeat:
        return DueFinding(record.finding, DueReason.STANDS, record.began_at)
    return None
