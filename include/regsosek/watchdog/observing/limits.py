"""The watchdog's limits, as ``limits.toml`` states them."""

import tomllib
from datetime import time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LIMITS = Path(__file__).parent / "limits.toml"

Count = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Field(gt=0, le=100)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deadlines(_Frozen):
    """Times of day (WIB) on the day after a night's date."""

    begun: time
    processed: time
    published: time
    told: time


class ObjectiveLimits(_Frozen):
    """The share of the last nights due that are published in time."""

    percent: Percent
    nights: Count


class SilentProvinces(_Frozen):
    """Whole days without a delivery, and how many silent provinces are a matter of their own."""

    days: Count
    nation_percent: Percent
    nation_least: Count


class WaitingLimits(_Frozen):
    """How long something may wait before it counts."""

    alert_minutes: Count
    heartbeat_minutes: Count
    watcher_minutes: Count
    forgotten_days: Count


class RepeatLimits(_Frozen):
    """How often a finding is told, and how long it must be gone to be over."""

    repeat_hours: Count
    settle_minutes: Count

    @property
    def repeat(self) -> timedelta:
        """Between two tellings of a finding that stands."""
        return timedelta(hours=self.repeat_hours)

    @property
    def settle(self) -> timedelta:
        """Unseen for so long it is over."""
        return timedelta(minutes=self.settle_minutes)


class Limits(_Frozen):
    """All limits."""

    deadlines: Deadlines
    objective: ObjectiveLimits
    silent_provinces: SilentProvinces
    waiting: WaitingLimits
    telling: RepeatLimits


@cache
def limits() -> Limits:
    """Reads the limits; they are part of the package, so that a fault in them fails its tests."""
    return Limits.model_validate(tomllib.loads(LIMITS.read_text(encoding="utf-8")))
