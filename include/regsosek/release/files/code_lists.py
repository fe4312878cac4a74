"""The code lists of the published tables: every word that a column of words may hold, and no word of another column.

They are read from where the words are made, so that a new word is in its list by itself.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import combinations

from regsosek.contract.codebook import ALL_DATASETS
from regsosek.geography.regions import LEVELS
from regsosek.release.figures.disclosure import STATUSES
from regsosek.release.figures.words import calendar_states, night_states, severities, target_sources
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.forecast.table import FORECAST_WORDS, forecast_words_of
from regsosek.statistics.measures.status import status_words
from regsosek.statistics.streams.clocks import streams

Words = tuple[str, ...]


def _statuses() -> Words:
    return tuple(each.label.id for each in status_words().values())


def _target_sources() -> Words:
    """One source, or those that the targets of a sum come from, in the order of their keys."""
    keys = sorted(target_sources())
    chosen = (some for count in range(1, len(keys) + 1) for some in combinations(keys, count))
    return tuple("; ".join(target_sources()[key] for key in some) for some in chosen)


_LISTS: Mapping[str, Callable[[], Words]] = {
    "region_level": lambda: LEVELS,
    "child_level": lambda: LEVELS[1:],
    "state": lambda: tuple(each.label.id for each in night_states().values()),
    "night_state": lambda: tuple(each.label.id for each in calendar_states().values()),
    "status": _statuses,
    "floor_status": _statuses,
    "target_source": _target_sources,
    "plan_base": lambda: ("target", "kerangka"),
    "measure": lambda: tuple(each.column for each in definitions().values() if each.made_of),
    **{field: partial(forecast_words_of, field) for field in FORECAST_WORDS},
    "stream": lambda: tuple(each.name.id for each in streams().values()),
    "rule_dataset": lambda: tuple(ALL_DATASETS),
    "disclosure_status": lambda: STATUSES,
    "severity": lambda: tuple(each.id for each in severities().values()),
}


@cache
def code_lists() -> dict[str, Words]:
    """The words of each column that has a list, by its published header."""
    return {definitions()[field].column: words() for field, words in _LISTS.items()}
