"""Delivered text read as answers, by the kinds that the landing contract describes."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import RFC_4122, UUID

import pandas as pd

from regsosek.contract.codebook import Variable, variables
from support.deliveries.families import VERSION

ASCII_DIGITS = frozenset(string.digits)
KEY_START = frozenset(string.ascii_letters + string.digits)
KEY_CHARACTERS = KEY_START | frozenset("._/-")
LARGEST_CODE = 32_767
# Python's own strings: comparisons of Arrow's give a kind of truth that does not mix with that of numbers.
TEXT = pd.StringDtype("python")
DTYPES = {"integer": "Int64", "choice": "Int64", "bits": "Int64", "decimal": "Float64"} | dict.fromkeys(
    ("date", "timestamp"), "object"
)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)", re.ASCII)


def _digits(text: str) -> str | None:
    return text if set(text) <= ASCII_DIGITS else None


def _key(text: str) -> str | None:
    nik_like = len(text) == 16 and set(text) <= ASCII_DIGITS
    return text if text[0] in KEY_START and set(text) <= KEY_CHARACTERS and not nik_like else None


_PREFIX = "(?:[A-Za-z]{1,2}|dok|DOK|tag|TAG)"
_SHOWN = (
    re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
    re.compile(r"(?:[A-Za-z]{1,2}-)?[1-9]\d-(?:\d{4}-\d{6}|\d{1,8})", re.ASCII),
    re.compile(_PREFIX + r"(?:-?\d{1,9}|-?\d{1,5}-\d{1,4})?", re.ASCII),
    re.compile(_PREFIX + "-[0-9a-f]{16}"),
)


def _shown_key(text: str) -> str | None:
    """An id of a document or tag: a UUID, or one of the short forms; never a number as long as a NIK."""
    long = any(len(run) >= len("6403010001000100") for run in re.findall("[0-9]+", text))
    return text if not long and (_is_uuid(text) or any(form.fullmatch(text) for form in _SHOWN)) else None


def _shown_text(text: str) -> str | None:
    """The name of a place: no nine digits with at most three characters between them that are no letters."""
    kinds = "".join("d" if c.isdecimal() else "a" if c.isalpha() else "." for c in text)
    degrees = re.search(r"\d[.,]\d{4}", text)
    unseen = set(text) & {*map(chr, range(9)), "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F))}
    return None if re.search(r"(d\.{0,3}){8}d", kinds) or degrees or unseen else text


def _is_uuid(text: str) -> bool:
    try:
        read = UUID(text)
    except ValueError:
        return False
    return str(read) == text.lower() and read.variant == RFC_4122 and read.version in range(1, 9)


def _integer(text: str) -> int | None:
    return int(text) if set(text) <= ASCII_DIGITS and len(text) <= 9 else None


def _code(text: str) -> int | None:
    number = _integer(text)
    return number if number is not None and number <= LARGEST_CODE else None


def _decimal(text: str) -> float | None:
    whole, point, fraction = text.removeprefix("-").partition(".")
    short = 1 <= len(whole) <= 9 and len(fraction) <= 15 and bool(point) == bool(fraction)
    return float(text) if short and set(whole + fraction) <= ASCII_DIGITS else None


def _date(text: str) -> date | None:
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not set(text.replace("-", "")) <= ASCII_DIGITS:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1800 <= day.year <= 2099 else None


def _timestamp(text: str) -> datetime | None:
    if not TIMESTAMP.fullmatch(text):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if 1900 <= time.year <= 2099 else None


READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "key": _key,
    "digits": _digits,
    "integer": _integer,
    "choice": _code,
    "bits": _code,
    "decimal": _decimal,
    "date": _date,
    "timestamp": _timestamp,
}


@dataclass(frozen=True)
class Answers:
    """The rows of one dataset; both frames have one column per variable and ``row_no`` (from 1) as index.

    Attributes:
        values: what could be read; missing and unreadable ones are NA (``None`` for dates and times).
        unreadable: true where something was given that could not be read.
    """

    values: pd.DataFrame
    unreadable: pd.DataFrame

    def __getitem__(self, name: str) -> "pd.Series[Any]":
        return self.values[name]

    def missing(self, name: str) -> "pd.Series[bool]":
        """Nothing was given at all."""
        return self.values[name].isna() & ~self.unreadable[name]

    def filled(self, name: str) -> "pd.Series[bool]":
        """An answer stands there."""
        return self.values[name].notna()

    def only(self, rows: "pd.Series[bool]") -> "Answers":
        """The rows marked in ``rows``."""
        return Answers(self.values[rows], self.unreadable[rows])


def read_answers(dataset: str, rows: list[dict[str, str]]) -> Answers:
    """Reads delivered ``rows``, numbered from 1."""
    index = pd.RangeIndex(1, len(rows) + 1, name="row_no")
    read = {v.name: _column(v, [row[v.name].strip(" ") for row in rows], index) for v in variables(dataset, VERSION)}
    values = pd.DataFrame({name: value for name, (value, _) in read.items()}, index=index)
    unreadable = pd.DataFrame({name: bad for name, (_, bad) in read.items()}, index=index)
    return Answers(values, unreadable)


def _column(variable: Variable, texts: list[str], index: pd.RangeIndex) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    shown = {} if variable.pii else {"key": _shown_key, "text": _shown_text}
    reader = shown.get(variable.kind, READERS[variable.kind])
    found = [reader(text) if text else None for text in texts]
    bad = [bool(text) and value is None for text, value in zip(texts, found, strict=True)]
    return pd.Series(found, index=index, dtype=DTYPES.get(variable.kind, TEXT)), pd.Series(bad, index=index, dtype=bool)
