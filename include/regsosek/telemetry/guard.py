"""The last guard of the log: text that looks like a NIK, KK number, phone or coordinate is replaced, and counted.

Names and addresses look like any other text; what keeps them, and all answers, out of the log are the steps themselves.

By hand, as in ``alerts.personal_data``: every record passes here, so that it must be quick and judge alike.
"""

import re
import unicodedata
from typing import Any

MASK = "***"

# Hashes and delivery ids are long and may hold sixteen digits in a row; they are taken whole, and left if they have a
# letter. The code of a sub-SLS has sixteen digits as a NIK has: it is one only where the words before it say so.
_PERSONAL = re.compile(
    r"""
    (?P<name>(?<![0-9A-Za-z])(?:[0-9a-f]{32,}|[0-9A-HJKMNP-TV-Z]{26})(?![0-9A-Za-z]))
    | (?P<place>(?:sub-SLS|id_subsls['"]?)\s?[=:]?\s?['"]?\d{16}(?!\d))
    | (?<!\d)(?:
        \d{16}
        | \d{4}(?P<four>[ .-])\d{4}(?P=four)\d{4}(?P=four)\d{4}
        | \d{6}(?P<six>[ .-])\d{6}(?P=six)\d{4}
        | \d{2}\.\d{2}\.\d{2}\.\d{6}\.\d{4}
      )(?!\d)
    | (?<![\w.+])(?:\+?62|0)[ .-]?8\d{1,3}[ .-]?\d{3,4}[ .-]?\d{3,5}(?![\w])
    | (?<![\w.])(?:\(0\d{2,3}\)[ ]?|0\d{2,3}-)\d{6,8}(?![\w])
    | (?<![\w.])-?(?:9[5-9]|1[0-3]\d|14[01])\.\d{4,}(?![\w])
    | (?<![\w.])-?(?:\d|1[01])\.\d{5,}(?![\w])
    """,
    re.VERBOSE,
)


# What is not seen, or turns text around: a reader sees another text than stands there.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def plain(text: str) -> tuple[str, int]:
    """Free text as it may be shown: on one line, nothing unseen in it, without what looks personal in any digits.

    Returns:
        The text, and how much was taken out of it.
    """
    text, unseen = UNSEEN.subn("", " ".join(text.split()))
    found, taken = masked(unicodedata.normalize("NFKC", text))
    return (found if taken else text), taken + unseen


def masked(text: str) -> tuple[str, int]:
    """The text without what looks personal, and how many values were taken out of it."""
    taken = 0

    def keep_or_mask(found: re.Match[str]) -> str:
        nonlocal taken
        if found["place"] or (found["name"] and not found["name"].isdecimal()):
            return found[0]
        taken += 1
        return MASK

    return _PERSONAL.sub(keep_or_mask, text), taken


def masked_value(value: Any) -> tuple[Any, int]:
    """The same of a field of a record, whatever it holds; numbers, dates and the like stay."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        pairs = {key: (each, 0) if key == "id_subsls" else masked_value(each) for key, each in value.items()}
        return {key: each for key, (each, _) in pairs.items()}, sum(taken for _, taken in pairs.values())
    if isinstance(value, list | tuple):
        items = [masked_value(each) for each in value]
        return [each for each, _ in items], sum(taken for _, taken in items)
    return value, 0
