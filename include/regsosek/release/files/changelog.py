"""The changes of a release in words, in Indonesian and English: what changed, by which cause, what is missing.

The words stand in ``changelog.id.md.j2`` and ``changelog.en.md.j2``, those of the causes in the definitions of their
columns; here is only what they speak of.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader

from regsosek.geography.provinces import province
from regsosek.geography.regions import NATION
from regsosek.release.figures.changes import CAUSE_FIELDS, DENOMINATORS, PLACING
from regsosek.release.figures.figures import Figures, Missing
from regsosek.release.figures.words import night_states
from regsosek.statistics.definitions.definitions import definitions
from regsosek.wording import english, indonesian
from regsosek.wording.templates import environment

HEADLINES = ("visited", "complete")
SHOWN_PROVINCES = 5
INDONESIAN, ENGLISH = "perubahan.md", "changes.md"


@dataclass(frozen=True)
class Change:
    """One figure of one region: before, now, and the causes that moved it (their fields, in the order of the table)."""

    name: str
    measure: str
    before: int
    now: int
    causes: Mapping[str, int]

    @property
    def difference(self) -> int:
        """By how much it changed."""
        return self.now - self.before

    @property
    def restated(self) -> int:
        """How much of it was not the day's own news, ups and downs alike."""
        return sum(abs(count) for field, count in self.causes.items() if field != CAUSE_FIELDS["new"])


@dataclass(frozen=True)
class Day:
    """A day before this night whose national figure changed."""

    day: date
    before: int
    now: int
    causes: Mapping[str, int]


def changelogs(figures: Figures) -> dict[str, bytes]:
    """Both texts by file name; a function of the figures alone."""
    context = _context(figures)
    return {
        INDONESIAN: _written("changelog.id.md.j2", context, _name_id, indonesian),
        ENGLISH: _written("changelog.en.md.j2", context, _name_en, english),
    }


def nation_changes(figures: Figures) -> list[Change]:
    """Of the nation the headline figures and the denominators that changed."""
    found = _changes(figures, figures.changes.table["code"] == NATION)
    return [each for each in found if each.measure in HEADLINES or (each.measure in DENOMINATORS and each.difference)]


def restated_provinces(figures: Figures) -> list[Change]:
    """The provinces whose visited families changed most by anything but the day's own news, the largest first."""
    table = figures.changes.table
    found = _changes(figures, (table["level"] == "provinsi") & (table["measure"] == "visited"))
    return sorted((each for each in found if each.restated), key=lambda each: -each.restated)[:SHOWN_PROVINCES]


def _changes(figures: Figures, chosen: "pd.Series[bool]") -> list[Change]:
    return [
        Change(row["name"], row["measure"], row["before"], row["now"], _moved(row))
        for row in figures.changes.table[chosen].to_dict("records")
    ]


def _moved(row: Mapping[Any, Any]) -> dict[str, int]:
    return {field: int(row[field]) for field in CAUSE_FIELDS.values() if pd.notna(row.get(field)) and row[field]}


def _days(figures: Figures) -> Iterator[Day]:
    national = figures.restated[figures.restated["code"] == NATION]
    for row in national.sort_values("day").to_dict("records"):
        if row["visited_before"] != row["visited_now"] or _moved(row):
            yield Day(row["day"], row["visited_before"], row["visited_now"], _moved(row))


def _context(figures: Figures) -> dict[str, Any]:
    changes, missing = figures.changes, {each.code for each in figures.missing}
    reference = {name: pair for name, pair in changes.reference.items() if name in {*PLACING, "target"}}
    return {
        "night": figures.night,
        "former_id": changes.former_id,
        "former_night": changes.former_night,
        "nation": nation_changes(figures),
        "provinces": restated_provinces(figures),
        "days": list(_days(figures)),
        "missing": _missing_by_state(figures),
        "returned": [province(code).name for code in changes.former_missing if code not in missing],
        "again": [province(code).name for code in changes.restated_by_processing],
        "reference": reference,
        "moved": _moved_regions(figures),
        "scale": Decimal(str(figures.scale)),
        "states": night_states(),
        "renamed": changes.renamed,
    }


def _missing_by_state(figures: Figures) -> dict[str, list[Missing]]:
    """Provinces that are not whole, by state, in order of code: on a bad night one line says it of many."""
    found: dict[str, list[Missing]] = {}
    for each in figures.missing:
        found.setdefault(each.state, []).append(each)
    return found


def _moved_regions(figures: Figures) -> int:
    table = figures.changes.table
    return int(table.loc[(table["measure"] == "visited") & (table["cause_frame"] != 0), "code"].nunique())


def _name_id(field: str) -> str:
    return definitions()[field].name.id


def _name_en(field: str) -> str:
    return definitions()[field].name.en


@cache
def _environment() -> Environment:
    # Plain text in Markdown: names come from the region master, nothing is markup.
    return environment(PackageLoader("regsosek.release.files", "."), html=False, keep_trailing_newline=True)


def _written(template: str, context: Mapping[str, Any], named: Callable[[str], str], language: Any) -> bytes:
    written = {name: getattr(language, name) for name in ("number", "signed", "long_date", "night_date")}
    return _environment().get_template(template).render(**context, **written, named=named).encode()
