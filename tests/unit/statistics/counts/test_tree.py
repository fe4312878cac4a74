"""Sums up the tree are exact on any tree, and a percentage never invents or hides anything."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.geography.regions import LEVELS, NATION
from regsosek.statistics.counts.tree import add_up
from regsosek.statistics.measures.percentages import percent
from regsosek.warehouse.tables import PROGRESS_MEASURES


@st.composite
def trees(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Regions of every level under random parents, and what some of them count themselves."""
    rows, above = [(NATION, "nasional", None)], [NATION]
    for level in LEVELS[1:]:
        here = [f"{level}{n}" for n in range(draw(st.integers(1, 4)))]
        rows += [(code, level, draw(st.sampled_from(above))) for code in here]
        above = here
    regions = pd.DataFrame(rows, columns=["code", "level", "parent_code"])
    counting = draw(st.lists(st.sampled_from(list(regions["code"])), unique=True, max_size=8))
    own = [{"code": code} | {measure: draw(st.integers(0, 9)) for measure in PROGRESS_MEASURES} for code in counting]
    return regions, pd.DataFrame(own, columns=["code", *PROGRESS_MEASURES])


@given(trees())
def test_the_nation_is_the_sum_of_everything_that_any_region_counts(
    tree: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    regions, own = tree
    sums = add_up(own, regions)
    for measure in PROGRESS_MEASURES:
        assert sums.loc[NATION, measure] == own[measure].sum()


@given(trees())
def test_every_region_is_its_children_and_itself(tree: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    regions, own = tree
    sums, counted = add_up(own, regions)["visited"], own.set_index("code")["visited"]
    for code in regions["code"]:
        children = regions.loc[regions["parent_code"] == code, "code"]
        assert sums[code] == sums[children].sum() + counted.get(code, 0)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"), [(1, 4, 25), (5, 4, 125), (0, 4, 0), (3, 0, None), (3, None, None)]
)
def test_a_percentage_is_never_clipped_and_absent_without_a_denominator(
    numerator: int, denominator: int | None, expected: float | None
) -> None:
    assert percent(numerator, denominator) == expected


def test_an_unknown_target_is_no_denominator() -> None:
    assert percent(3, pd.NA) is None
