"""The reason that an operator gives, as the journals keep it: on one line, and nobody's number in it."""

import re

from regsosek.errors import DecisionError

LONGEST_REASON = 500
_PERSONAL_NUMBER = re.compile(r"\d{16}")


def stated(reason: str) -> str:
    """``reason`` on one line.

    Raises:
        DecisionError: there is none, it is too long, or it holds what may be somebody's number.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise DecisionError(f"it needs a reason of 1 to {LONGEST_REASON} characters, without personal data")
    if _PERSONAL_NUMBER.search(reason):
        raise DecisionError("sixteen digits in a row may be somebody's NIK or KK; name the place in other words")
    return reason
