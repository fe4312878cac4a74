"""The figures of a release by region: what the pages look up, each value a plain one, ``None`` where there is none."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from regsosek.geography.regions import Level
from regsosek.release.figures.figures import Figures
from regsosek.release.files.tables import LEVELS_IN_FULL
from regsosek.statistics.definitions.definitions import public_fields
from regsosek.statistics.measures.status import BEHIND

Row = Mapping[str, Any]
LOWER_FIELDS = (
    "visited", "frame_families", "visited_of_frame", "plan_base", "plan_base_families", "plan_base_version",
    "plan_base_coverage", "visited_of_plan_base", "plan_percent", "gap_points", "status",
)  # fmt: skip
_NAMED = ("code", "name", "parent_code", "province", "level")
_BELOW: Mapping[str, Level] = {
    "nasional": "provinsi", "provinsi": "kabkota", "kabkota": "kecamatan", "kecamatan": "desa",
}  # fmt: skip


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of ``frame``, with ``None`` for whatever is missing."""
    values = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in values.to_dict("records")]


@dataclass(frozen=True)
class Atlas:
    """One release, region by region.

    Of regions below kab/kota only what is public there is read at all, so that no page can tell more.
    """

    figures: Figures

    @cached_property
    def regions(self) -> dict[str, Row]:
        """Every region that has a place on a page, by code, upper levels first."""
        completion = self.figures.completion
        found: dict[str, Row] = {}
        for level in ("nasional", *_BELOW.values()):
            own = completion[completion["level"] == level]
            known = (own["frame_families"] > 0) | (own["visited"].fillna(0) > 0)
            chosen = own if level in {"nasional", "provinsi"} else own[known]
            columns = list(own) if level in LEVELS_IN_FULL else [*_NAMED, *public_fields(LOWER_FIELDS, level)]
            found |= {row["code"]: row for row in plain(chosen[columns].sort_values("code"))}
        return found

    @cached_property
    def _children(self) -> Mapping[str, list[Row]]:
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.regions.values():
            if row["parent_code"] is not None:
                found[row["parent_code"]].append(row)
        return found

    def region(self, code: str) -> Row:
        """The figures of one region."""
        return self.regions[code]

    def children(self, code: str) -> list[Row]:
        """The regions one level below, in order of code."""
        return self._children.get(code, [])

    def of_level(self, level: str) -> list[Row]:
        """All regions of a level that have a place on a page."""
        return [row for row in self.regions.values() if row["level"] == level]

    @cached_property
    def states(self) -> dict[str, Row]:
        """What the night brought, by province."""
        return {row["province"]: row for row in plain(self.figures.provinces)}

    @cached_property
    def counted(self) -> list[Row]:
        """The provinces that have figures."""
        return [row for row in self.of_level("provinsi") if row["visited"] is not None]

    @cached_property
    def forecasts(self) -> dict[str, Row]:
        """Forecasts of provinces and kab/kota."""
        return {row["code"]: row for row in plain(self.figures.prospects.forecasts)}

    def forecasts_of(self, level: str) -> list[Row]:
        """The forecasts of all regions of a level, in order of code."""
        return [self.forecasts[row["code"]] for row in self.of_level(level) if row["code"] in self.forecasts]

    @cached_property
    def cases(self) -> Mapping[str, list[Row]]:
        """What more days or officers would change."""
        return _grouped(self.figures.prospects.cases)

    @cached_property
    def floors(self) -> Mapping[str, list[Row]]:
        """The floor beside the mean."""
        return _grouped(self.figures.floors)

    @cached_property
    def changes(self) -> Mapping[str, list[Row]]:
        """What changed against the release before, of nation, provinces and kab/kota."""
        table = self.figures.changes.table
        return _grouped(table[table["level"].isin(LEVELS_IN_FULL)])

    @cached_property
    def restated(self) -> Mapping[str, list[Row]]:
        """The earlier days of enumeration whose figures changed, of nation and provinces."""
        return _grouped(self.figures.restated.sort_values(["code", "day"]))

    @cached_property
    def streams(self) -> Mapping[str, list[Row]]:
        """Streams side by side."""
        return _grouped(self.figures.streams)

    @cached_property
    def photos(self) -> dict[str, Row]:
        """Photo coverage."""
        return {row["code"]: row for row in plain(self.figures.photos)}

    @cached_property
    def days(self) -> Mapping[str, list[Row]]:
        """What was visited by day of enumeration, of nation and provinces."""
        return _grouped(self.figures.daily.sort_values(["code", "day"]))

    @cached_property
    def rules(self) -> Mapping[str, list[Row]]:
        """What was violated most first, of provinces and the nation; rules that nobody there violates are left out."""
        violated = self.figures.rules[self.figures.rules["violating"] > 0]
        by = {"violating": False, "rule_id": True, "rule_dataset": True, "severity": True}
        return _grouped(violated.sort_values(list(by), ascending=list(by.values())))

    @cached_property
    def calendar(self) -> Mapping[str, dict[Any, Row]]:
        """By province and night: its state, and the families that arrived."""
        found: defaultdict[str, dict[Any, Row]] = defaultdict(dict)
        for row in plain(self.figures.calendar):
            found[row["code"]][row["night"]] = row
        return found

    @cached_property
    def nights(self) -> Sequence[Any]:
        """The nights of the calendar, the oldest first."""
        return sorted({night for own in self.calendar.values() for night in own})

    def chain(self, code: str) -> list[Row]:
        """A region and all above it, the nation first."""
        found = [self.regions[code]]
        while (above := found[0]["parent_code"]) is not None:
            found.insert(0, self.regions[above])
        return found


def level_below(level: str) -> Level:
    """The level of the parts of a region of ``level``."""
    return _BELOW[level]


def lags(row: Row) -> bool:
    """Whether a region is behind by the rules: below plan by less than they allow is on plan."""
    return row.get("status") in BEHIND


def furthest_behind(rows: Iterable[Row], most: int) -> list[Row]:
    """Those below their plan, the furthest first."""
    behind = [row for row in rows if row["gap_points"] is not None and row["gap_points"] < 0]
    return sorted(behind, key=lambda row: (row["gap_points"], row["code"]))[:most]


def _grouped(frame: pd.DataFrame) -> Mapping[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in plain(frame):
        found[row["code"]].append(row)
    return found
