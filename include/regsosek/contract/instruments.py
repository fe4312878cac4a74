"""The versions of the questionnaire, in their order, and which of them a line of the codebook belongs to.

A later form is a line at the end of ``codebook/instruments.csv``; lines of the codebook then say in ``since`` and
``until`` which versions have them.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from regsosek.errors import ConfigurationError


@dataclass(frozen=True)
class Instrument:
    """One version of the questionnaire.

    Attributes:
        known_since: first day on which a delivery may have it.
    """

    instrument: str
    version: str
    known_since: date
    title_id: str
    title_en: str


@dataclass(frozen=True)
class Span:
    """The versions from ``since`` to ``until``, both included; empty means from the first, still valid."""

    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        for version in filter(None, (self.since, self.until)):
            if version not in instrument_versions():
                raise ConfigurationError(f"the codebook names version {version}; add it to instruments.csv")
        if not self.versions:
            raise ConfigurationError(f"the codebook has a line since {self.since} until {self.until}: it never holds")

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions inside, in their order."""
        known = instrument_versions()
        first = known.index(self.since) if self.since else 0
        last = known.index(self.until) if self.until else len(known) - 1
        return known[first : last + 1]

    @property
    def always(self) -> bool:
        """Whether every known version lies inside."""
        return self.versions == instrument_versions()


def codebook_text(name: str) -> str:
    """The text of one file of the codebook."""
    return resources.files(__package__).joinpath("codebook", name).read_text(encoding="utf-8")


@cache
def instruments() -> tuple[Instrument, ...]:
    """All known versions, oldest first.

    Raises:
        ConfigurationError: a version stands twice.
    """
    known = tuple(
        Instrument(
            instrument=row["instrument"],
            version=row["version"],
            known_since=date.fromisoformat(row["known_since"]),
            title_id=row["title_id"],
            title_en=row["title_en"],
        )
        for row in csv.DictReader(codebook_text("instruments.csv").splitlines())
    )
    if len({each.version for each in known}) < len(known):
        raise ConfigurationError("instruments.csv names a version twice: every form needs a version of its own")
    return known


@cache
def instrument_versions() -> tuple[str, ...]:
    """The versions in their order."""
    return tuple(each.version for each in instruments())


def first_version() -> str:
    """The oldest version: what the field began with."""
    return instrument_versions()[0]
