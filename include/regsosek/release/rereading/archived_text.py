"""An archived file as text once more, whatever its format, sharing no code with the reading of the night.

Written from the words of the landing contract: what is repaired there has one reading, and this is a second way to it.
All columns are read, as a value in the wrong column could be in any of them.
"""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.contract.codebook import Kind, Variable
from regsosek.contract.manifest import Format

# What reading a file raises that is not what its format demands. The text of such an error may quote a value.
UNREADABLE = (ValueError, LookupError, OSError, EOFError, zlib.error, RecursionError, OverflowError, pa.ArrowException)

# Unicode's blanks; a tab is none.
_BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# What a value of a kind looks like: an apostrophe before one belongs to the spreadsheet. Texts may begin with one.
_COUNT = "[0-9]{1,9}"
_VALUES: Mapping[Kind, str] = {
    "key": "[A-Za-z0-9][A-Za-z0-9._/-]*",
    "digits": "[0-9]+",
    "integer": _COUNT,
    "choice": _COUNT,
    "bits": _COUNT,
    "date": "(18|19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}",
    "timestamp": "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])",
    "decimal": "-?[0-9]{1,9}([.][0-9]{1,15})?",
}
_CHUNK_BYTES = 1 << 16
_LONGEST_WHOLE = len("999999999999999.0")
_SMALL = 0.001
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_WITHOUT_EXPONENT = (1e-6, 1e21)


def read_columns(path: Path, format_: Format, expected: Sequence[Variable], offset: timedelta) -> pd.DataFrame:
    """Reads the columns of ``expected`` in the file at ``path``: one row per row of it in its order, missing is empty.

    Args:
        offset: of the clock that instants are told on where the format keeps them in UTC.

    Raises:
        UNREADABLE: the file is not what its format demands, or lacks a column.
    """
    given = _READERS[format_](path, expected, offset)
    return pd.DataFrame({each.name: _plain(given[each.name], each.kind) for each in expected})


def _plain(column: "pd.Series[str]", kind: Kind) -> "pd.Series[str]":
    """Values without the blanks around them, and without the apostrophe with which spreadsheets keep a code as text."""
    text = column.str.strip(_BLANKS)
    if kind == "text" or not text.str.startswith("'").any():
        return text
    rest = text.str.removeprefix("'").str.strip(_BLANKS)
    return rest.where(rest.str.fullmatch(_VALUES[kind]), text)


def _column(spelled: str) -> str:
    return spelled.strip().lower()


def _spellings(names: Iterable[str], expected: Sequence[Variable]) -> dict[str, str]:
    """How a file spells the columns that are read."""
    known = {each.name for each in expected}
    return {_column(name): name for name in names if _column(name) in known}


def _from_csv(path: Path, expected: Sequence[Variable], _: timedelta) -> pd.DataFrame:
    known = {each.name for each in expected}
    given = pd.read_csv(
        path, compression="gzip", encoding="utf-8-sig", dtype=str, na_filter=False, index_col=False,
        usecols=lambda name: _column(name) in known, skipinitialspace=True, skip_blank_lines=True,
        lineterminator=_carriage_return(path),
    )  # fmt: skip
    return given.rename(columns=_column)


def _carriage_return(path: Path) -> str | None:
    """What ends the lines of a file that has no line feeds: unless pandas is told, it loses an empty value there."""
    with gzip.open(path) as file:
        feeds = any(b"\n" in chunk for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""))
    return None if feeds else "\r"


class _Double(str):
    """A JSON number with a fraction or an exponent, as it is written in text."""

    __slots__ = ()


def _from_json_lines(path: Path, expected: Sequence[Variable], _: timedelta) -> pd.DataFrame:
    decoder = json.JSONDecoder(parse_int=str, parse_float=_double)
    spelled: dict[str, str] = {}
    seen: set[str] = set()
    rows = []
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="\n") as lines:
        for line in filter(str.strip, lines):
            document = _document(decoder, line)
            if new := document.keys() - seen:
                seen |= new
                spelled |= _spellings(new, expected)
            rows.append([_of_json(document.get(spelled.get(each.name, each.name)), each.kind) for each in expected])
    return pd.DataFrame(rows, columns=[each.name for each in expected], dtype=str)


def _of_json(value: Any, kind: Kind) -> str:
    if isinstance(value, _Double) and kind != "decimal" and len(value.lstrip("-")) <= _LONGEST_WHOLE:
        return value.removesuffix(".0")
    return str(value or "")


def _document(decoder: json.JSONDecoder, line: str) -> Mapping[str, Any]:
    document = decoder.decode(line)
    if not isinstance(document, dict):
        raise ValueError("a line is no JSON object")  # noqa: TRY004 - the fault is in the data, not in a type of ours
    return document


def _double(spelled: str) -> str:
    """A number in the shortest form that identifies it."""
    value = float(spelled)
    if not math.isfinite(value):
        return spelled
    least, beyond = _WITHOUT_EXPONENT
    if value == 0 or least <= abs(value) < beyond:
        return _Double(np.format_float_positional(value, trim="0"))
    return repr(value).replace("e+", "e").replace("e-0", "e-")


def _from_parquet(path: Path, expected: Sequence[Variable], offset: timedelta) -> pd.DataFrame:
    # Counted in nanoseconds, a moment of the oldest type (INT96) far from today would turn into another.
    with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
        spelled = _spellings(file.schema_arrow.names, expected)
        table = file.read(columns=list(spelled.values()), use_threads=False)
    kinds = {each.name: each.kind for each in expected}
    columns = {name: _texts(table.column(given), kinds[name], offset) for name, given in spelled.items()}
    return pd.DataFrame(columns, dtype=str)


def _texts(column: Any, kind: Kind, offset: timedelta) -> list[str]:
    """The values of a Parquet column as a CSV would carry them."""
    if pa.types.is_floating(column.type):
        numbers = column.to_numpy()
        exact = numbers.astype(np.float32) if pa.types.is_float16(column.type) else numbers
        return ["" if np.isnan(value) else _of_float(value, kind) for value in exact]
    write: Callable[[Any], str] = str
    if pa.types.is_decimal(column.type):
        write = "{:f}".format if kind == "decimal" else _shortest_decimal
    elif pa.types.is_timestamp(column.type):
        unit = _NANOSECONDS[column.type.unit]
        return [_moment(value, unit, column.type.tz, offset) for value in column.cast(pa.int64()).to_pylist()]
    return ["" if value is None else write(value) for value in column.to_pylist()]


def _of_float(value: np.floating[Any], kind: Kind) -> str:
    if value != 0 and abs(value) < _SMALL:
        return f"{float(value):.15f}".rstrip("0").rstrip(".")
    if kind == "decimal":
        return str(np.format_float_positional(value, trim="0"))
    return str(np.format_float_positional(value + 0, trim="-"))  # adding 0 makes a zero of minus zero


def _shortest_decimal(value: Any) -> str:
    """Without a fraction of zero; any other fraction stays as it is written."""
    text = f"{value:f}"
    whole, _, fraction = text.partition(".")
    return text if fraction.strip("0") else whole


def _moment(count: int | None, unit: int, zone: str | None, offset: timedelta) -> str:
    """A moment on the clock of the province; one without a zone at midnight is a day."""
    if count is None:
        return ""
    seconds, below = divmod(count * unit, 10**9)
    clock = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if zone is None and not below and seconds % 86_400 == 0:
        return clock.date().isoformat()
    fraction = f".{below:09d}".rstrip("0").rstrip(".")
    if zone is None:
        return clock.replace(tzinfo=None).isoformat() + fraction
    local = clock.astimezone(timezone(offset)).isoformat()
    return local[:19] + fraction + local[19:]


_READERS: Mapping[Format, Callable[[Path, Sequence[Variable], timedelta], pd.DataFrame]] = {
    "csv.gz": _from_csv,
    "jsonl.gz": _from_json_lines,
    "parquet": _from_parquet,
}
