"""The drawings of the page: progress against plan and visits by day, as coordinates for inline SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.figures import Figures, nation
from regsosek.release.indonesian import number, percentage, short_date
from regsosek.statistics.percentages import percent

GRID_STEP = 20  # percent


@dataclass(frozen=True)
class Canvas:
    """The size of a drawing and the room around it, in the units of its viewBox; days between two labels."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    days_between_labels: int


CURVE = Canvas(width=620, height=330, left=62, right=22, top=14, bottom=36, days_between_labels=7)
BARS = Canvas(width=420, height=330, left=62, right=8, top=14, bottom=36, days_between_labels=10)


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """Lines in percent of target over the days of the campaign; points as SVG writes them."""

    canvas: Canvas
    plan: str
    visited: str
    complete: str
    tonight: tuple[float, float, float]
    labels: tuple[str, str, str]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    description: str


@dataclass(frozen=True)
class Bar:
    """Families visited on one day; ``title`` tells the figure where colours and lengths cannot."""

    x: float
    y: float
    height: float
    title: str


@dataclass(frozen=True)
class Bars:
    """Visits by day of enumeration."""

    canvas: Canvas
    bars: tuple[Bar, ...]
    width: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class _Scale:
    canvas: Canvas
    first: date
    days: int
    top_value: float

    def x(self, day: date) -> float:
        room = self.canvas.width - self.canvas.left - self.canvas.right
        return round(self.canvas.left + room * (day - self.first).days / max(self.days, 1), 1)

    def y(self, value: float) -> float:
        floor = self.canvas.height - self.canvas.bottom
        return round(floor - (floor - self.canvas.top) * value / self.top_value, 1)

    def points(self, days: Sequence[date], values: Sequence[float]) -> str:
        return " ".join(f"{self.x(day)},{self.y(value)}" for day, value in zip(days, values, strict=True))

    def days_labelled(self, offset: float = 0) -> tuple[Tick, ...]:
        labelled = (self.first + timedelta(days=n) for n in range(0, self.days, self.canvas.days_between_labels))
        return tuple(Tick(self.x(day) + offset, short_date(day)) for day in labelled)


def progress_curve(figures: Figures) -> Curve | None:
    """The nation's progress in percent of its target against the plan; None without a target."""
    row = nation(figures)
    target = row["target_families"]
    if percent(0, target) is None:
        return None
    days = _national_days(figures)
    first, last = _span(figures)
    so_far = days[(days["day"] >= first) & (days["day"] <= min(figures.night, last))]
    visited, complete = ([percent(n, target) or 0.0 for n in so_far[f"{m}_so_far"]] for m in ("visited", "complete"))
    planned = _plan_percent(figures, first, last)
    top = max(100.0, math.ceil(max([*visited, 0]) / GRID_STEP) * GRID_STEP)
    scale = _Scale(CURVE, first, (last - first).days, top)
    tonight = (visited[-1] if visited else 0.0, complete[-1] if complete else 0.0)
    plan_tonight = row["plan_percent"]
    return Curve(
        canvas=CURVE,
        plan=scale.points([day for day, _ in planned], [value for _, value in planned]),
        visited=scale.points(list(so_far["day"]), visited),
        complete=scale.points(list(so_far["day"]), complete),
        tonight=(scale.x(min(figures.night, last)), scale.y(tonight[0]), scale.y(tonight[1])),
        labels=(percentage(plan_tonight), percentage(tonight[0]), percentage(tonight[1])),
        x_ticks=scale.days_labelled(),
        y_ticks=tuple(Tick(scale.y(value), f"{value} %") for value in range(0, int(top) + 1, GRID_STEP)),
        description=(
            f"Sampai {short_date(figures.night)}: dikunjungi {percentage(tonight[0])}, selesai "
            f"{percentage(tonight[1])}, rencana {percentage(plan_tonight)} dari target."
        ),
    )


def daily_bars(figures: Figures) -> Bars:
    """Families visited on each day of the campaign so far, the nation."""
    first, last = _span(figures)
    days = _national_days(figures)
    shown = days[(days["day"] >= first) & (days["day"] <= min(figures.night, last))]
    top = _round_top(max([1, *shown["visited"]]))
    scale = _Scale(BARS, first, (last - first).days + 1, top)
    step = scale.x(first + timedelta(days=1)) - scale.x(first)
    bars = tuple(
        Bar(
            x=round(scale.x(day) + step * 0.12, 1),
            y=scale.y(visited),
            height=round(scale.y(0) - scale.y(visited), 1),
            title=f"{short_date(day)}: {number(int(visited))} keluarga",
        )
        for day, visited in zip(shown["day"], shown["visited"], strict=True)
    )
    y_ticks = tuple(Tick(scale.y(value), number(int(value))) for value in (0, top // 2, top))
    return Bars(BARS, bars, round(step * 0.76, 1), scale.days_labelled(offset=step / 2), y_ticks)


def _national_days(figures: Figures) -> pd.DataFrame:
    return figures.daily[figures.daily["code"] == NATION].sort_values("day")


def _span(figures: Figures) -> tuple[date, date]:
    windows = figures.windows.values()
    return min(window.opens for window in windows), max(window.closing(figures.night) for window in windows)


def _plan_percent(figures: Figures, first: date, last: date) -> list[tuple[date, float]]:
    """The plan of the whole campaign, weighted by the provinces' targets."""
    provinces = figures.completion[figures.completion["level"] == "provinsi"]
    targets = dict(zip(provinces["code"], provinces["target_families"].fillna(0).astype(int), strict=True))
    weighted = [(figures.windows[code], families) for code, families in targets.items() if code in figures.windows]
    whole = sum(families for _, families in weighted) or 1
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [(day, sum(w.plan_share(day) * families for w, families in weighted) * 100 / whole) for day in days]


def _round_top(value: int) -> int:
    """A round number that holds ``value`` without leaving the drawing half empty; half of it is whole."""
    magnitude = int(f"1{'0' * max(0, len(str(value)) - 2)}")
    return next(
        step * magnitude for step in (2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 60, 80, 100) if step * magnitude >= value
    )
