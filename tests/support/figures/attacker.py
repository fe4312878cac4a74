"""A reader who wants to know of single families, with all files of all nights and linear programming.

What is unknown is how many families each desa brought (or lost) on each night, by day of enumeration and cause, how
they ended and how many persons they are. Every figure that is published is an equation in these. The reader takes it
that a desa either brings families on a night or loses some, which is mostly so: it makes the bounds only tighter.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from regsosek.statistics.definitions.definitions import definitions
from support.figures.small_country import FIRST, RESULTS

TELLING = ("incomplete", "no_respondent", "refused", "moved")
CAUSES = {"new": 1, "late": 1, "withdrawn": -1}
MOST_PERSONS = 20
_FIELDS = {each.column: name for name, each in definitions().items()}
_NOUGHT = 1e-6


class Group(NamedTuple):
    """Families of which the reader knows nothing but place, night, day and cause."""

    desa: str
    night: int
    day: int
    cause: str


class Unknown(NamedTuple):
    """How many of a group ended so, or are its persons."""

    group: Group
    what: str


@dataclass(frozen=True)
class Exposed:
    """What a few families of a desa did on a night, as the reader has it."""

    desa: str
    night: int
    families: int
    what: str
    least: float
    most: float


def read(content: bytes) -> pd.DataFrame:
    """A table as anybody would read it."""
    codes = {"kode": str, "kode_induk": str}
    return pd.read_csv(io.BytesIO(content), dtype=codes).rename(columns=_FIELDS)


@dataclass
class Attack:
    """The equations that the files of some nights give."""

    nights: Sequence[Mapping[str, bytes]]
    unknowns: dict[Unknown, int] = field(default_factory=dict)
    equations: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tables = [{name: read(content) for name, content in files.items()} for files in self.nights]
        self.visible = self._visits()
        self.groups = list(self._possible())
        self._sizes()
        for night in range(len(self.nights)):
            self._regions(night)
            self._days(night)
            self._changes(night)
            self._arrivals(night)

    def exposed(self, most_families: int) -> list[Exposed]:
        """All that is known of at most so many families of a desa: how one ended, or how many persons they are."""
        solve = self._solver()
        found = []
        for (desa, night), visits in self.visible.items():
            if not 0 < abs(visits) <= most_families:
                continue
            own = [group for group in self.groups if (group.desa, group.night) == (desa, night)]
            # If none of them need have ended so, no single result is certain either.
            any_of = solve({self._of(group, what): 1.0 for group in own for what in TELLING})
            for what in TELLING if any_of > _NOUGHT else ():
                least = solve({self._of(group, what): 1.0 for group in own})
                if least > 1 - _NOUGHT:
                    found.append(Exposed(desa, night, abs(visits), what, least, abs(visits)))
            persons = {self._of(group, "persons"): 1.0 for group in own}
            least, most = solve(persons), -solve(dict.fromkeys(persons, -1.0))
            if most - least < 1 and most > 1 - _NOUGHT:
                found.append(Exposed(desa, night, abs(visits), "persons", least, most))
        return found

    def _of(self, group: Group, what: str) -> int:
        return self.unknowns.setdefault(Unknown(group, what), len(self.unknowns))

    def _visits(self) -> dict[tuple[str, int], int]:
        """What the table of desa tells by its differences."""
        stood: dict[str, int] = defaultdict(int)
        found = {}
        for night, tables in enumerate(self._tables):
            for code, visited in zip(tables["desa.csv"]["code"], tables["desa.csv"]["visited"], strict=True):
                found[code, night] = int(visited) - stood[code]
                stood[code] = int(visited)
        return found

    def _possible(self) -> Iterator[Group]:
        for (desa, night), visits in self.visible.items():
            if visits > 0:
                yield Group(desa, night, night, "new")
                yield from (Group(desa, night, day, "late") for day in range(night))
            elif visits < 0:
                yield from (Group(desa, night, day, "withdrawn") for day in range(night + 1))

    def _equals(self, groups: Iterable[Group], whats: Sequence[str], value: float, *, signed: bool = True) -> None:
        terms = {
            self._of(group, what): float(CAUSES[group.cause] if signed else 1) for group in groups for what in whats
        }
        self.equations.append((terms, value))

    def _sizes(self) -> None:
        for (desa, night), visits in self.visible.items():
            own = [group for group in self.groups if (group.desa, group.night) == (desa, night)]
            self._equals(own, RESULTS, visits)

    def _known(self, value: object) -> bool:
        return not pd.isna(value)  # type: ignore[call-overload]  # a cell of a table

    def _inside(self, code: str, also: Callable[[Group], bool]) -> list[Group]:
        return [group for group in self.groups if (code == "00" or group.desa.startswith(code)) and also(group)]

    def _regions(self, night: int) -> None:
        """Results that are told as of this night; what is held was an equation of another."""
        for level in ("nasional", "provinsi", "kabkota"):
            for row in self._tables[night][f"{level}.csv"].to_dict("records"):
                own = self._inside(row["code"], lambda group: group.night <= night)
                for what in (*RESULTS, "persons"):
                    if row["disclosure_status"] == "terbuka":
                        self._equals(own, [what], row[what])

    def _days(self, night: int) -> None:
        for row in self._tables[night]["harian.csv"].to_dict("records"):
            day = (pd.Timestamp(row["day"]).date() - FIRST) // timedelta(days=1)
            own = self._inside(row["code"], lambda group, day=day: group.night <= night and group.day == day)
            self._equals(own, RESULTS, row["visited"])
            for what in (*RESULTS, "persons"):
                if self._known(row[what]):
                    self._equals(own, [what], row[what])

    def _changes(self, night: int) -> None:
        """Changes by cause; the nation's, where some are merged, are the sums of what its provinces tell."""
        for row in self._tables[night]["perubahan.csv"].to_dict("records"):
            measure = _FIELDS[row["measure"]]
            of_sums = row["region_level"] == "nasional" and row["cause_merged"] != 0
            if of_sums or measure not in {"visited", *RESULTS, "persons"}:
                continue
            for cause in CAUSES:
                told = row[f"cause_{cause}"]
                own = self._inside(row["code"], lambda g, cause=cause: g.night == night and g.cause == cause)
                if self._known(told):
                    self._equals(own, RESULTS if measure == "visited" else [measure], told)

    def _arrivals(self, night: int) -> None:
        for row in self._tables[night]["kedatangan.csv"].to_dict("records"):
            of_night = (pd.Timestamp(row["arrival_night"]).date() - FIRST) // timedelta(days=1)
            own = self._inside(row["code"], lambda g, n=of_night: g.night == n and g.cause != "withdrawn")
            pairs = (("persons_received", ["persons"]), ("rows_quarantined", ["quarantined"]), ("received", RESULTS))
            for name, whats in pairs:
                if self._known(row[name]) and (name == "received" or row["code"] != "00"):
                    self._equals(own, whats, row[name], signed=False)

    def _solver(self) -> Callable[[Mapping[int, float]], float]:
        """What gives the least value of a sum of unknowns."""
        limits = list(self._persons())
        size = len(self.unknowns)
        equal, equal_to = _matrix(self.equations, size)
        below, below_of = _matrix(limits, size)

        def least(terms: Mapping[int, float]) -> float:
            costs = np.zeros(size)
            costs[list(terms)] = list(terms.values())
            found = linprog(costs, below, below_of, equal, equal_to, bounds=(0, None), method="highs")
            assert found.status == 0, found.message
            return float(found.fun)

        return least

    def _persons(self) -> Iterator[tuple[dict[int, float], float]]:
        """A family that answered has one person at least; one that did not has none that is told."""
        for group in self.groups:
            answered = [self._of(group, what) for what in ("complete", "incomplete")]
            persons = self._of(group, "persons")
            yield {persons: -1.0, **dict.fromkeys(answered, 1.0)}, 0.0
            yield {persons: 1.0, **dict.fromkeys(answered, -float(MOST_PERSONS))}, 0.0


def _matrix(rows: Sequence[tuple[Mapping[int, float], float]], size: int) -> tuple[coo_matrix, np.ndarray]:
    cells = [(n, place, factor) for n, (terms, _) in enumerate(rows) for place, factor in terms.items()]
    at, places, factors = zip(*cells, strict=True)
    return coo_matrix((factors, (at, places)), (len(rows), size)).tocsr(), np.array([value for _, value in rows])
