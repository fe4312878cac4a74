"""Whether what was not processed is empty in the published tables, and what was processed is not; from their bytes."""

from collections.abc import Iterator, Mapping

import pandas as pd

from regsosek.release.audit.published_rules import read_table
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.counted import COUNTS

_TABLES = ("provinsi.csv", "kabkota.csv", "kecamatan.csv", "desa.csv")
SHOWN = 5


def unprocessed_faults(files: Mapping[str, bytes]) -> list[str]:
    """Regions with counts although no night of their province was processed, and regions without although one was."""
    return [fault for name in _TABLES for fault in _of_table(name, read_table(files[name]))]


def _of_table(name: str, table: pd.DataFrame) -> Iterator[str]:
    """A region of which nothing was processed has no time until which its data count."""
    columns = {field: definitions()[field].column for field in ("code", "data_until", *COUNTS)}
    processed = table[columns["data_until"]].notna()
    for column in (columns[field] for field in COUNTS if columns[field] in table):
        wrong = table.loc[table[column].notna() != processed, columns["code"]]
        yield from (f"{name}: region {code}: {column} is not told as processed or not" for code in wrong.head(SHOWN))
