"""The instruments, their versions in order, and which of them a line of the codebook belongs to.

Questionnaire K is one, each stream beside it another. A later form is a line at the end of
``codebook/instruments.csv``; lines of the codebook then say in ``since`` and ``until`` which versions have them.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Final

from regsosek.errors import ConfigurationError

QUESTIONNAIRE: Final = "REGSOSEK22.K"


@dataclass(frozen=True)
class Instrument:
    """One version of an instrument.

    Attributes:
        known_since: first day on which a delivery may have it.
        datasets: what a delivery of it holds, all of them in every part.
    """

    instrument: str
    version: str
    known_since: date
    datasets: tuple[str, ...]
    title_id: str
    title_en: str


@dataclass(frozen=True)
class Span:
    """The versions of an instrument from ``since`` to ``until``, both included; empty: from the first, still valid."""

    since: str = ""
    until: str = ""
    instrument: str = QUESTIONNAIRE

    def __post_init__(self) -> None:
        for version in filter(None, (self.since, self.until)):
            if version not in instrument_versions(self.instrument):
                raise ConfigurationError(f"the codebook names version {version}; add it to instruments.csv")
        if not self.versions:
            raise ConfigurationError(f"the codebook has a line since {self.since} until {self.until}: it never holds")

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions inside, in their order."""
        known = instrument_versions(self.instrument)
        first = known.index(self.since) if self.since else 0
        last = known.index(self.until) if self.until else len(known) - 1
        return known[first : last + 1]

    @property
    def always(self) -> bool:
        """Whether every known version lies inside."""
        return self.versions == instrument_versions(self.instrument)


def contract_text(*place: str) -> str:
    """The text of a data file of the contract."""
    return resources.files(__package__).joinpath(*place).read_text(encoding="utf-8")


def codebook_text(name: str) -> str:
    """The text of one file of the codebook."""
    return contract_text("codebook", name)


@cache
def instruments() -> tuple[Instrument, ...]:
    """All known versions of all instruments, each instrument's oldest first.

    Raises:
        ConfigurationError: a version stands twice.
    """
    known = tuple(
        Instrument(
            instrument=row["instrument"],
            version=row["version"],
            known_since=date.fromisoformat(row["known_since"]),
            datasets=tuple(row["datasets"].split()),
            title_id=row["title_id"],
            title_en=row["title_en"],
        )
        for row in csv.DictReader(codebook_text("instruments.csv").splitlines())
    )
    if len({(each.instrument, each.version) for each in known}) < len(known):
        raise ConfigurationError("instruments.csv names a version twice: every form needs a version of its own")
    return known


@cache
def instrument_versions(instrument: str = QUESTIONNAIRE) -> tuple[str, ...]:
    """The versions of an instrument in their order."""
    return tuple(each.version for each in instruments() if each.instrument == instrument)


def first_version(instrument: str = QUESTIONNAIRE) -> str:
    """The oldest version: what the field began with."""
    return instrument_versions(instrument)[0]


def datasets_of(instrument: str, version: str) -> tuple[str, ...]:
    """What a delivery of ``version`` of ``instrument`` holds; nothing if that is not known."""
    return {(each.instrument, each.version): each.datasets for each in instruments()}.get((instrument, version), ())


@cache
def instrument_of(dataset: str) -> str:
    """The instrument whose deliveries hold ``dataset``.

    Raises:
        KeyError: none does.
    """
    return {held: each.instrument for each in instruments() for held in each.datasets}[dataset]
