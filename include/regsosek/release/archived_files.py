"""An archived file of families read a second time, a few columns of it, as text.

It mends what reading a delivery mends (``contract/repairs.csv``) from the words of the contract, and shares no code
with staging: what the two read differently shows in the audit instead of in the published figures.
"""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import AuditError
from regsosek.staging.engine import open_engine

MEMORY_LIMIT = "500MB"
# What may stand around a value: every blank of Unicode (category Zs), but no control character.
_BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# What an apostrophe may be taken off: a number or a key.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


# What the readers raise for bytes that they cannot read; values nested too deep exhaust the stack.
_FAULTS = (
    ValueError, KeyError, AttributeError, OSError, EOFError, RecursionError, zlib.error, duckdb.Error,
)  # fmt: skip


def read_texts(path: Path, file: DeliveredFile, columns: Sequence[str], delivery_id: str) -> pd.DataFrame:
    """The text of ``columns`` in every row of an archived file, whatever its format; missing is empty.

    Raises:
        AuditError: the file cannot be read, or holds another number of rows than its manifest says.
    """
    readers = {"csv.gz": _csv, "jsonl.gz": _json_lines, "parquet": _parquet}
    try:
        given = readers[file.format](path, columns)
        texts = pd.DataFrame({name: given[name].map(_mended).astype(str) for name in columns}, columns=list(columns))
    except _FAULTS as error:
        # The kind of error is enough: its text may quote a value.
        raise AuditError(
            f"delivery {delivery_id}: {file.name} cannot be read a second time ({type(error).__name__})"
        ) from None
    if len(texts) != file.rows:
        raise AuditError(f"delivery {delivery_id}: {file.name} has {len(texts)} rows when read a second time")
    return texts


def _mended(text: str) -> str:
    bare = text.strip(_BLANKS)
    behind = bare[1:].strip(_BLANKS)
    return behind if bare.startswith("'") and _CODE.fullmatch(behind) else bare


def _plain(name: str, columns: Sequence[str]) -> str:
    return name if name in columns else name.strip().lower()


def _csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    given = pd.read_csv(
        path, compression="gzip", encoding="utf-8-sig", dtype=str, keep_default_na=False, index_col=False,
        usecols=lambda name: _plain(name, columns) in columns,
    )  # fmt: skip
    return given.rename(columns=lambda name: _plain(name, columns))


def _json_lines(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(_objects(path, columns), columns=list(columns), dtype=str)


def _objects(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="\n") as lines:
        for line in lines:
            if line.strip():
                given = {_plain(name, columns): value for name, value in json.loads(line, parse_int=str).items()}
                yield {name: _text(given.get(name)) for name in columns}


def _parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    # The engine that staging uses too: pyarrow refuses files whose data are sound, for a schema of its own in them.
    with open_engine(path.parent, memory_limit=MEMORY_LIMIT, threads=1) as connection:
        given = connection.read_parquet(str(path), hive_partitioning=False)
        names = {_plain(name, columns): name.replace('"', '""') for name in given.columns}
        rows = given.select(", ".join(f'"{names[name]}"' for name in columns)).fetchall()
    return pd.DataFrame([list(map(_text, row)) for row in rows], columns=list(columns), dtype=str)


def _text(value: Any) -> str:
    """A value of JSON or Parquet as a CSV would carry it: a whole number without a fraction of zero."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    whole = isinstance(value, float | Decimal) and value == int(value)
    return str(int(value)) if whole else str(value)
