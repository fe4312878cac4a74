"""What came of trying to send a message to one recipient, and what follows from it: a pure decision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from regsosek.alerts.messages.rendering import Attachment
from regsosek.alerts.outbox.retry import QuietHours, SendSchedule, allowed_from, pause

# Of which nobody knows whether the server took the message: the second one is the last, so that it comes twice at most.
MOST_UNCLEAR = 2
UNKNOWN_TWICE = "outcome unknown twice; it may have arrived"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one recipient.

    Attributes:
        id: of the message in the outbox; ``delivery`` is that of the recipient's own row.
        attempts: tries so far; ``unclear`` of them may have been taken.
        quiet: hours in which it is not sent; None if it goes at any time.
    """

    id: int
    delivery: int
    group: str
    night: date
    channel: str
    address: str
    subject: str
    body: str
    composed_at: datetime
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    attempts: int = 0
    unclear: int = 0
    quiet: QuietHours | None = None


class Result(StrEnum):
    """What a channel answered."""

    TAKEN = "taken"
    REFUSED_FOR_NOW = "refused for now"
    REFUSED_FOR_GOOD = "refused for good"
    UNREACHED = "unreached"
    UNCLEAR = "unclear"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """A result and why, by kind and code alone: the server's own words may quote an address."""

    result: Result
    note: str = ""


class Carrier(Protocol):
    """A channel that messages travel by."""

    def carry(self, letter: Letter, begin: Callable[[], bool]) -> SendOutcome:
        """Hands the letter over.

        Args:
            begin: called right before the step after which the letter may have arrived whatever is heard; answers
                False if the letter has been taken back meanwhile, and then nothing is handed over.
        """
        ...


@dataclass(frozen=True, slots=True)
class DispatchChange:
    """What becomes of a delivery; ``next_try_at`` is None unless it goes on waiting."""

    state: str
    attempts: int
    unclear: int
    last_result: Result
    last_error: str | None
    next_try_at: datetime | None = None


def follows(letter: Letter, outcome: SendOutcome, now: datetime, limits: SendSchedule) -> DispatchChange:
    """What becomes of ``letter`` after ``outcome``."""
    attempts = letter.attempts + 1
    unclear = letter.unclear + (outcome.result is Result.UNCLEAR)
    if outcome.result is Result.TAKEN:
        return DispatchChange("sent", attempts, unclear, outcome.result, None)
    if unclear >= MOST_UNCLEAR:
        return DispatchChange("failed", attempts, unclear, outcome.result, UNKNOWN_TWICE)
    worn_out = outcome.result is Result.REFUSED_FOR_NOW and attempts >= limits.most_tries
    if outcome.result is Result.REFUSED_FOR_GOOD or worn_out:
        return DispatchChange("failed", attempts, unclear, outcome.result, outcome.note)
    again = allowed_from(now + pause(attempts, letter.delivery, limits), letter.quiet)
    return DispatchChange("waiting", attempts, unclear, outcome.result, outcome.note, again)
