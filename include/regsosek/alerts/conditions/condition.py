"""What a condition is: something at a place that an office can act upon, since when, how large, and where it stands.

A condition is computed from the warehouse each night; nothing that happened in a run makes or ends one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What is the matter; exactly one a condition. ``kinds.toml`` says what is known of each, its rank among others.

    ``PIPELINE_FAULT`` is ours and never goes to a province.
    """

    NO_DATA = "NO_DATA"
    ZERO = "ZERO"
    REJECTED = "REJECTED"
    HELD = "HELD"
    REPLACED = "REPLACED"
    QUALITY = "QUALITY"
    BEHIND = "BEHIND"
    CODE = "CODE"
    APPOINTMENT = "APPOINTMENT"
    PIPELINE_FAULT = "PIPELINE_FAULT"


# What happened on a night and has no end that could be told.
EVENTS = frozenset({Kind.REPLACED})
# About families that wait in quarantine, whenever they arrived: they stand until nobody waits.
WAITING = frozenset({Kind.QUALITY, Kind.CODE})


class Severity(StrEnum):
    """How soon somebody must act; KRITIS is told every night."""

    CRITICAL = "KRITIS"
    ATTENTION = "PERHATIAN"


Key = tuple[Kind, str, str, str]


class State(StrEnum):
    """Where a condition stands in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Why(StrEnum):
    """Why a condition is told tonight; ``STANDING`` alone is no reason to send a message."""

    NEW = "new"
    WORSE = "worse"
    CRITICAL = "critical"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    WOKEN = "woken"
    RECOVERED = "recovered"
    STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is; ``kabkota`` is the code of the kab/kota that owns it, empty at and above the province.

    An officer is a place of level ``petugas``: a code, never a name.
    """

    level: Literal["nasional", "provinsi", "kabkota", "desa", "subsls", "petugas"]
    code: str
    name: str = ""
    kabkota: str = ""

    def covers(self, other: "Place") -> bool:
        """Whether ``other``, of the same province, is this place or lies in it."""
        if self.level in {"nasional", "provinsi"}:
            return self.level == "provinsi" or other.level == "nasional"
        if self.level == "kabkota":
            return self.code in {other.code, other.kabkota}
        return (self.level, self.code, self.kabkota) == (other.level, other.code, other.kabkota)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of one night.

    Attributes:
        since: the first night of its unbroken run.
        families: how many families it is about; 0 where nobody can know.
        figures: the numbers it was decided on: observed and expected, by name.
        news: what makes it other news than the night before beside kind and severity (deliveries, worst rule).
        until: the last night of a snooze or acknowledgement.
        event: id of the known event that explains it (``known_events.csv``); empty: none.
        judged: whether this night could tell; if not, it stands as the night before left it.
    """

    kind: Kind
    place: Place
    severity: Severity
    since: date
    families: int
    figures: Mapping[str, float] = field(default_factory=dict)
    news: str = ""
    state: State = State.OPEN
    until: date | None = None
    event: str = ""
    judged: bool = True

    @property
    def key(self) -> Key:
        """What makes it the same condition on another night, within a province."""
        return self.kind, self.place.level, self.place.code, self.place.kabkota

    @property
    def within_limits(self) -> bool:
        """Whether it only stands because families still wait, no more of them than its limits allow."""
        return bool(self.figures.get("within_limits"))


@dataclass(frozen=True, slots=True)
class Notification:
    """A condition as it is told tonight, and why.

    Attributes:
        first: the night on which it was told as new, which its deadline is counted from; None: this night.
    """

    condition: Condition
    why: Why
    first: date | None = None


def kabkota_of(place: Place) -> str:
    """The code of the kab/kota that a place is, or lies in."""
    return place.code if place.level == "kabkota" else place.kabkota
