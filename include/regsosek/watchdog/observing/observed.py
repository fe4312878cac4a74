"""What a round saw of the outside world, as plain values; what it could not see stands as :class:`Unreachable`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from regsosek.geography.calendar import FieldWindow
from regsosek.release.lifecycle.agreement import Known
from regsosek.release.lifecycle.pointer import Position


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A part of the world that did not answer; ``why`` names kind and code, never an address or a server's words."""

    why: str


@dataclass(frozen=True, slots=True)
class SeenNight:
    """What the warehouse holds of a night; nothing that was never run has one.

    Attributes:
        sealed: provinces whose night has begun.
        processed: provinces whose statistics hold the night.
        told: whether any condition or message of the night was written.
    """

    sealed: frozenset[str] = frozenset()
    processed: frozenset[str] = frozenset()
    told: bool = False


@dataclass(frozen=True, slots=True)
class SeenWarehouse:
    """What the warehouse says.

    Attributes:
        nights: the last ones, by date.
        published: when each of the last nights was first published.
        releases: every release that it knows.
        delivered: the newest day of delivery that was registered, by province.
        waiting: messages that have waited in the outbox too long.
        waiting_since: when the oldest of them was composed.
        waiting_error: what sending it came to last.
        sealed: the size in the archive of every seal that the ledger knows, by province and night; None: not known.
        at_work: provinces that somebody works on now, and whose nights may be on their way.
    """

    nights: Mapping[date, SeenNight] = field(default_factory=dict)
    published: Mapping[date, datetime] = field(default_factory=dict)
    releases: tuple[Known, ...] = ()
    delivered: Mapping[str, date] = field(default_factory=dict)
    waiting: int = 0
    waiting_since: datetime | None = None
    waiting_error: str = ""
    sealed: Mapping[tuple[str, date], int | None] = field(default_factory=dict)
    at_work: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SeenStore:
    """What lies in object storage.

    Attributes:
        release: what readers see; None while nothing is published.
        delivered: the newest day of a finished delivery among the days looked at, by province.
        sealed: the size of every seal in the archive, by province and night.
    """

    release: Position | None = None
    delivered: Mapping[str, date] = field(default_factory=dict)
    sealed: Mapping[tuple[str, date], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenAirflow:
    """Last heartbeat of each component of Airflow that ever reported itself."""

    heartbeats: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Observed:
    """All that a round saw.

    Attributes:
        airflow: None where no health address is configured.
        mail: None where the server let us in.
        watchers: when each other watcher ran last.
        faults: what else could not be done, by the name of the check.
    """

    windows: Mapping[str, FieldWindow] | Unreachable
    warehouse: SeenWarehouse | Unreachable
    store: SeenStore | Unreachable
    mail: Unreachable | None = None
    airflow: SeenAirflow | Unreachable | None = None
    watchers: Mapping[str, datetime] = field(default_factory=dict)
    memory: Unreachable | None = None
    ping: Unreachable | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
