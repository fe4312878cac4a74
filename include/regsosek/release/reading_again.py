"""An archived file of families as text once more, whatever its format, sharing no code with the reading of the night.

Written from the words of the landing contract: what is repaired there has one reading, and this is a second way to it.
"""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from regsosek.contract.manifest import Format

COLUMNS = ("id_dokumen", "versi", "status_dokumen", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "r205_hasil")
# What reading a file raises that is not what its format demands. The text of such an error may quote a value.
UNREADABLE = (ValueError, LookupError, OSError, EOFError, zlib.error, RecursionError, pa.ArrowException)

# Unicode's blanks; a tab is none.
_BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Any code, number or document id; an apostrophe before one belongs to the spreadsheet.
_VALUE = "[A-Za-z0-9][A-Za-z0-9._/-]*"
_CERTAINLY_WHOLE = 1e15
_WITHOUT_EXPONENT = (1e-6, 1e21)


def read_columns(path: Path, format_: Format) -> pd.DataFrame:
    """Reads ``COLUMNS`` of the file at ``path``: one row per family in the order of the file, missing is empty.

    No other column is kept, and none is read where the format lets columns be chosen (JSON lines do not).

    Raises:
        UNREADABLE: the file is not what its format demands, or lacks a column.
    """
    return _READERS[format_](path)[list(COLUMNS)].apply(_plain)


def _plain(column: "pd.Series[str]") -> "pd.Series[str]":
    """Values without the blanks around them, and without the apostrophe with which spreadsheets keep a code as text."""
    text = column.str.strip(_BLANKS)
    rest = text.str.removeprefix("'").str.lstrip(_BLANKS)
    return rest.where(rest.str.fullmatch(_VALUE), text)


def _column(spelled: str) -> str:
    return spelled.strip().lower()


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """How a file spells the columns that are read."""
    return {_column(name): name for name in names if _column(name) in COLUMNS}


def _from_csv(path: Path) -> pd.DataFrame:
    given = pd.read_csv(
        path, compression="gzip", encoding="utf-8-sig", dtype=str, na_filter=False, index_col=False,
        usecols=lambda name: _column(name) in COLUMNS, skipinitialspace=True, skip_blank_lines=True,
    )  # fmt: skip
    return given.rename(columns=_column)


def _from_json_lines(path: Path) -> pd.DataFrame:
    decoder = json.JSONDecoder(parse_int=str, parse_float=_double)
    spelled: dict[str, str] = {}
    seen: set[str] = set()
    rows = []
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="\n") as lines:
        for line in filter(str.strip, lines):
            document = _document(decoder, line)
            if new := document.keys() - seen:
                seen |= new
                spelled |= _spellings(new)
            rows.append([document.get(spelled.get(name, name)) or "" for name in COLUMNS])
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)


def _document(decoder: json.JSONDecoder, line: str) -> Mapping[str, Any]:
    document = decoder.decode(line)
    if not isinstance(document, dict):
        raise ValueError("a line is no JSON object")  # noqa: TRY004 - the fault is in the data, not in a type of ours
    return document


def _double(spelled: str) -> str:
    """A JSON number with a fraction or an exponent: whole ones as digits, others in the shortest form."""
    value = float(spelled)
    if not math.isfinite(value):
        return spelled
    if value.is_integer() and abs(value) < _CERTAINLY_WHOLE:
        return repr(value).removesuffix(".0")
    least, beyond = _WITHOUT_EXPONENT
    if least <= abs(value) < beyond:
        return str(np.format_float_positional(value, trim="0"))
    return repr(value).replace("e+", "e").replace("e-0", "e-")


def _from_parquet(path: Path) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        spelled = _spellings(file.schema_arrow.names)
        table = file.read(columns=list(spelled.values()), use_threads=False)
    return pd.DataFrame({name: _texts(table.column(given)) for name, given in spelled.items()}, dtype=str)


def _texts(column: Any) -> list[str]:
    """The values of a Parquet column as a CSV would carry them."""
    if pa.types.is_floating(column.type):
        return ["" if np.isnan(value) else _shortest(value) for value in column.to_numpy()]
    if pa.types.is_decimal(column.type):
        return ["" if value is None else _shortest_decimal(f"{value:f}") for value in column.to_pylist()]
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _shortest(value: np.floating[Any]) -> str:
    return str(np.format_float_positional(value + 0, trim="-"))  # adding 0 makes a zero of minus zero


def _shortest_decimal(text: str) -> str:
    """Without a fraction of zero; any other fraction stays as it is written."""
    whole, _, fraction = text.partition(".")
    return text if fraction.strip("0") else whole


_READERS: Mapping[Format, Callable[[Path], pd.DataFrame]] = {
    "csv.gz": _from_csv,
    "jsonl.gz": _from_json_lines,
    "parquet": _from_parquet,
}
