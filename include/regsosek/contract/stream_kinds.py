"""The streams beside questionnaire K as data: what a message speaks of, when, and what is counted of it (streams.csv).

The first line, ``k``, is of the documents themselves: they are no messages, but have a name and a grace like the rest.
"""

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from regsosek.contract.codebook import STREAMS, Kind, all_variables
from regsosek.contract.instruments import contract_text
from regsosek.errors import ConfigurationError
from regsosek.wording import Text
from regsosek.wording.texts import text_in

DOCUMENTS: Final = "k"
_FILE: Final = "contract/streams.csv"
FAMILY_KEY: Final = ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")


@dataclass(frozen=True)
class Counted:
    """What one message counts, as SQL over the columns of its table.

    Attributes:
        families: families that it tells of; empty: the stream is not counted by day of work.
        when: which of the newest messages count; empty: all.
        verified, poor, photographed: families; empty: the stream does not say.
    """

    families: str
    when: str
    verified: str
    poor: str
    photographed: str


@dataclass(frozen=True)
class StreamKind:
    """A stream of messages.

    Attributes:
        key: the columns that name what a message speaks of; a later message of the same key replaces it.
        told: the column with the day or moment that the message tells of; it must lie in the field window.
        optional: a column of the key that may be empty; empty if there is none.
        sent: the column with the moment at which the message was sent, where the rules ask for it; else empty.
        withdrawn_when: SQL over the columns: the message takes back what it speaks of; empty if none does.
        letter: the first letter of its rules by hand.
        category: the category of personal data (``privacy/records``) of variables that no pattern there takes; empty:
            each variable needs a pattern.
    """

    dataset: str
    key: tuple[str, ...]
    told: str
    optional: str
    sent: str
    withdrawn_when: str
    counted: Counted
    letter: str
    category: str

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns of the key that every message has."""
        return tuple(column for column in self.key if column != self.optional)

    @property
    def told_by_day(self) -> bool:
        """Whether a message tells of a day, and not of a moment."""
        return self.kind_of(self.told) == "date"

    @property
    def of_families(self) -> bool:
        """Whether a message speaks of one family, by sub-SLS, building and family number."""
        return set(FAMILY_KEY) <= {each.name for each in all_variables(self.dataset)}

    def kind_of(self, column: str) -> Kind:
        """The type of a column in the codebook."""
        return {each.name: each.kind for each in all_variables(self.dataset)}[column]


@dataclass(frozen=True)
class StreamWords:
    """How a stream, or the documents, is named and timed; ``grace_days`` after a day of work it has told all of it."""

    grace_days: int
    name: Text


def stream_lines() -> list[dict[str, str]]:
    """The lines of ``streams.csv``."""
    return list(csv.DictReader(contract_text("streams.csv").splitlines()))


def stream_kinds(lines: Iterable[Mapping[str, str]], streams: Collection[str] = STREAMS) -> dict[str, StreamKind]:
    """Reads the kinds of messages, in the order of ``streams``.

    Args:
        streams: the datasets beside the questionnaire, by ``instruments.csv``.

    Raises:
        ConfigurationError: a stream has no line, a line no stream, or a line names a column that the stream has not.
    """
    found = {line["stream"]: line for line in lines if line["stream"] != DOCUMENTS}
    if missing := [stream for stream in streams if stream not in found]:
        raise ConfigurationError(f"{_FILE}: no line of {', '.join(missing)}; say key, told, families and letter of it")
    if strange := sorted(set(found) - set(streams)):
        raise ConfigurationError(
            f"{_FILE}: {', '.join(strange)} is no dataset of codebook/instruments.csv; add it there, or drop the line"
        )
    kinds = {stream: _kind(found[stream]) for stream in streams}
    for kind in kinds.values():
        known = {"", *(each.name for each in all_variables(kind.dataset))}
        if absent := [name for name in (*kind.key, kind.told, kind.optional, kind.sent) if name not in known]:
            raise ConfigurationError(
                f"{_FILE}: {kind.dataset} has no column {', '.join(absent)}; add it to codebook/variables.csv, or "
                "name one that stands there"
            )
    _require_letters(kinds)
    return kinds


def _require_letters(kinds: Mapping[str, StreamKind]) -> None:
    """Rules by hand are told apart by the first letter of their ids."""
    users: dict[str, list[str]] = {}
    for stream, kind in kinds.items():
        users.setdefault(kind.letter, []).append(stream)
    for letter, found in users.items():
        if len(found) > 1 or not re.fullmatch("[A-Z]", letter):
            raise ConfigurationError(
                f"{_FILE}: letter {letter!r} stands for {' and '.join(found)}; give each stream one capital letter of "
                "its own, and none of questionnaire K (quality/catalogue.py)"
            )


def _kind(line: Mapping[str, str]) -> StreamKind:
    return StreamKind(
        dataset=line["stream"],
        key=tuple(line["key"].split()),
        told=line["told"],
        optional=line["optional"],
        sent=line["sent"],
        withdrawn_when=line["withdrawn_when"],
        counted=Counted(
            families=line["families"],
            when=line["counted_when"],
            verified=line["verified"],
            poor=line["poor"],
            photographed=line["photographed"],
        ),
        letter=line["letter"],
        category=line["category"],
    )


def stream_words(lines: Iterable[Mapping[str, str]]) -> dict[str, StreamWords]:
    """Reads name and grace of the documents and of every stream, in the order of the lines.

    Raises:
        ConfigurationError: a number of days is none.
    """
    found = {line["stream"]: line for line in lines}
    if wrong := [stream for stream, line in found.items() if not line["grace_days"].isdigit()]:
        raise ConfigurationError(f"{_FILE}: {', '.join(wrong)}: grace_days must be a whole number of days")
    return {stream: StreamWords(int(line["grace_days"]), text_in(line, "name")) for stream, line in found.items()}


MESSAGES: Final = stream_kinds(stream_lines())
