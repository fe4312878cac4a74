"""A figure as published on a night, and as it is known for that night now; the difference by cause, adding up exactly.

Bitemporal: *now* is the newest night of each province; *for that night* is what was enumerated up to it (or on the day
that is asked for). A share is moved by each cause at the published denominator, and by another denominator on top.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from regsosek.asking.figures.published_figure import AskedFigure
from regsosek.geography.planning import Planning
from regsosek.statistics.counts.changes import CAUSES
from regsosek.statistics.counts.restatement import BEFORE_ALL, changes_of_region
from regsosek.statistics.counts.tree import completion
from regsosek.statistics.definitions.as_of import AsOf, last_refreshed
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.denominators import with_denominators
from regsosek.statistics.measures.region_figures import region_figures

# Counted then although enumerated, by their own word, after that night; and cause of a share only: the denominator.
DATED_AFTER, DENOMINATOR = "dated_after", "denominator"
# Known then, and not told so as to protect single families.
NOT_TOLD = "not_told"


@dataclass(frozen=True)
class RestatedShare:
    """A share as published and as known now; ``points`` by cause, in percentage points, missing without denominator."""

    denominator: str
    published_denominator: int | None
    published_version: str
    now_denominator: int | None
    now_version: str
    published: Fraction | None
    now: Fraction | None
    points: Mapping[str, Fraction]


@dataclass(frozen=True)
class RestatedFigure:
    """A count as published and as known now: ``published + sum(causes) = now``.

    Attributes:
        newest_night: the newest night whose data *now* holds.
        causes: those that moved it: of ``statistics.changes``, ``frame``, ``reopened``, ``dated_after``, ``not_told``.
        share: if a share was asked for.
    """

    asked: AskedFigure
    newest_night: date
    published: int
    now: int
    causes: Mapping[str, int]
    share: RestatedShare | None


def restated_figure(connection: Connection, asked: AskedFigure, planned: Planning) -> RestatedFigure:
    """Takes a published figure to what is known of it now."""
    newest = last_refreshed(connection, date.max)
    now = _known(connection, asked, asked.code, newest)
    causes = _causes(connection, asked, asked.code, newest)
    rest = now - asked.published_count - sum(causes.values())
    if rest:
        causes |= {_cause_of_rest(connection, asked): rest}
    moved = {cause: count for cause, count in causes.items() if count}
    share = _share(connection, asked, now, moved, planned) if asked.measure.is_share else None
    newest_night = max(newest.nights.values(), default=asked.night)
    return RestatedFigure(asked, newest_night, asked.published_count, now, moved, share)


def _days(asked: AskedFigure) -> tuple[date, date]:
    return asked.days or (BEFORE_ALL, asked.night)


def _sum(changes: pd.DataFrame, asked: AskedFigure) -> int:
    return int(changes[list(asked.parts)].to_numpy().sum())


def _known(connection: Connection, asked: AskedFigure, region: str, as_of: AsOf) -> int:
    """What is known as of ``as_of`` of the days that are asked for."""
    changes = changes_of_region(connection, as_of, AsOf(as_of.night, {}), region, _days(asked))
    return _sum(changes[changes["within"]], asked)


def _causes(connection: Connection, asked: AskedFigure, region: str, newest: AsOf) -> dict[str, int]:
    released = asked.release.as_of
    changes = changes_of_region(connection, newest, released, region, _days(asked))
    within = changes[changes["within"]]
    causes = {cause: _sum(within[within["cause"] == cause], asked) for cause in CAUSES}
    if asked.day is not None:
        return causes
    then = changes_of_region(connection, released, AsOf(released.night, {}), region, _days(asked))
    return causes | {DATED_AFTER: -_sum(then[~then["within"]], asked)}


def _cause_of_rest(connection: Connection, asked: AskedFigure) -> str:
    """As in the release: a frame moves places inside of a province, so a province that differs was processed again.

    What was not told is not told apart from these.
    """
    if asked.withheld:
        return NOT_TOLD
    if asked.province is None:
        return "reopened"
    released = asked.release.as_of
    then = changes_of_region(connection, released, AsOf(released.night, {}), asked.province.code, _days(asked))
    return "frame" if _sum(then, asked) == asked.province.count else "reopened"


def _share(
    connection: Connection, asked: AskedFigure, now: int, causes: Mapping[str, int], planned: Planning
) -> RestatedShare:
    field = asked.measure.denominator
    version = definitions()[field].version
    row = _denominators(connection, asked, planned)
    before, after = asked.published_number(field), _whole(row[field])
    return RestatedShare(
        denominator=field,
        published_denominator=before,
        published_version=_text(None if asked.published is None else asked.published.get(version)),
        now_denominator=after,
        now_version=_text(row.get(version)),
        published=_percent(asked.published_count, before),
        now=_percent(now, after),
        points=_points(causes, now, before, after),
    )


def _denominators(connection: Connection, asked: AskedFigure, planned: Planning) -> "pd.Series[Any]":
    """The region's row for the night by what is known now."""
    as_of = last_refreshed(connection, asked.night)
    counted = completion(connection, as_of)
    regions = with_denominators(connection, as_of, planned.windows, counted, planned.targets)
    figures = region_figures(regions, planned.windows, planned.plans, as_of.night, as_of.nights)
    return figures[figures["code"] == asked.code].iloc[0]


def _points(causes: Mapping[str, int], now: int, before: int | None, after: int | None) -> dict[str, Fraction]:
    """Percentage points by cause: counts at the published denominator, then the denominator itself."""
    if not before or not after:
        return {}
    counted = {cause: Fraction(100 * count, before) for cause, count in causes.items()}
    other = Fraction(100 * now, after) - Fraction(100 * now, before)
    return counted | ({DENOMINATOR: other} if other else {})


def _percent(count: int, of: int | None) -> Fraction | None:
    return Fraction(100 * count, of) if of else None


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
