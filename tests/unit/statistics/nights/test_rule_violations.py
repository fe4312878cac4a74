"""Quality by rule: the provinces of a rule add up to the nation, numerator and denominator alike."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from regsosek.geography.regions import NATION
from regsosek.statistics.nights.rule_violations import RULE_COUNTS, with_zeros_and_nation

RULE = {"rule_dataset": "anggota", "rule_id": "N01-kelamin", "severity": "warning"}


def counted(violating: list[int], judged: int = 9) -> pd.DataFrame:
    rows = [
        {"code": str(11 + at), **RULE, "violating_tonight": count, "judged_tonight": judged, "violating": count,
         "judged": judged}
        for at, count in enumerate(violating)
    ]  # fmt: skip
    return with_zeros_and_nation(pd.DataFrame(rows))


def test_a_province_that_violates_nothing_stands_with_zeros() -> None:
    rows = counted([4, 0]).set_index("code")
    assert list(rows.loc["12", list(RULE_COUNTS)]) == [0, 9, 0, 9]
    assert rows.loc["12", "violating_of_judged"] == 0


def test_a_rule_that_nobody_violates_is_left_out() -> None:
    assert counted([0, 0]).empty


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_the_nation_is_its_provinces(violating: list[int]) -> None:
    rows = counted(violating).set_index("code")
    if any(violating):
        parts = rows.drop(NATION)
        assert (parts[list(RULE_COUNTS)].sum() == rows.loc[NATION, list(RULE_COUNTS)]).all()
