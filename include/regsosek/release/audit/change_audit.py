"""Whether the published table of changes adds up: along each row, against the release, and up the tree; from its bytes.

Written for itself: it reads what readers will read, and knows nothing of how the table came about.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.audit.published_rules import read_table
from regsosek.release.figures.changes import CAUSE_FIELDS, Changes
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import PROGRESS_MEASURES

CHANGES_FILE = "perubahan.csv"
SHOWN = 5


def change_faults(changes: Changes, completion: pd.DataFrame, files: Mapping[str, bytes]) -> list[str]:
    """What does not add up in ``perubahan.csv``.

    Args:
        changes: what the release knows of its former; its table is not looked at.
        completion: the regions of the release.
    """
    fields = {each.column: field for field, each in definitions().items()}
    table = read_table(files[CHANGES_FILE]).rename(columns=fields)
    table["measure"] = table["measure"].map(fields)
    found = table.merge(completion[["code", "level", "parent_code", "province"]], on="code", how="left")
    return [
        *_told(found, _sum_of(found) != found["now"], "before and causes are not now"),
        *_told(found, found["now"] != _released(found, completion), "now is not the figure released"),
        *_told(found, _unexplained(found, changes), "changes without a cause"),
        *_levels(found),
    ]


def _sum_of(table: pd.DataFrame) -> "pd.Series[int]":
    return table[["before", *CAUSE_FIELDS.values()]].sum(axis=1)


def _released(table: pd.DataFrame, completion: pd.DataFrame) -> "pd.Series[int]":
    long = completion.melt(id_vars="code", value_vars=sorted(set(table["measure"])), var_name="measure")
    figures = long.set_index(["code", "measure"])["value"].fillna(0).astype("int64")
    return pd.Series(figures.reindex(pd.MultiIndex.from_frame(table[["code", "measure"]])).to_numpy(), table.index)


def _unexplained(table: pd.DataFrame, changes: Changes) -> "pd.Series[bool]":
    """A place moves by a new frame alone; figures of the past by a night that was processed again alone."""
    counted = table["measure"].isin(PROGRESS_MEASURES)
    moved = (table["cause_frame"] != 0) & (not changes.placing_changed)
    again = table["province"].isin(changes.processed_again) | (
        (table["code"] == NATION) & bool(changes.processed_again)
    )
    return counted & (moved | ((table["cause_reopened"] != 0) & ~again))


def _levels(table: pd.DataFrame) -> Iterator[str]:
    """The nation is its provinces in every cause; frames move places inside of a province only."""
    numbers = ["before", *CAUSE_FIELDS.values(), "now"]
    counted = table[table["measure"].isin(PROGRESS_MEASURES)]
    nation = counted[counted["code"] == NATION].set_index("measure")[numbers]
    provinces = counted[counted["level"] == "provinsi"].groupby("measure")[numbers].sum()
    for measure in sorted({*nation.index, *provinces.index}):
        both = (part.reindex([measure], fill_value=0).iloc[0] for part in (nation, provinces))
        for name, (whole, parts) in zip(numbers, zip(*both, strict=True), strict=True):
            if whole != parts:
                yield f"{CHANGES_FILE}: {measure}, {name}: nation {whole}, its provinces {parts}"
    upper = counted["level"].isin(["nasional", "provinsi"]) & (counted["cause_frame"] != 0)
    yield from _told(counted, upper, "a frame moves nothing out of a province")


def _told(table: pd.DataFrame, wrong: "pd.Series[bool]", what: str) -> Iterator[str]:
    at_fault = table[wrong.reindex(table.index)]
    for code, measure in at_fault[["code", "measure"]].head(SHOWN).itertuples(index=False, name=None):
        yield f"{CHANGES_FILE}: region {code}, {measure}: {what}"
    if len(at_fault) > SHOWN:
        yield f"{CHANGES_FILE}: {len(at_fault) - SHOWN} more rows: {what}"
