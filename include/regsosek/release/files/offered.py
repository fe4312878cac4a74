"""The files that a release offers beside its pages, and what is in each."""

from functools import cache
from pathlib import Path

from regsosek.geography.reference_table import read_table

_FILE = Path(__file__).parent / "offered.csv"


@cache
def offered_files() -> dict[str, dict[str, str]]:
    """By name what is in it, in Indonesian (``id``) and English (``en``), in the order in which they are offered."""
    return {row["name"]: row for row in read_table(_FILE, ("name", "id", "en"))}
