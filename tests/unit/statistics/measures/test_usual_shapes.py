"""Campaigns of usual shapes that end in time are flagged on two nights at most; the documentation says on how many."""

from collections.abc import Callable
from datetime import date, timedelta
from math import exp

import pytest

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import STEADY, PlanShape, plan_shapes
from regsosek.settings import PROJECT_ROOT
from regsosek.statistics.measures.course import Pace, course_of, pace_of
from regsosek.statistics.measures.status import BEHIND

DOCUMENT = PROJECT_ROOT / "docs" / "alerts.md"
BEGIN, END = "<!-- shapes: begin -->", "<!-- shapes: end -->"
FAMILIES, DAYS = 100_000, 31
OPENS = date(2022, 10, 15)
WINDOW = FieldWindow("35", OPENS, OPENS + timedelta(days=DAYS - 1))
Shape = Callable[[float], float]


def logistic(middle: float) -> Shape:
    """Share of the target by share of the window, steepest at ``middle``, from 0 to 1."""

    def curve(t: float) -> float:
        return 1 / (1 + exp(10 * (middle - t)))

    return lambda t: (curve(t) - curve(0)) / (curve(1) - curve(0))


def stopped(t: float) -> float:
    """Nobody works on days 15 to 20, and nothing of it is made up."""
    lost = min(max(t * DAYS - 14, 0), 6) / DAYS
    return t - lost


NATION = plan_shapes()["regsosek-2022"].over(DAYS)
USUAL: dict[str, Shape] = {
    "the same every day, to 100 %": lambda t: t,
    "the same every day, to 97 %": lambda t: 0.97 * t,
    "t^0.8, to 97 %": lambda t: 0.97 * t**0.8,
    "t^1.35, to 97 %": lambda t: 0.97 * t**1.35,
    "t^1.9, to 97 %": lambda t: 0.97 * t**1.9,
    "S-curve 3t² − 2t³": lambda t: 3 * t * t - 2 * t**3,
    "logistic, middle at 45 % of the window": logistic(0.45),
    "the nation of 2022 as published": lambda t: NATION.share(t * DAYS),
}
UNUSUAL: dict[str, Shape] = {
    "logistic, middle at 60 % of the window": logistic(0.6),
    "nobody works on days 15 to 20": stopped,
    "40 % on day 25 (Papua, 2022)": lambda t: min(0.4, 0.4 * t * DAYS / 25),
}


def paces(shape: Shape, window: FieldWindow = WINDOW) -> list[Pace]:
    """How each night of the window is judged."""
    nights = [OPENS + timedelta(days=n) for n in range(DAYS)]
    return [pace_of(course_of(window, each), round(shape((n + 1) / DAYS) * FAMILIES), FAMILIES)
            for n, each in enumerate(nights)]  # fmt: skip


def flagged(found: list[Pace]) -> list[Pace]:
    return [each for each in found if each.status in BEHIND]


def on_plan(found: list[Pace]) -> list[Pace]:
    return [each for each in found if each.status == "on_plan"]


@pytest.mark.parametrize("name", USUAL | UNUSUAL)
def test_no_large_gap_is_called_on_plan(name: str) -> None:
    """A reader who sees 22 of 36 percent beside the words *on plan* stops believing the page."""
    for each in on_plan(paces((USUAL | UNUSUAL)[name])):
        assert (each.gap_points or 0) >= -5


@pytest.mark.parametrize("name", USUAL)
def test_who_ends_in_time_on_a_usual_shape_is_flagged_on_two_nights_at_most_and_never_far(name: str) -> None:
    found = flagged(paces(USUAL[name]))
    assert len(found) <= 2
    assert not [each for each in found if each.status == "far_behind"]


def test_who_will_not_end_in_time_is_flagged_while_there_is_time() -> None:
    found = paces(UNUSUAL["40 % on day 25 (Papua, 2022)"])
    assert (found[19].status, found[24].status) == ("behind", "far_behind")
    late = paces(UNUSUAL["nobody works on days 15 to 20"])
    assert late[24].status == "behind"


@pytest.mark.parametrize("days", [20, 31, 47])
def test_no_plan_of_the_calendar_ends_before_its_window(days: int) -> None:
    window = FieldWindow("35", OPENS, OPENS + timedelta(days=days - 1))
    assert isinstance(window.plan, PlanShape)
    assert pace_of(course_of(window, window.closes - timedelta(days=1)), 0, FAMILIES).plan_percent != 100
    assert pace_of(course_of(window, window.closes), 0, FAMILIES).plan_percent == 100


def test_the_documentation_states_how_many_nights_are_flagged() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    stated = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()
    assert stated == counted(), "put this table into docs/alerts.md:\n" + counted()


def counted() -> str:
    """The table of docs/alerts.md."""
    head = ("shape, of 31 days", "ends in time", "nights below plan, within limits", "behind / far behind",
            "largest gap, points", "largest gap called on plan", "by 4 % a day, behind / far behind")  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---|---|---:|---:|---:|---:|---:|"]
    steady = FieldWindow("35", WINDOW.opens, WINDOW.closes, plan=STEADY)
    for name, shape in (USUAL | UNUSUAL).items():
        own, by_steady = (flagged(paces(shape, window)) for window in (WINDOW, steady))
        found = paces(shape)
        below = sum(each.status == "below_plan" for each in found)
        in_time = "yes" if shape(1) > 0.95 else "no"
        gaps = f"{_largest_gap(found):.0f} | {_largest_gap(on_plan(found)):.0f}"
        lines.append(f"| {name} | {in_time} | {below} | {told(own)} | {gaps} | {told(by_steady)} |")
    return "\n".join(lines)


def _largest_gap(found: list[Pace]) -> float:
    return max(0.0, *(-(each.gap_points or 0) for each in found), 0.0)


def told(found: list[Pace]) -> str:
    far = sum(each.status == "far_behind" for each in found)
    return f"{len(found) - far} / {far}"
