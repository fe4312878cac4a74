"""Texts in both languages as data: one shape of file, and one of columns.

A file that holds texts alone has the columns ``key,id,en``. A table that holds more has ``NAME_id`` and ``NAME_en`` for
each text NAME.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from regsosek.wording import Text


def read_texts(path: Path) -> dict[str, Text]:
    """The texts of a file by key, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["key"]: Text(row["id"], row["en"]) for row in csv.DictReader(file)}


def text_in(row: Mapping[str, str], name: str) -> Text:
    """The text ``name`` of a row of a table."""
    return Text(row[f"{name}_id"], row[f"{name}_en"])


def columns(*names: str) -> tuple[str, ...]:
    """The columns of texts, as a table's header has them."""
    return tuple(f"{name}_{language}" for name in names for language in ("id", "en"))
