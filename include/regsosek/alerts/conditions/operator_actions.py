"""What the platform team does about conditions: acknowledge, snooze, wake. A journal; nothing in it is ever changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity, State


class Verb(StrEnum):
    """Somebody has it in hand; nobody wants to hear of it until a day; or it is to be told again."""

    ACK = "ack"
    SNOOZE = "snooze"
    WAKE = "wake"


def name_of(province: str, condition: "Condition | Act") -> str:
    """What a condition is called: ``64/BEHIND/6403``; one of an officer ``64/QUALITY/6403-0012``."""
    place = condition.place
    code = f"{place.kabkota}-{place.code}" if place.level == "petugas" else place.code
    return f"{province}/{condition.kind}/{code}"


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the journal.

    Attributes:
        place: the act holds for it and for all that lies in it.
        severity: of the condition when it was taken; None where the condition did not stand.
        night: the newest night of the province then: the act is in force from the night after it.
        until: the last night that it is in force; None: until the condition is gone.
    """

    kind: Kind
    place: Place
    verb: Verb
    by: str
    reason: str
    at: datetime
    night: date
    severity: Severity | None = None
    until: date | None = None

    def concerns(self, condition: Condition) -> bool:
        """Whether it was about the condition: an acknowledgement is of what stood then, a snooze of all to come."""
        if self.kind is not condition.kind or not self.place.covers(condition.place):
            return False
        return self.verb is not Verb.ACK or condition.since <= self.night


@dataclass(frozen=True, slots=True)
class ActionEffect:
    """What acts make of a condition: its state, until when, and the night that a silence ended with, if one did."""

    state: State
    until: date | None = None
    woken: date | None = None


def standing(condition: Condition, acts: Sequence[Act], night: date) -> ActionEffect:
    """What the newest act in force on ``night`` makes of ``condition``.

    What was silenced as PERHATIAN and has become KRITIS since is open again.
    """
    own = [act for act in acts if act.night < night and act.concerns(condition)]
    last = max(own, key=lambda act: act.at, default=None)
    if last is None:
        return ActionEffect(State.OPEN)
    worse = last.severity is Severity.ATTENTION and condition.severity is Severity.CRITICAL
    if last.verb is Verb.WAKE:
        return ActionEffect(State.OPEN, woken=last.night + timedelta(days=1))
    if last.until is not None and last.until < night:
        return ActionEffect(State.OPEN, woken=max(last.until, last.night) + timedelta(days=1))
    if worse:
        return ActionEffect(State.OPEN)
    return ActionEffect(State.SNOOZED if last.verb is Verb.SNOOZE else State.ACKNOWLEDGED, last.until)
