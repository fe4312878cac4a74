"""What people write freely, as the warehouse keeps it: on one line, nothing unseen and nobody's number in it."""

import re

from regsosek.errors import DecisionError
from regsosek.telemetry.guard import MASK, UNSEEN, plain
from regsosek.wording.names import person_names

LONGEST_REASON = 500
_PERSONAL_NUMBER = re.compile(r"\d{16}")


def stated(reason: str) -> str:
    """``reason`` on one line.

    Raises:
        DecisionError: there is none, it is too long, or it holds unseen signs or what may be somebody's number.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise DecisionError(f"it needs a reason of 1 to {LONGEST_REASON} characters, without personal data")
    if UNSEEN.search(reason):
        raise DecisionError("it holds signs that nobody sees; type it anew")
    if _PERSONAL_NUMBER.search(reason):
        raise DecisionError("sixteen digits in a row may be somebody's NIK or KK; name the place in other words")
    if plain(reason)[1]:
        raise DecisionError("a number in it looks like a NIK, KK, phone or position; say it in other words")
    return reason


def system_name(producer: str) -> str:
    """The system that made a delivery, as a manifest names it; a person that it names instead is masked."""
    return person_names().sub(MASK, plain(producer)[0])
