"""What the watchdogs remember between rounds: findings since when and told when, and who ran last.

Pure values; several watchdogs merge what they remember, the later knowledge of each finding winning.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from regsosek.watchdog.finding import Finding, FindingKind

KEPT_DAYS = 7
_VERSION = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # an older watchdog may read what a newer one wrote


class Record(_Frozen):
    """A finding from its beginning to its end.

    Attributes:
        seen_at: the last round that saw it; ``told_at``: the last that told it; ``over_at``: None while it stands.
    """

    kind: FindingKind
    subject: str
    detail: str
    began_at: AwareDatetime
    seen_at: AwareDatetime
    told_at: AwareDatetime | None = None
    over_at: AwareDatetime | None = None

    @classmethod
    def begun(cls, finding: Finding, now: datetime) -> Self:
        """Of a finding that was not there before."""
        return cls(kind=finding.kind, subject=finding.subject, detail=finding.detail, began_at=now, seen_at=now)

    @property
    def finding(self) -> Finding:
        """What was seen last."""
        return Finding(self.kind, self.detail, self.subject)

    @property
    def changed_at(self) -> datetime:
        """When anything was learnt of it last."""
        return max(filter(None, (self.seen_at, self.told_at, self.over_at)))


class Memory(_Frozen):
    """All of it: records by key of the finding, and the last round of each watchdog by name."""

    version: Annotated[int, Field(ge=1)] = _VERSION
    records: dict[str, Record] = Field(default_factory=dict)
    rounds: dict[str, AwareDatetime] = Field(default_factory=dict)

    @property
    def standing(self) -> tuple[Record, ...]:
        """Findings that are not over, the oldest first."""
        return tuple(sorted((each for each in self.records.values() if each.over_at is None), key=_began))

    def with_round(self, watcher: str, at: datetime) -> Self:
        """The same after a round of ``watcher``."""
        return self.model_copy(update={"rounds": {**self.rounds, watcher: at}})

    def with_records(self, records: Iterable[Record], now: datetime) -> Self:
        """The same with other records; what is long over is forgotten."""
        kept = [each for each in records if each.over_at is None or now - each.over_at < timedelta(days=KEPT_DAYS)]
        return self.model_copy(update={"records": {each.finding.key: each for each in kept}})


def merged(memories: Iterable[Memory]) -> Memory:
    """What all of them know together."""
    records: dict[str, Record] = {}
    rounds: dict[str, datetime] = {}
    for memory in memories:
        for key, record in memory.records.items():
            known = records.get(key)
            records[key] = record if known is None or record.changed_at > known.changed_at else known
        for watcher, at in memory.rounds.items():
            rounds[watcher] = max(at, rounds.get(watcher, at))
    return Memory(records=records, rounds=rounds)


def written(memory: Memory) -> bytes:
    """As JSON."""
    return memory.model_dump_json(indent=1).encode()


def read(content: bytes | None) -> Memory | None:
    """From JSON; None where there is none, or it is not what :func:`written` gives."""
    if content is None:
        return None
    try:
        return Memory.model_validate_json(content)
    except ValidationError:
        return None


def _began(record: Record) -> tuple[datetime, str]:
    return record.began_at, record.finding.key
