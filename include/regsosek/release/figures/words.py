"""The words of the release for what became of a province's night, the severity of a rule, and until when data count.

Columns have theirs in ``statistics.definitions``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from regsosek.geography.calendar import NIGHT_ZONE, end_of_night
from regsosek.geography.provinces import province
from regsosek.geography.reference_table import read_table
from regsosek.wording import Text
from regsosek.wording.texts import columns, read_texts, text_in

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class StateWords:
    """How a province's state of the night is told; ``complete``: the night's picture of it has no gap.

    ``symbol`` is one letter or sign that stands for the state where there is room for no more.
    """

    label: Text
    explanation: Text
    complete: bool
    symbol: str


@cache
def night_states() -> dict[str, StateWords]:
    """The words for every state of ``statistics.nights`` and for ``held_back``."""
    return _states("night_states.csv")


@cache
def calendar_states() -> dict[str, StateWords]:
    """The words for every state of ``statistics.arrivals_calendar``: those of a night, and what became of it since."""
    return night_states() | _states("calendar_states.csv")


def _states(name: str) -> dict[str, StateWords]:
    rows = read_table(_HERE / name, ("state", "complete", *columns("label", "explanation"), "symbol"))
    return {row["state"]: _state(row) for row in rows}


def _state(row: Mapping[str, str]) -> StateWords:
    label, explanation = text_in(row, "label"), text_in(row, "explanation")
    return StateWords(label, explanation, row["complete"] == "yes", row["symbol"])


@cache
def severities() -> dict[str, Text]:
    """The words for every severity of ``quality.rules``."""
    return read_texts(_HERE / "severities.csv")


@cache
def target_sources() -> dict[str, str]:
    """The Indonesian words for every source of a target."""
    return {row["source"]: row["label"] for row in read_table(_HERE / "target_sources.csv", ("source", "label"))}


def cut_off(day: date, province_code: str | None) -> str:
    """Until when data count: the end of the night, which is counted in WIB, by the clock of the province or nation."""
    zone = NIGHT_ZONE if province_code is None else ZoneInfo(province(province_code).timezone)
    return f"{end_of_night(day, zone):%Y-%m-%d %H.%M %Z}"
