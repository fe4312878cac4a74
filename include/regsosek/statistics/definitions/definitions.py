"""Every published figure as data: numerator, denominator, unit, the lowest level at which it is public, its words.

``definitions.csv`` is the one place: shares are computed from it (``statistics.shares``), the columns of the published
tables are chosen by it, what a number goes back to is read from it (``statistics.origins``), and glossary and
``definisi.csv`` are written from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regsosek.errors import ConfigurationError
from regsosek.geography.reference_table import read_table
from regsosek.geography.regions import LEVELS, Level
from regsosek.wording import Text
from regsosek.wording.texts import text_in

_FILE = Path(__file__).parent / "definitions.csv"
_COLUMNS = (
    "field", "column", "unit", "numerator", "denominator", "version", "coverage", "made_of", "lowest_level",
    "name_id", "definition_id", "name_en", "definition_en",
)  # fmt: skip
PERCENT = "persen"


@dataclass(frozen=True)
class Definition:
    """A published column.

    Attributes:
        field: its name in our figures; ``column``: its published header.
        unit: what it counts or is written in (Indonesian).
        numerator, denominator: fields that it is the share of; empty where it is no share.
        version, coverage: of a denominator, the fields that say which one it is and how much of the region it covers.
        made_of: of a number that is no share, the fields and sources (``@...``) that it is made of.
        lowest_level: below it the figure is never public.
    """

    field: str
    column: str
    unit: str
    numerator: str
    denominator: str
    version: str
    coverage: str
    made_of: str
    lowest_level: Level
    name: Text
    definition: Text

    @property
    def is_share(self) -> bool:
        """Whether it divides one field by another."""
        return bool(self.denominator)

    def public_at(self, level: Level) -> bool:
        """Whether it may be published of a region of ``level``."""
        return LEVELS.index(level) <= LEVELS.index(self.lowest_level)


@cache
def definitions() -> dict[str, Definition]:
    """All definitions by field, in the order in which they are listed."""
    return read_definitions(_FILE)


def read_definitions(path: Path) -> dict[str, Definition]:
    """The definitions of a file.

    Raises:
        ConfigurationError: a level is unknown, a field or header stands twice, or a share names what is not defined.
    """
    rows = read_table(path, _COLUMNS)
    levels: Mapping[str, Level] = {level: level for level in LEVELS}
    unknown = [row["field"] for row in rows if row["lowest_level"] not in levels]
    if unknown:
        raise ConfigurationError(f"{path.name}: {', '.join(unknown)}: lowest_level must be one of {', '.join(LEVELS)}")
    found = [_definition(row, levels[row["lowest_level"]]) for row in rows]
    if faults := list(_faults(found)):
        raise ConfigurationError(f"{path.name}: {'; '.join(faults)}")
    return {each.field: each for each in found}


def _definition(row: Mapping[str, str], lowest_level: Level) -> Definition:
    named = {name: row[name] for name in _COLUMNS[: _COLUMNS.index("lowest_level")]}
    return Definition(
        **named, lowest_level=lowest_level, name=text_in(row, "name"), definition=text_in(row, "definition")
    )


def public_fields(fields: Sequence[str], level: Level) -> tuple[str, ...]:
    """Those of ``fields`` that may be published of a region of ``level``."""
    return tuple(field for field in fields if definitions()[field].public_at(level))


def needed_beside(share: Definition) -> tuple[str, ...]:
    """The fields that a share is never published without: what it divides, and of the denominator version and coverage.

    A coverage is a share itself; what it divides stands beside it wherever it is public.
    """
    of = definitions()[share.denominator]
    return tuple(field for field in (share.numerator, share.denominator, of.version, of.coverage) if field)


def _faults(found: Sequence[Definition]) -> Iterator[str]:
    for what in ("field", "column"):
        names = [getattr(each, what) for each in found]
        yield from (f"{what} {name} stands twice" for name in sorted({n for n in names if names.count(n) > 1}))
    fields = {each.field for each in found}
    for each in found:
        if bool(each.numerator) != bool(each.denominator):
            yield f"{each.field} needs both numerator and denominator, or neither"
        parts = {name for name in each.made_of.split() if not name.startswith("@")}
        named = {each.numerator, each.denominator, each.version, each.coverage, *parts} - {""}
        yield from (f"{each.field} names {name}, which is not defined" for name in sorted(named - fields))
