"""Which published figure is asked for: a region of the release of a night, a measure that is public there, or a day.

Every refusal names the choices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.errors import UnknownFigureError
from regsosek.geography.regions import Level
from regsosek.landing.store import Store
from regsosek.release.figures.disclosure import HELD, WITHHELD
from regsosek.release.figures.previous_release import FormerRelease, published_table, releases_of
from regsosek.release.files.tables import REGION_TABLES
from regsosek.statistics.counts.restatement import BEFORE_ALL
from regsosek.statistics.definitions.definitions import Definition, definitions
from regsosek.statistics.measures.region_figures import NONRESPONSE
from regsosek.warehouse.tables import PROGRESS_MEASURES

SHOWN = 12
# Published by day, as the sum of all days until then.
SO_FAR = {"visited_so_far": ("visited",), "complete_so_far": ("complete",)}
# What a measure is the sum of, in the columns that the changes are kept in.
PARTS = {**{measure: (measure,) for measure in PROGRESS_MEASURES}, "nonresponse": NONRESPONSE, **SO_FAR}
DAY_LEVELS = ("nasional", "provinsi")

_REGION = "SELECT code, level, name FROM reference.region WHERE code = :code"
_BELOW = "SELECT code, name FROM reference.region WHERE parent_code = :code ORDER BY code"

_PROVINCE = """
SELECT p.code FROM reference.region p JOIN reference.region_ancestor a ON a.ancestor_code = p.code
WHERE a.code = :code AND p.level = 'provinsi'
"""


@dataclass(frozen=True)
class ProvinceCount:
    """What was published of the same count for the province that a region lies in."""

    code: str
    count: int


@dataclass(frozen=True)
class AskedFigure:
    """A figure of a release.

    Attributes:
        release: the one that was published last of its night.
        releases: how many were published of that night.
        day: only what was enumerated on it, or until it (``SO_FAR``); None for all days.
        measure: its definition; a share, or a count.
        counted: the count, or the numerator of the share: a key of ``PARTS``.
        province: of a region below the province.
        published: the columns of the published row; None where the table leaves a region without figures out.
    """

    code: str
    level: Level
    name: str
    night: date
    day: date | None
    measure: Definition
    counted: str
    release: FormerRelease
    releases: int
    province: ProvinceCount | None
    published: "pd.Series[Any] | None"

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns of the changes that add up to what is counted."""
        return PARTS[self.counted]

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day of enumeration that is counted; None for all days."""
        if self.day is None:
            return None
        return (BEFORE_ALL if self.counted in SO_FAR else self.day, self.day)

    @property
    def withheld(self) -> bool:
        """Whether readers were told it as of an earlier night, or not at all (``release/figures/disclosure.py``)."""
        status = None if self.published is None else self.published.get("disclosure_status")
        return status in {HELD, WITHHELD} and not {"visited"}.issuperset(self.parts)

    @property
    def file(self) -> str:
        """The published table that the figure stands in."""
        return f"{self.level}.csv" if self.day is None else "harian.csv"

    @property
    def published_count(self) -> int:
        """What was published of :attr:`counted`."""
        return self.published_number(self.counted) or 0

    def published_number(self, field: str) -> int | None:
        """A whole number of the published row; None where it is empty."""
        return None if self.published is None else _whole(self.published.get(field))


def asked_figure(
    connection: Connection, store: Store, bucket: str, region: str, measure: str, night: date, day: date | None = None
) -> AskedFigure:
    """The published figure that is meant.

    Args:
        measure: a field or a published column, as ``docs/glossary.md`` lists them.

    Raises:
        UnknownFigureError: nothing was published of the night, or it has no such region, measure or day.
    """
    release, releases = release_of_night(connection, night)
    level, name = known_region(connection, region)
    chosen = _measure(measure, level, day)
    counted = chosen.numerator or chosen.field
    row = _published_row(store, bucket, release, level, region, day)
    province = None if level in DAY_LEVELS else _province(connection, store, bucket, release, region, counted)
    return AskedFigure(region, level, name, night, day, chosen, counted, release, releases, province, row)


def release_of_night(connection: Connection, night: date) -> tuple[FormerRelease, int]:
    """The release that was published last of ``night``, and how many were.

    Raises:
        UnknownFigureError: none was; it names the nights of which one was.
    """
    found = releases_of(connection, night)
    if not found:
        nights = connection.execute(text("SELECT DISTINCT night FROM release.release ORDER BY night DESC")).scalars()
        there = shown_names(map(str, nights))
        raise UnknownFigureError(f"nothing is published of night {night}; published nights: {there}")
    return found[0], len(found)


def known_region(connection: Connection, code: str) -> tuple[Level, str]:
    """Level and name of a region.

    Raises:
        UnknownFigureError: there is none; it names those below the nearest that there is.
    """
    found = connection.execute(text(_REGION), {"code": code}).first()
    if found is not None:
        level: Level = found.level
        return level, found.name
    for end in range(len(code) - 1, -1, -1):
        above = connection.execute(text(_REGION), {"code": code[:end] or "00"}).first()
        if above is not None:
            below = connection.execute(text(_BELOW), {"code": above.code})
            choices = shown_names(f"{row.code} {row.name}" for row in below)
            raise UnknownFigureError(
                f"region {code} is not known; below {above.code} {above.name}: {choices or 'none'}"
            )
    raise UnknownFigureError(f"region {code} is not known; load the regions with `regsosek reference`")


def choices(level: Level, day: date | None = None) -> list[Definition]:
    """The measures that can be asked for of a region of ``level``."""
    public = {definitions()[field].field for field in REGION_TABLES[f"{level}.csv"][1]}
    if day is not None:
        return [definitions()[measure] for measure in (*PROGRESS_MEASURES, *SO_FAR)]
    return [each for each in definitions().values() if each.field in public and _is_counted(each)]


def _is_counted(each: Definition) -> bool:
    return each.field in PARTS or (each.numerator in PARTS and each.denominator not in PARTS)


def _measure(measure: str, level: Level, day: date | None) -> Definition:
    if day is not None and level not in DAY_LEVELS:
        raise UnknownFigureError(
            f"figures by day are published of {' and '.join(DAY_LEVELS)}, not of {level}; omit --day"
        )
    found = [each for each in choices(level, day) if measure in {each.field, each.column}]
    if not found:
        named = ", ".join(each.field for each in choices(level, day))
        where = f"of {level}" if day is None else "by day"
        raise UnknownFigureError(f"measure {measure!r} cannot be taken back {where}; choose one of {named}")
    return found[0]


def _published_row(
    store: Store, bucket: str, release: FormerRelease, level: Level, code: str, day: date | None
) -> "pd.Series[Any] | None":
    name = f"{level}.csv" if day is None else "harian.csv"
    table = published_table(store, bucket, release, name)
    chosen = table[table["code"] == code]
    if day is None:
        return None if chosen.empty else chosen.iloc[0]
    of_day = chosen[chosen["day"] == day.isoformat()]
    if of_day.empty:
        days = shown_names(sorted(set(chosen["day"]), reverse=True))
        raise UnknownFigureError(f"the release of night {release.as_of.night} has no day {day}; it has {days}")
    return of_day.iloc[0]


def _province(
    connection: Connection, store: Store, bucket: str, release: FormerRelease, region: str, counted: str
) -> ProvinceCount:
    code = province_of(connection, region)
    assert code is not None, "the nation is not asked for its province"
    row = _published_row(store, bucket, release, "provinsi", code, None)
    return ProvinceCount(code, (None if row is None else _whole(row.get(counted))) or 0)


def province_of(connection: Connection, region: str) -> str | None:
    """The province that a region lies in or is; None of the nation."""
    found: str | None = connection.execute(text(_PROVINCE), {"code": region}).scalar()
    return found


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else round(float(value))


def shown_names(names: Iterable[str]) -> str:
    """The first of some names for a message, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
