"""Additivity: every region is the sum of its children and of what it counts itself, and of its days."""

from collections.abc import Iterator

import pandas as pd

from regsosek.statistics.tree import add_up
from regsosek.warehouse.tables import PROGRESS_MEASURES

SHOWN = 5


def additivity_faults(own: pd.DataFrame, completion: pd.DataFrame, daily: pd.DataFrame) -> list[str]:
    """What does not add up.

    Args:
        own: ``statistics.tree.own_figures``; summed here by parent, while the release was summed by ancestors.
        completion, daily: as released.
    """
    measures = list(PROGRESS_MEASURES)
    released = completion.set_index("code")[measures].astype("int64")
    by_day = daily.groupby("code")[measures].sum()
    return [
        *_differences("summed by parent", add_up(own, completion), released),
        *_differences("summed by day", by_day, released.reindex(by_day.index, fill_value=0)),
        *_unmapped_faults(completion),
    ]


def _differences(how: str, expected: pd.DataFrame, released: pd.DataFrame) -> Iterator[str]:
    for measure in PROGRESS_MEASURES:
        both = pd.DataFrame({"expected": expected[measure], "released": released[measure]})
        differing = both[both["expected"] != both["released"]]
        for code, should_be, shown in differing.head(SHOWN).itertuples(name=None):
            yield f"region {code}, {measure}: {should_be} {how}, {shown} released"
        if len(differing) > SHOWN:
            yield f"{measure}: {len(differing) - SHOWN} more regions differ {how}"


def _unmapped_faults(completion: pd.DataFrame) -> Iterator[str]:
    """Visited of a region = visited of its children + unmapped; at the desa nothing lies below."""
    below = completion.groupby("parent_code")["visited"].sum()
    upper = completion[completion["level"] != "desa"]
    expected = upper["code"].map(below).fillna(0).astype("int64") + upper["unmapped"].astype("int64")
    for code in upper.loc[expected != upper["visited"], "code"].head(SHOWN):
        yield f"region {code}: visited is not the sum of its children and of what is unmapped"
