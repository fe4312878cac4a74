"""CSV as people open it: a spreadsheet runs no cell of it, whatever a name, a key or a code begins with."""

import csv
import re
from collections.abc import Iterable
from typing import IO, Any

# Spreadsheets pass over blanks and control characters before a sign, and take its full-width form for it.
_STARTS_A_FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def as_text(value: str) -> str:
    """``value``, behind an apostrophe where a spreadsheet would run it or take it for a signed number."""
    return f"'{value}" if _STARTS_A_FORMULA.match(value) else value


def unrun(value: Any) -> Any:
    """``value``, behind an apostrophe where it is text that a spreadsheet would run; numbers stay what they are."""
    return as_text(value) if isinstance(value, str) and not _NUMBER.fullmatch(value) else value


class Spreadsheet:
    """A writer of CSV like :func:`csv.writer`, and with its options."""

    def __init__(self, file: IO[str], **options: Any) -> None:
        self._writer = csv.writer(file, **options)

    def writerow(self, row: Iterable[Any]) -> None:
        """Writes one row."""
        self._writer.writerow([unrun(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Writes rows, one after the other."""
        for row in rows:
            self.writerow(row)
