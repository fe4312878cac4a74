"""The reason that an operator gives, as the journals keep it: on one line, and nobody's number in it."""

import re

from regsosek.errors import DecisionError

LONGEST_REASON = 500
# Control characters, which no database takes, and those that turn what a reader sees around or hide it.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_PERSONAL_NUMBER = re.compile(r"\d{16}")


def stated(reason: str) -> str:
    """``reason`` on one line.

    Raises:
        DecisionError: there is none, it is too long, or it holds unseen signs or what may be somebody's number.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise DecisionError(f"it needs a reason of 1 to {LONGEST_REASON} characters, without personal data")
    if _UNSEEN.search(reason):
        raise DecisionError("it holds signs that nobody sees; type it anew")
    if _PERSONAL_NUMBER.search(reason):
        raise DecisionError("sixteen digits in a row may be somebody's NIK or KK; name the place in other words")
    return reason
