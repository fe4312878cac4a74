"""What each published number is made of, down to the sources that it is counted from: deliveries, reference files.

``definitions.csv`` names the fields or sources that a number is made of, ``sources.csv`` what a source is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regsosek.errors import ConfigurationError
from regsosek.geography.reference_table import read_table
from regsosek.statistics.definitions.definitions import Definition, definitions
from regsosek.wording import Text
from regsosek.wording.texts import columns, text_in

_FILE = Path(__file__).parent / "sources.csv"
_COLUMNS = ("source", "counted", "datasets", *columns("name"), "where")
MARK = "@"


@dataclass(frozen=True)
class Source:
    """Where numbers come from.

    Attributes:
        counted: whether they are counted from deliveries, so that each delivery's part of them is known.
        datasets: the reference datasets that hold them, if any do.
        where: where else they stand, in words; empty where they are counted.
    """

    source: str
    counted: bool
    datasets: tuple[str, ...]
    name: Text
    where: str


@dataclass(frozen=True)
class Base:
    """A field that comes from a source itself."""

    field: str
    source: Source


@cache
def sources() -> dict[str, Source]:
    """All sources by name."""
    rows = read_table(_FILE, _COLUMNS)
    return {row["source"]: _source(row) for row in rows}


def _source(row: dict[str, str]) -> Source:
    counted, datasets = row["counted"] == "yes", tuple(row["datasets"].split())
    return Source(row["source"], counted, datasets, text_in(row, "name"), row["where"])


def made_of(definition: Definition) -> tuple[str, ...]:
    """The fields and sources that a number is made of; of a share numerator and denominator. Words have none."""
    return tuple(definition.made_of.split()) or tuple(filter(None, (definition.numerator, definition.denominator)))


def bases(field: str) -> tuple[Base, ...]:
    """Every field, with its source, that ``field`` comes down to, in the order in which they are named; each once.

    Raises:
        ConfigurationError: it names a source that is not known, or is made of itself.
    """
    return tuple(dict.fromkeys(_bases(field, ())))


def _bases(field: str, above: tuple[str, ...]) -> Iterator[Base]:
    if field in above:
        raise ConfigurationError(f"definitions.csv: {field} is made of itself ({' of '.join((*above, field))})")
    for name in made_of(definitions()[field]):
        if not name.startswith(MARK):
            yield from _bases(name, (*above, field))
        elif name in sources():
            yield Base(field, sources()[name])
        else:
            raise ConfigurationError(f"definitions.csv: {field}: {name} is no source of sources.csv")
