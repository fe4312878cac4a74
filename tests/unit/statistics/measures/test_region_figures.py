"""Shares, pace, status and floor: worked examples that a statistician can read, and laws on random trees."""

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import NONE_SUPPLIED, STEADY, PlanCurve, Plans
from regsosek.geography.region_targets import NO_TARGETS, RegionTarget, RegionTargets
from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.denominators import SUMS, described
from regsosek.statistics.measures.lowest_part import floors
from regsosek.statistics.measures.pace import PACED_LEVELS, national_course
from regsosek.statistics.measures.region_figures import REGION_SHARES, region_figures
from regsosek.statistics.measures.status import StatusInputs, status_of
from support.checks.matrix import examples
from support.figures.region_trees import (
    CLOSES,
    OPENS,
    counted_row,
    counted_trees,
    figures,
    rolled_up,
    small_tree,
    windows,
)

SCENARIOS = Path(__file__).parent / "scenarios"
NIGHT = OPENS + timedelta(days=14)
nights = st.integers(0, 45).map(lambda n: OPENS + timedelta(days=n))


def scenario(name: str) -> list[dict[str, str]]:
    with (SCENARIOS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def near(cell: str) -> Any:
    return pytest.approx(float(cell), abs=0.005) if cell else None


def plain(value: Any) -> Any:
    return None if pd.isna(value) else float(value)


@pytest.mark.parametrize("row", scenario("published-2022.csv"), ids=lambda row: row["place"])
def test_days_behind_and_status_of_published_figures(row: dict[str, str]) -> None:
    day, percent = int(row["day"]), float(row["percent"])
    planned = STEADY.share(day) * 100
    assert planned == near(row["planned"])
    assert percent - planned == near(row["gap_points"])
    assert STEADY.days_behind(day, percent / 100) == near(row["days_behind"])
    assert (
        status_of(StatusInputs(day, day * 100 / 31, round(percent * 10), percent, percent - planned)) == row["status"]
    )


def test_who_sent_nothing_has_no_data_rather_than_being_behind() -> None:
    assert status_of(StatusInputs(20, 64.5, 0, 0.0, -80.0, known=False)) == "no_data"
    assert status_of(StatusInputs(20, 64.5, 50, None, None)) == "no_data"


@pytest.mark.parametrize("row", scenario("denominators.csv"), ids=lambda row: row["case"])
def test_one_count_against_each_denominator_under_its_own_name(row: dict[str, str]) -> None:
    counts = {"prelist_families": "prelist", "frame_families": "frame", "visited": "visited", "found_families": "found"}
    desa = counted_row(**{field: int(row[column]) for field, column in counts.items()})
    tree = rolled_up(pd.DataFrame([{"code": "1101010001", **desa}]), small_tree())
    tree = tree[tree["code"].isin([NATION, "11", "1101", "1101010", "1101010001"])].reset_index(drop=True)
    if row["target"]:
        tree.loc[tree["code"] == "11", "target_families"] = int(row["target"])
    province = figures(tree, NIGHT).set_index("code").loc["11"]
    for share in ("visited_of_prelist", "visited_of_prelist_and_found", "prelist_visited_of_prelist",
                  "found_of_prelist", "visited_of_frame", "visited_of_target"):  # fmt: skip
        if share.endswith("_of_prelist") or share.startswith(("visited_of_prelist", "visited_of_frame")):
            expected = near(row[share]) if int(row["frame"]) else None  # a frame that knows no kab/kota covers nothing
        else:
            expected = near(row[share])
        assert plain(province[share]) == expected, share


def test_a_kabkota_is_planned_against_its_own_target_if_it_is_supplied_else_against_the_frame() -> None:
    rows = [{"code": code, **counted_row(frame_families=200, visited=60)} for code in ("1101010001", "1102010001")]
    tree = rolled_up(pd.DataFrame(rows), small_tree())
    targets = RegionTargets({"1101": RegionTarget(150, 7, "surat")}, "abc")
    here = described(tree, windows(["11"]), targets, {"11"})
    found = region_figures(here, windows(["11"]), NONE_SUPPLIED, OPENS + timedelta(days=9), {"11"}).set_index("code")
    assert found.loc[["1101", "1102"], "plan_base"].tolist() == ["target", "kerangka"]
    assert found.loc[["1101", "1102"], "plan_base_version"].tolist() == ["abc", "v1"]
    assert found.loc[["1101", "1102"], "plan_families"].tolist() == [60, 80]
    assert found.loc[["1101", "1102"], "gap_families"].tolist() == [0, -20]
    assert found.loc[["1101", "1102"], "days_behind"].tolist() == pytest.approx([0, 2.5])
    assert (found.loc["1101", "sls_target"], found.loc["1101", "sls_target_version"]) == (7, "abc")


def test_a_region_follows_the_curve_that_is_its_own() -> None:
    tree = rolled_up(pd.DataFrame([{"code": "1101010001", **counted_row(frame_families=100, visited=5)}]), small_tree())
    slow = PlanCurve((0.0, 10.0, 20.0), (0.0, 0.1, 1.0), "lambat")
    here = described(tree, windows(["11"]), NO_TARGETS, {"11"})
    paces = region_figures(here, windows(["11"]), Plans({"1101": slow}), OPENS + timedelta(days=9), {"11"})
    planned = paces.set_index("code")["plan_percent"]
    assert [planned["1101"], planned["1101010"], planned["1102"]] == [10, 10, 40]


def test_the_nation_follows_its_provinces_by_their_families() -> None:
    tree = pd.DataFrame(
        {"level": ["nasional", "provinsi", "provinsi"], "code": [NATION, "11", "12"],
         "plan_base_families": pd.Series([400, 300, 100], dtype="Int64"), "visited": [3, 2, 1]}
    )  # fmt: skip
    late = windows(["11"]) | {"12": FieldWindow("12", OPENS + timedelta(days=5), CLOSES, plan=STEADY)}
    course = national_course(tree, late, OPENS + timedelta(days=9))
    assert course is not None
    assert course.percent == pytest.approx((300 * 40 + 100 * 20) / 400)


def test_a_nation_with_a_province_missing_from_the_frame_has_no_share_of_it() -> None:
    tree = rolled_up(pd.DataFrame([{"code": "1101010001", **counted_row(frame_families=100, visited=5)}]), small_tree())
    found = figures(tree, NIGHT).set_index("code")
    assert found.loc[NATION, "frame_coverage"] == 50  # one of two kab/kota
    assert pd.isna(found.loc[NATION, "visited_of_frame"])
    assert pd.isna(found.loc["11", "plan_base_families"])
    assert found.loc["1101", "visited_of_frame"] == 5


def test_a_list_entered_in_part_is_compared_with_what_was_visited_in_that_part() -> None:
    """Two sub-SLS, 40 families verified in the one that is entered; 30 visited there and 50 in the other."""
    desa = counted_row(
        frame_families=100,
        visited=80,
        subsls_frame=2,
        subsls_verified=1,
        verified_families=40,
        visited_where_verified=30,
    )
    found = figures(rolled_up(pd.DataFrame([{"code": "1101010001", **desa}]), small_tree()), NIGHT).set_index("code")
    assert found.loc["1101", "visited_of_verified"] == 75
    assert found.loc["1101", "verified_coverage"] == 50


def test_the_floor_is_named_beside_a_mean_that_looks_well() -> None:
    visited = {"1101010001": 980, "1101020001": 950, "1102010001": 990, "1102020001": 40}
    rows = [
        {"code": code, **counted_row(visited=n, frame_families=100 if n == 40 else 1000)} for code, n in visited.items()
    ]
    night = OPENS + timedelta(days=24)
    province = floors(figures(rolled_up(pd.DataFrame(rows), small_tree()), night))
    row = province[(province["code"] == "11") & (province["child_level"] == "kecamatan")].iloc[0]
    assert row["children_mean"] == pytest.approx(2960 / 31)
    assert (row["floor_code"], row["floor_percent"], row["floor_status"]) == ("1102020", 40, "far_behind")
    assert (row["children_below"], row["children_below_share"]) == (4, 100)
    assert [row[q] for q in ("first_quartile", "median", "third_quartile")] == [40, 95, 98]


def test_a_province_that_sent_nothing_is_no_floor_of_zero_but_missing_from_the_coverage() -> None:
    other = small_tree()
    for column in ("code", "parent_code", "province"):
        other[column] = other[column].str.replace(r"^11", "12", regex=True)
    tree = pd.concat([small_tree(), other.iloc[1:]], ignore_index=True)
    desa = tree.loc[tree["level"] == "desa", "code"]
    rows = [{"code": c, **counted_row(frame_families=100, visited=50 if c.startswith("11") else 0)} for c in desa]
    found = floors(figures(rolled_up(pd.DataFrame(rows), tree), NIGHT, known={"11"})).set_index(["code", "child_level"])
    nation = found.loc[(NATION, "provinsi")]
    assert (nation["floor_code"], nation["floor_percent"], nation["floor_coverage"]) == ("11", 50, 50)


@given(counted_trees(), nights)
@settings(max_examples=examples(40), deadline=None)
def test_numerators_and_denominators_add_up_and_shares_are_never_cut_off(tree: pd.DataFrame, night: date) -> None:
    found = figures(tree, night)
    below = found.groupby("parent_code")[
        [*SUMS, "visited", "nonresponse", "prelist_visited", "prelist_and_found"]
    ].sum()
    indexed = found.set_index("code")
    for code in below.index:
        assert (below.loc[code] == indexed.loc[code, below.columns]).all()
    for share in REGION_SHARES:
        part, whole = definitions()[share].numerator, definitions()[share].denominator
        for row in found.to_dict("records"):
            if pd.isna(row[share]):
                continue
            assert row[share] == pytest.approx(row[part] * 100 / row[whole])
            assert float(row[share]) not in {float("inf"), float("-inf")}


@given(counted_trees(), nights)
@settings(max_examples=examples(40), deadline=None)
def test_there_is_no_share_of_nothing(tree: pd.DataFrame, night: date) -> None:
    found = figures(tree, night)
    for share in (*REGION_SHARES, "visited_of_plan_base"):
        nothing = found[definitions()[share].denominator].isna() | (found[definitions()[share].denominator] == 0)
        assert found.loc[nothing, share].isna().all(), share


@given(counted_trees(), nights)
@settings(max_examples=examples(40), deadline=None)
def test_no_floor_is_above_its_mean_and_none_is_below_the_floor(tree: pd.DataFrame, night: date) -> None:
    for row in floors(figures(tree, night)).to_dict("records"):
        if not row["children_judged"]:
            assert pd.isna(row["floor_percent"]) and pd.isna(row["children_mean"]) and pd.isna(row["floor_code"])
            continue
        assert row["floor_percent"] <= row["children_mean"] + 1e-9
        assert row["floor_percent"] <= row["first_quartile"] <= row["median"] <= row["third_quartile"]
        assert row["children_below"] <= row["children_judged"] <= row["children"]


@given(counted_trees(), nights)
@settings(max_examples=examples(40), deadline=None)
def test_gap_in_families_points_and_days_agree(tree: pd.DataFrame, night: date) -> None:
    found = figures(tree, night)
    paced = found[found["level"].isin(PACED_LEVELS) & found["gap_points"].notna()]
    for row in paced.to_dict("records"):
        assert row["gap_families"] == row["visited"] - row["plan_families"]
        if row["days_behind"] > 1e-9:
            assert row["gap_points"] < 0
        if row["gap_points"] > 1e-6:
            assert row["days_behind"] <= 0
    nation, provinces = (found[found["level"] == level] for level in ("nasional", "provinsi"))
    if nation["plan_families"].notna().all():
        assert nation["plan_families"].sum() == provinces["plan_families"].sum()
    assert found.loc[found["level"].isin(PACED_LEVELS), "status"].notna().all()
    assert found.loc[found["level"] == "desa", "status"].isna().all()
