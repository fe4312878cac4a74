"""Additivity: every region is what it was and what changed in it and below it, and a province the sum of its days.

What it was has been checked on its own night; the weekly audit checks the whole (``release/audit/full_audit.py``).
"""

from collections.abc import Iterator

import pandas as pd

from regsosek.statistics.counts.tree import add_up
from regsosek.warehouse.tables import PROGRESS_MEASURES

SHOWN = 5


def additivity_faults(
    before: pd.DataFrame, changes: pd.DataFrame, completion: pd.DataFrame, daily: pd.DataFrame
) -> list[str]:
    """What does not add up.

    Args:
        before: totals of the regions as readers saw them last, by today's frame (index code).
        changes: ``statistics.tree.changed_figures`` since; summed here by parent, while totals are summed by ancestors.
        completion, daily: as released.
    """
    measures = list(PROGRESS_MEASURES)
    released = completion.set_index("code")[measures].astype("int64")
    expected = add_up(changes, completion) + before[measures].reindex(released.index, fill_value=0)
    by_day = daily.groupby("code")[measures].sum()
    return [
        *_differences("before and changed since", expected, released),
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
