"""When something is tried again, and when it may be sent at all: backoff and quiet hours, as ``sending.toml`` says.

By hand: tries lie in the outbox and go on after a restart; tenacity counts those of one call.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from regsosek.geography.recipients import Quiet

SENDING = Path(__file__).parent / "sending.toml"


@dataclass(frozen=True, slots=True)
class SendSchedule:
    """Patience of sending; the file explains each number."""

    first_minutes: float
    longest_minutes: float
    most_tries: int
    told_after_tries: int
    answer_seconds: float
    acceptance_seconds: float
    longest_run_minutes: float


@cache
def pace() -> SendSchedule:
    """As ``sending.toml`` states it."""
    return SendSchedule(**tomllib.loads(SENDING.read_text(encoding="utf-8")))


def pause(tries: int, key: int, limits: SendSchedule) -> timedelta:
    """How long to wait after the ``tries``-th failure (from 1): the same for the same ``key``, spread over keys."""
    whole = min(limits.longest_minutes, limits.first_minutes * 2.0 ** min(tries - 1, 30))
    drawn = int.from_bytes(hashlib.sha256(f"{key} {tries}".encode()).digest()[:4]) / 2**32
    return timedelta(minutes=whole * (1 + drawn) / 2)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of quiet on one clock; ``start`` belongs to them and ``end`` does not."""

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def on(cls, quiet: Quiet, zone: ZoneInfo) -> Self:
        """The hours of a recipient on its clock."""
        return cls(quiet.start, quiet.end, zone)

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Self:
        """What :meth:`stored` wrote."""
        return cls(time.fromisoformat(stored["start"]), time.fromisoformat(stored["end"]), ZoneInfo(stored["zone"]))

    def stored(self) -> dict[str, str]:
        """As JSON keeps it."""
        return {"start": f"{self.start:%H:%M}", "end": f"{self.end:%H:%M}", "zone": self.zone.key}


def allowed_from(moment: datetime, quiet: QuietHours | None) -> datetime:
    """The first moment from ``moment`` on, in UTC, that lies outside of the quiet hours."""
    if quiet is None:
        return moment.astimezone(UTC)
    local = moment.astimezone(quiet.zone)
    clock, overnight = local.time(), quiet.start > quiet.end
    before_end = clock < quiet.end
    if not (clock >= quiet.start or before_end if overnight else quiet.start <= clock < quiet.end):
        return moment.astimezone(UTC)
    day = local.date() if before_end else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.end, quiet.zone).astimezone(UTC)
