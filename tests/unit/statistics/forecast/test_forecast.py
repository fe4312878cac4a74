"""The forecast: what each candidate says of a course that is known, who is believed, and what is told of regions."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.geography.calendar import FieldWindow
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.forecast.candidates import LAST_WEEK, LINEAR, METHODS, MODEL, Series, arrived, paths, reached
from regsosek.statistics.forecast.choice import calibration, forecast
from regsosek.statistics.forecast.series import triangle
from regsosek.statistics.forecast.table import Case, Prospects, forecast_faults, prospects
from support.checks.matrix import examples

OPENS = date(2022, 10, 17)  # a Monday
WINDOW = FieldWindow("11", OPENS, OPENS + timedelta(days=29))
FAMILIES = 1000


def series(*by_day: list[int], late: float = 0.0, families: int = FAMILIES) -> Series:
    """Regions whose documents arrive on their night, but for the share ``late`` that comes a night after."""
    days = len(by_day[0])
    known = np.zeros((len(by_day), days, days), dtype=np.int64)
    for region, counts in enumerate(by_day):
        for day, count in enumerate(counts):
            known[region, day, day] = round(count * (1 - late))
            if day + 1 < days:
                known[region, day, day + 1] = count - known[region, day, day]
    return Series(known, np.full(len(by_day), float(families)), 0, 30)


def test_the_baselines_go_straight_on_and_stop_at_the_whole() -> None:
    found = paths(series([10] * 7 + [30] * 7), 30)
    assert found[LINEAR][0, 0] == pytest.approx(0.28 + 0.02)
    assert found[LAST_WEEK][0, 9] == pytest.approx(0.28 + 0.30)
    assert found[LAST_WEEK][0, -1] == 1


def test_documents_that_are_still_to_arrive_are_counted_in_the_model_alone() -> None:
    told = series([40] * 10, late=0.25)
    assert arrived(told)[[0, -1]] == pytest.approx([1, 0.75], abs=0.01)
    assert told.by_day.sum() == pytest.approx(0.39)
    assert reached(told)[0] == pytest.approx(0.40, abs=0.001)


def test_a_first_delivery_of_a_whole_week_is_not_taken_for_lateness() -> None:
    told = series([40] * 12, late=0.25)
    known = told.known.copy()
    known[:, :, 6] += known[:, :, :6].sum(axis=2)
    known[:, :, :6] = 0
    whole_week = Series(known, told.families, 0, 30)
    assert arrived(whole_week)[-1] == pytest.approx(0.75, abs=0.02)


def test_the_model_reaches_the_end_of_a_window_that_is_kept() -> None:
    path = paths(series([33] * 15), 15)[MODEL][0]
    assert np.all(np.diff(path) > 0)
    assert 0.85 < path[-1] < 1


def test_more_officers_do_more_and_nobody_passes_the_whole() -> None:
    told = series([20] * 10)
    usual = paths(told, 20)[MODEL][0]
    more = paths(told, 20, workforce=np.array([1.5]))[MODEL][0]
    assert np.all(more > usual)
    assert more[-1] <= 1


def test_a_busy_weekend_is_foreseen() -> None:
    week = [20, 20, 20, 20, 20, 60, 60]
    path = paths(series([*week, *week]), 7)[MODEL][0]
    steps = np.diff(path, prepend=0.44)
    assert steps[5] > 1.8 * steps[2]


def test_a_baseline_is_believed_where_the_model_was_worse_on_the_regions_own_nights() -> None:
    told = series([30] * 16, [30] * 16)
    calibrated = calibration()
    assert set(forecast(told, 5, calibrated).method.ravel()) == {METHODS.index(MODEL)}
    # A model that is usually no better than its baselines must earn belief by the region's own nights.
    equal = dict.fromkeys(METHODS, calibrated.mae[MODEL])
    doubted = replace(calibrated, mae=equal)
    assert METHODS.index(MODEL) not in set(forecast(told, 5, doubted).method.ravel())


def test_an_interval_holds_the_path_and_never_less_than_is_known() -> None:
    told = series([30] * 12, [5] * 12)
    found = forecast(told, 18, calibration())
    assert np.all(found.lower <= found.path) and np.all(found.path <= found.upper)
    assert np.all(found.lower >= told.by_day.sum(axis=1)[:, None])
    assert np.all(found.upper[:, -1] - found.lower[:, -1] > found.upper[:, 0] - found.lower[:, 0])
    for path in (found.lower, found.path, found.upper):
        assert np.all(np.diff(path, axis=1) >= 0)


def test_an_interval_is_wider_where_the_regions_own_nights_were_forecast_worse() -> None:
    broken = [30] * 12 + [0] * 4
    found = forecast(series([30] * 16, broken), 14, calibration())
    steady, unrest = (found.upper - found.lower)[:, 0]
    assert unrest > 2 * steady


def regions(families: int = FAMILIES, **visited: int) -> pd.DataFrame:
    rows = [
        {"code": code.removeprefix("_"), "name": code, "level": "kabkota", "parent_code": "11", "province": "11",
         "visited": number, "last_day": OPENS, "plan_base": "kerangka", "plan_base_families": families,
         "plan_base_version": "v1", "plan_base_coverage": 100.0}
        for code, number in visited.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"plan_base_families": "Int64"})


def told_of(
    night: int,
    cases: list[Case] | None = None,
    officers: int = 2,
    engaged: int = 4,
    families: int = FAMILIES,
    **by_day: list[int],
) -> Prospects:
    days = [
        ("11", code.removeprefix("_"), OPENS + timedelta(days=n), OPENS + timedelta(days=n), count)
        for code, counts in by_day.items()
        for n, count in enumerate(counts)
    ]
    table = pd.DataFrame(days, columns=["province", "code", "enumerated_on", "night", "visited"])
    seen = {
        "officer_days": 7 * officers,
        "officer_families": 140,
        "days_worked": 7 * bool(officers),
        "engaged": engaged,
    }
    at_work = pd.DataFrame(seen, index=pd.Index([code.removeprefix("_") for code in by_day], name="code"))
    as_of = AsOf(OPENS + timedelta(days=night - 1), {"11": OPENS + timedelta(days=night - 1)})
    shown = regions(families, **{code: sum(counts) for code, counts in by_day.items()})
    return prospects(shown, table, at_work, {"11": WINDOW}, as_of, [] if cases is None else cases)


def test_days_before_the_opening_and_nights_are_put_where_they_count() -> None:
    rows = [("11", "1101", OPENS - timedelta(days=2), OPENS, 3), ("11", "1101", OPENS, OPENS + timedelta(days=1), 4)]
    table = pd.DataFrame(rows, columns=["province", "code", "enumerated_on", "night", "visited"])
    found = triangle(table, ["1101"], WINDOW, OPENS + timedelta(days=2))
    assert found.shape == (1, 3, 3)
    assert (found[0, 0, 0], found[0, 0, 1], found.sum()) == (3, 4, 7)


@pytest.mark.parametrize(
    ("night", "counts", "status", "reason"),
    [
        (9, [20] * 9, "impossible", "first_third"),
        (10, [0] * 10, "impossible", "nothing_visited"),
        (31, [20] * 31, "impossible", "window_closed"),
        (10, [150] * 10, "done", None),
        (10, [20] * 10, "forecast", None),
    ],
)
def test_a_region_says_whether_it_can_be_forecast(night: int, counts: list[int], status: str, reason: str) -> None:
    row = told_of(night, _1101=counts).forecasts.iloc[0]
    assert row["forecast_status"] == status
    assert (None if pd.isna(row["forecast_reason"]) else row["forecast_reason"]) == reason


def test_a_region_that_is_done_says_since_when_and_whether_that_was_in_time() -> None:
    row = told_of(10, _1101=[200] * 10).forecasts.iloc[0]
    assert (row["done_on"], row["in_time"]) == (OPENS + timedelta(days=4), "yes")
    assert row["families_left"] == 0
    late = told_of(32, _1101=[32] * 31 + [8]).forecasts.iloc[0]
    assert (late["done_on"], late["in_time"]) == (WINDOW.closes + timedelta(days=2), "no")


@settings(max_examples=examples(60), deadline=None)
@given(
    counts=st.lists(st.lists(st.integers(0, 120), min_size=10, max_size=29), min_size=1, max_size=3),
    families=st.integers(3, 4000),
)
def test_point_interval_and_days_of_a_row_never_contradict_each_other(counts: list[list[int]], families: int) -> None:
    night = min(map(len, counts))
    by_day = {f"_110{n + 1}": own[:night] for n, own in enumerate(counts)}
    found = told_of(night, [Case(0, 0), Case(7, 0), Case(0, 1), Case(7, 3)], families=families, **by_day)
    for row in found.forecasts.to_dict("records"):
        if row["forecast_status"] != "forecast":
            continue
        assert row["visited"] <= row["final_low"] <= row["final_visited"] <= row["final_high"]
        days = [date.max if pd.isna(row[name]) else row[name] for name in ("done_from", "done_on", "done_until")]
        assert days == sorted(days)
        in_time = [day <= row["window_end"] for day in days]
        reached = [row[name] >= families for name in ("final_high", "final_visited", "final_low")]
        assert in_time == reached
        assert row["in_time"] == ("yes" if in_time[2] else "uncertain" if in_time[0] else "no")
    for row in found.cases.dropna(subset="final_visited").to_dict("records"):
        done_on = date.max if pd.isna(row["done_on"]) else row["done_on"]
        assert (row["final_visited"] >= families) == (done_on <= row["window_end"])
        assert row["final_gain"] >= 0


def test_a_forecast_names_numerator_denominator_interval_and_what_it_takes() -> None:
    row = told_of(10, _1101=[20] * 10).forecasts.iloc[0]
    assert row["final_low"] <= row["final_visited"] <= row["final_high"]
    assert row["final_share"] == pytest.approx(row["final_visited"] * 100 / FAMILIES)
    # 800 families left at 140 families in 14 officer-days
    assert (row["families_left"], row["families_per_officer_day"], row["officer_days_needed"]) == (800, 10, 80)
    assert (row["officer_source"], row["officers_per_day"], row["days_left"]) == ("observed", 2, 20)


def test_where_documents_name_no_officer_the_reference_does() -> None:
    row = told_of(10, officers=0, _1101=[20] * 10).forecasts.iloc[0]
    # four PPL of the reference on seven days with 20 families each
    assert (row["officer_source"], row["officer_days"], row["officer_families"]) == ("reference", 28, 140)


def test_a_province_has_the_officer_days_of_its_kabkota_and_nobody_works_where_nobody_was_seen() -> None:
    days = pd.DataFrame(
        [("11", code, OPENS, OPENS, count) for code, count in (("11", 9), ("1101", 5), ("1102", 4), ("1103", 0))],
        columns=["province", "code", "enumerated_on", "night", "visited"],
    )
    levels = {"level": ["provinsi", "kabkota", "kabkota", "kabkota"]}
    shown = regions(_11=9, _1101=5, _1102=4, _1103=0).assign(**levels)
    counts = {"officer_days": [3, 3, 0, 0], "officer_families": [5, 5, 0, 0], "days_worked": [1, 1, 0, 0]}
    seen = pd.DataFrame(counts | {"engaged": [9, 3, 2, 4]}, index=pd.Index(shown["code"]))
    told = prospects(shown, days, seen, {"11": WINDOW}, AsOf(OPENS, {"11": OPENS}), []).forecasts.set_index("code")
    assert told["officer_days"].tolist() == [5, 3, 2, pd.NA]
    assert told["officer_families"].tolist() == [9, 5, 4, pd.NA]
    assert told["officer_source"].fillna("").tolist() == ["observed", "observed", "reference", ""]
    assert pd.isna(told.loc["1103", "officers_per_day"])


def test_more_days_and_officers_gain_families_and_nothing_gains_nothing() -> None:
    cases = [Case(0, 0), Case(7, 0), Case(0, 1), Case(7, 1)]
    found = told_of(10, cases, _1101=[10] * 10)
    final = found.forecasts["final_visited"].iloc[0]
    nothing, days, officers, both = found.cases["final_gain"]
    assert nothing == 0 < days < both
    assert 0 < officers < both
    assert list(found.cases["final_visited"] - final) == [nothing, days, officers, both]
    assert found.cases["window_end"].iloc[1] == WINDOW.closes + timedelta(days=7)


def test_a_case_is_answered_the_same_in_any_company() -> None:
    cases = [Case(7, 0), Case(0, 1), Case(3, 5), Case(14, 5)]
    counts = {"_1101": [10] * 10, "_1102": [3, 9] * 5}
    together = told_of(10, cases, **counts).cases
    for case in cases:
        own = (together["extend_days"] == case.extend_days) & (together["more_officers"] == case.more_officers)
        pd.testing.assert_frame_equal(
            told_of(10, [case], **counts).cases, together[own].reset_index(drop=True), check_dtype=False
        )


def test_nobody_knows_what_one_more_officer_does_where_none_is_known() -> None:
    found = told_of(10, [Case(7, 0), Case(0, 1)], officers=0, engaged=0, _1101=[10] * 10).cases
    assert found["final_gain"].notna().tolist() == [True, False]
    assert found["final_visited"].notna().tolist() == [True, False]


def test_days_that_do_not_add_up_to_what_is_released_are_a_fault() -> None:
    told, shown = told_of(10, _1101=[20] * 10, _1102=[5] * 10), regions(_1101=200, _1102=50)
    assert list(forecast_faults(told, shown)) == []
    [fault] = forecast_faults(told, regions(_1101=200, _1102=51))
    assert fault == "region 1102: its days sum to 50, 51 visited are released"
