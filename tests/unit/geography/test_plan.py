"""Plans: cumulative shares by day of the window, and how far in days somebody is from them."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import FieldWindow, planned_windows
from regsosek.geography.plan import STEADY, PlanCurve, plan_shapes, plan_words, plans

# Slow, a pause on days 3 to 5, then fast: what an S-curve with a holiday looks like.
PAUSED = PlanCurve((0, 2, 3, 5, 10), (0, 0.1, 0.2, 0.2, 1), "uji")

curves = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 100)), min_size=1, max_size=8, unique_by=lambda p: p[0])


@st.composite
def any_curve(draw: st.DrawFn) -> PlanCurve:
    points = draw(curves)
    days = sorted(day for day, _ in points)
    shares = sorted(share for _, share in points)
    return PlanCurve((0, *days, days[-1] + 1), (0, *(share / 100 for share in shares), 1), "uji")


@pytest.mark.parametrize(
    ("day", "reached", "behind"),
    [
        (7, 0.24, 1),  # Situbondo: 24 % on day 7, planned 28 %: where the plan stood a day ago
        (7, 0.28, 0),
        (7, 0.36, -2),
        (7, 0.0, 7),
        (7, 0.26, 0.5),
        (31, 0.9, 8.5),  # the plan stood at 90 % in the middle of day 23
        (31, 1.0, 0),  # done is not behind, however long ago the plan was done
        (31, 1.2, 0),
        (10, 1.0, -15),
        (10, 1.2, -15),  # more than the whole is as far ahead as the plan reaches
        (0, 0.0, 0),
    ],
)
def test_days_behind_a_steady_plan(day: int, reached: float, behind: float) -> None:
    assert STEADY.days_behind(day, reached) == pytest.approx(behind, abs=1e-9)


@pytest.mark.parametrize(
    ("day", "reached", "behind"),
    [
        (4, 0.2, 0),  # in the pause the plan stands where we stand
        (6, 0.2, 1),  # the last moment at which it stood there is the end of the pause
        (2, 0.2, -1),  # the first moment at which it will stand there is its beginning
        (7.5, 0.15, 5),
    ],
)
def test_days_behind_a_plan_that_pauses(day: float, reached: float, behind: float) -> None:
    assert PAUSED.days_behind(day, reached) == pytest.approx(behind, abs=1e-9)


@given(any_curve(), st.integers(0, 50), st.integers(0, 150), st.integers(0, 150))
def test_who_has_more_is_never_further_behind(curve: PlanCurve, day: int, one: int, other: int) -> None:
    less, more = sorted((one / 100, other / 100))
    assert curve.days_behind(day, more) <= curve.days_behind(day, less) + 1e-9


@given(any_curve(), st.integers(0, 50), st.integers(0, 150))
def test_standing_still_falls_back_by_at_most_a_day_a_day(curve: PlanCurve, day: int, reached: int) -> None:
    today, tomorrow = (curve.days_behind(when, reached / 100) for when in (day, day + 1))
    assert today - 1e-9 <= tomorrow
    if today > 0 and reached < 100:
        assert tomorrow == pytest.approx(today + 1)


@given(any_curve(), st.integers(0, 50), st.integers(0, 150))
def test_behind_in_days_is_behind_in_shares(curve: PlanCurve, day: int, reached: int) -> None:
    behind = curve.days_behind(day, reached / 100)
    assert (behind > 0) == (reached / 100 < curve.share(day))


@given(any_curve(), st.floats(0, 60))
def test_a_plan_never_falls_and_stays_a_share(curve: PlanCurve, day: float) -> None:
    assert 0 <= curve.share(day) <= curve.share(day + 0.5) <= 1


def written(path: Path, *lines: str) -> Path:
    file = path / "rencana.csv"
    file.write_text("\n".join(["region,day,share_percent,source", *lines]))
    return file


def test_a_region_follows_its_own_plan_else_that_of_the_region_above(tmp_path: Path) -> None:
    file = written(tmp_path, "64,10,20,uji", "64,31,100,uji", "6403,31,100,uji", "*,20,100,uji")
    found = plans(file)
    assert found.of("6403", "64").over(31).share(31) == 1
    assert found.of("6403", "64").over(31).share(15.5) == pytest.approx(0.5)
    assert found.of("6402", "64").over(31).share(10) == pytest.approx(0.2)
    assert found.of("11").over(31).share(10) == pytest.approx(0.5)
    assert planned_windows(plan=file)["64"].plan.over(37).share(5) == pytest.approx(0.1)


@pytest.mark.parametrize("name", sorted(plan_shapes()))
def test_who_has_no_curve_follows_the_shape_that_is_named_and_readers_are_told_which(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, "64,31,100,uji")
    found = plans(file, name)
    assert found.of("11") is plan_shapes()[name] is plans(shape=name).of("6403", "64")
    assert found.of("6403", "64").name == "supplied"
    assert planned_windows(plan=file, shape=name)["11"].plan is plan_shapes()[name]
    assert (plans(shape=name).version, found.version[: len(name) + 1]) == (name, f"{name}+")
    assert "bukan rencana BPS" in plan_words()[name].id
    assert "not a plan of BPS" in plan_words()[name].en


def test_an_unknown_shape_is_told() -> None:
    with pytest.raises(ReferenceDataError, match="no plan is called 'kurva'; name one of s-curve, linear"):
        plans(shape="kurva")


@given(st.sampled_from(sorted(set(plan_shapes()) - {STEADY.name})), st.integers(1, 60))
def test_a_shape_reaches_the_whole_on_the_last_day_of_any_window_and_not_before(name: str, days: int) -> None:
    curve = plan_shapes()[name].over(days)
    shares = [curve.share(day) for day in range(days + 1)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(share < 1 for share in shares[:-1])


@pytest.mark.parametrize(
    ("day", "least", "most"),
    [(7, 5, 10), (15, 28, 34), (18, 40, 57), (25, 70, 85), (30, 95, 99)],  # nation: ~30 on day 15; Jateng: 57 on 18
)
def test_the_s_curve_goes_by_the_published_points(day: int, least: float, most: float) -> None:
    assert least <= plan_shapes()["s-curve"].over(31).share(day) * 100 <= most


def test_an_extension_gives_more_time_from_the_night_it_was_decided() -> None:
    opens = date(2022, 10, 15)
    window = FieldWindow(
        "64", opens, date(2022, 11, 14), date(2022, 11, 30), date(2022, 11, 10), plan_shapes()["linear"]
    )
    day = date(2022, 11, 9)
    assert window.plan_share(day, day) == pytest.approx(26 / 31)
    assert window.plan_share(day, date(2022, 11, 10)) == pytest.approx(26 / 47)
    assert window.plan_share(date(2022, 11, 30), date(2022, 11, 30)) == 1


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["99,31,100,uji"], "no such regions: 99"),
        (["6499,31,100,uji"], "no such regions: 6499"),
        (["64,0,10,uji", "64,31,100,uji"], "region 64, day 0: day must be a whole number from 1"),
        (["64,x,10,uji"], "day must be a whole number"),
        (["64,5,101,uji"], "share_percent 0 to 100"),
        (["64,5,nan,uji"], "share_percent 0 to 100"),
        (["64,5,30,uji", "64,6,20,uji", "64,31,100,uji"], "region 64: falls on day 6"),
        (["64,5,30,uji", "64,5,30,uji", "64,31,100,uji"], "day 5: stands twice"),
        (["64,5,30,uji"], "ends at 30 %"),
        (["64,31,100,"], "column source"),
        (["64,31,100"], "must have 4 cells"),
    ],
)
def test_a_faulty_plan_is_told(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        plans(written(tmp_path, *lines))
