"""The plan: which share of its families a region should have visited by the end of each day of its window.

A curve is cumulative shares by day, straight lines between them; nothing is planned before day 1, and after its last
day it stays where it ended: at the whole. A shape (``plan_shapes.csv``) becomes a curve on a window of any length.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import DATA, read_table
from regsosek.geography.regions import region_master
from regsosek.wording import Text
from regsosek.wording.texts import read_texts

PERCENT_PER_DAY = 4
WHOLE = 100  # percent
EVERYWHERE = "*"
VERSION_DIGITS = 12
STEADY_NAME = "4-percent-a-day"
SUPPLIED_NAME, NATION_NAME = "supplied", "nation"
_COLUMNS = ("region", "day", "share_percent", "source")
_SHAPE_COLUMNS = ("shape", "window_percent", "share_percent", "source")


@dataclass(frozen=True, slots=True)
class PlanCurve:
    """Cumulative shares (0 to 1) by day of the window.

    ``days`` and ``shares`` begin with day 0 and share 0; days rise, shares never fall, and the last share is 1.
    ``name`` is a key of :func:`plan_words`.
    """

    days: tuple[float, ...]
    shares: tuple[float, ...]
    name: str

    def over(self, _days: int) -> "PlanCurve":
        """Itself: its days are those of the calendar, however long the window."""
        return self

    def share(self, day: float) -> float:
        """The share that should be reached by the end of ``day``."""
        if day >= self.days[-1]:
            return 1.0
        place = bisect_right(self.days, day) - 1
        return 0.0 if place < 0 else _between(day, self.days, self.shares, place)

    def days_behind(self, day: float, reached: float) -> float:
        """How many days ago the plan stood where ``reached`` (a share, may exceed 1) stands at the end of ``day``.

        Behind: counted from the last moment at which the plan was no further. Ahead: negative, to the first moment at
        which it will be as far; whoever has more than the whole is ahead of the plan's last day and of no later one.
        """
        if reached < self.share(day):
            return day - self._last_at(reached)
        return day - max(day, self._first_at(reached))

    def _last_at(self, reached: float) -> float:
        place = bisect_right(self.shares, reached) - 1
        return _between(reached, self.shares, self.days, place)

    def _first_at(self, reached: float) -> float:
        if reached >= 1:
            return self.days[bisect_left(self.shares, 1.0)]
        place = bisect_left(self.shares, reached)
        return (
            self.days[place] if self.shares[place] == reached else _between(reached, self.shares, self.days, place - 1)
        )


@dataclass(frozen=True, slots=True)
class PlanShape:
    """Cumulative shares (0 to 1) by the share of the window that has passed; both begin with 0 and end with 1."""

    elapsed: tuple[float, ...]
    shares: tuple[float, ...]
    name: str

    def over(self, days: int) -> PlanCurve:
        """The curve on a window of so many days: it reaches the whole on the last of them and not before."""
        return _stretched(self, days)


Plan = PlanShape | PlanCurve


@cache
def _stretched(shape: PlanShape, days: int) -> PlanCurve:
    return PlanCurve(tuple(days * each for each in shape.elapsed), shape.shares, shape.name)


def _between(x: float, xs: tuple[float, ...], ys: tuple[float, ...], place: int) -> float:
    """The value at ``x`` on the straight line from point ``place`` to the next."""
    width = xs[place + 1] - xs[place]
    return ys[place] if width == 0 else ys[place] + (ys[place + 1] - ys[place]) * (x - xs[place]) / width


def steady(percent_per_day: int = PERCENT_PER_DAY) -> PlanCurve:
    """The same share every day until all is done."""
    days = math.ceil(WHOLE / percent_per_day)
    shares = tuple(min(WHOLE, percent_per_day * day) / WHOLE for day in range(days + 1))
    return PlanCurve(tuple(map(float, range(days + 1))), shares, STEADY_NAME)


STEADY = steady()


@cache
def plan_words() -> dict[str, Text]:
    """Whose plan it is, by name of the shape; ``supplied`` and ``nation`` stand for curves that are no shape."""
    return read_texts(DATA / "plan_words.csv")


@cache
def plan_shapes() -> dict[str, Plan]:
    """What can be planned where no curve is supplied, by name: the shapes of ``plan_shapes.csv``, and 4 % a day."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in read_table(DATA / "plan_shapes.csv", _SHAPE_COLUMNS):
        point = float(row["window_percent"]) / WHOLE, float(row["share_percent"]) / WHOLE
        points.setdefault(row["shape"], [(0.0, 0.0)]).append(point)
    return {**{name: _shape(name, each) for name, each in points.items()}, STEADY_NAME: STEADY}


def _shape(name: str, points: Iterable[tuple[float, float]]) -> PlanShape:
    elapsed, shares = zip(*points, strict=True)
    return PlanShape(elapsed, shares, name)


def shape_named(name: str) -> Plan:
    """The shape of that name.

    Raises:
        ReferenceDataError: there is none.
    """
    try:
        return plan_shapes()[name]
    except KeyError:
        raise ReferenceDataError(f"no plan is called {name!r}; name one of {', '.join(plan_shapes())}") from None


DEFAULT_NAME = "s-curve"
DEFAULT_PLAN = shape_named(DEFAULT_NAME)


@dataclass(frozen=True)
class Plans:
    """The curves that were supplied, by province or kab/kota; whoever has none follows the next region above.

    ``default`` is what is planned where none is supplied. ``version``: its name, and the beginning of the file's
    SHA-256 if there is one.
    """

    supplied: Mapping[str, PlanCurve]
    version: str = DEFAULT_NAME
    default: Plan = DEFAULT_PLAN

    def of(self, *regions: str) -> Plan:
        """The curve of the first of ``regions`` (lowest first) that has one, else that of all, else the default."""
        return next((self.supplied[code] for code in (*regions, EVERYWHERE) if code in self.supplied), self.default)


NONE_SUPPLIED = Plans({})


def plans(path: Path | None = None, shape: str = DEFAULT_NAME) -> Plans:
    """The plans of all regions.

    Args:
        path: CSV with the columns region (code of a province or kab/kota, ``*`` for all others), day (of the window,
            from 1), share_percent (cumulative, at its end) and source. Days that are left out lie on the straight line
            between their neighbours.
        shape: what is planned for whom the file names no curve (:func:`plan_shapes`).

    Raises:
        ReferenceDataError: the file cannot be read, or a curve names no known region, repeats a day, falls, or does
            not end at 100; or there is no such shape.
    """
    default = shape_named(shape)
    if path is None:
        return Plans({}, shape, default)
    points: dict[str, dict[int, float]] = {}
    for row in read_table(path, _COLUMNS):
        place = f"{path.name}: region {row['region']}, day {row['day']}"
        day, share = _point(place, row)
        if day in points.setdefault(row["region"], {}):
            raise ReferenceDataError(f"{place}: stands twice; keep one line")
        points[row["region"]][day] = share
    _require_known(path.name, points)
    curves = {region: _curve(f"{path.name}: region {region}", each) for region, each in points.items()}
    digest = sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS]
    return Plans(curves, f"{shape}+{digest}", default)


def _point(place: str, row: Mapping[str, str]) -> tuple[int, float]:
    try:
        day, percent = int(row["day"]), float(row["share_percent"])
    except ValueError:
        day, percent = 0, 0.0
    if day < 1 or not 0 <= percent <= WHOLE:
        raise ReferenceDataError(f"{place}: day must be a whole number from 1, share_percent 0 to 100")
    if not row["source"]:
        raise ReferenceDataError(f"{place}: say in column source where the plan comes from")
    return day, percent / WHOLE


def _require_known(file_name: str, regions: Iterable[str]) -> None:
    known = {EVERYWHERE, *(each.code for each in provinces())}
    strangers = [code for code in sorted(regions) if code not in known and not _is_kabkota(code)]
    if strangers:
        fix = f"write the BPS code of a province or kab/kota, or {EVERYWHERE} for all others"
        raise ReferenceDataError(f"{file_name}: no such regions: {', '.join(strangers)}; {fix}")


def _is_kabkota(code: str) -> bool:
    return region_master().region(code, "kabkota") is not None


def _curve(place: str, points: Mapping[int, float]) -> PlanCurve:
    days = sorted(points)
    shares = [0.0, *(points[day] for day in days)]
    falling = [str(day) for day, before, share in zip(days, shares, shares[1:], strict=False) if share < before]
    if falling:
        raise ReferenceDataError(f"{place}: falls on day {', '.join(falling)}; shares are cumulative")
    if shares[-1] != 1:
        raise ReferenceDataError(f"{place}: ends at {shares[-1] * 100:g} %; a plan ends at 100")
    return PlanCurve((0.0, *map(float, days)), tuple(shares), SUPPLIED_NAME)
