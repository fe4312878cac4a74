"""What may stand in a line of a message: whatever a text from outside holds, it stays one line and points at nobody."""

import re
from collections.abc import Collection

# Longer than any code that a message names without looking it up: a NIK, a KK number, a phone, a sub-SLS.
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){9,}")
# Beside letters and digits of any script, the signs that a message uses; dashes, an ellipsis and a minus among them.
_UNUSUAL = re.compile(r"[^\w !\"#$%&'()*+,./:;<=>?@\[\]^`{|}~\u2013\u2026\u2212-]+")


def harmless(value: str, codes: Collection[str] = ()) -> str:
    """Text on one line, without control characters or long numbers; ``codes`` are regions and may stand."""
    return _LONG_NUMBER.sub(lambda found: found[0] if found[0] in codes else "…", _UNUSUAL.sub(" ", value))
