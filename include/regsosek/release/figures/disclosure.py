"""What may be told of few families: the policy of ``disclosure.toml``, and when a change is of enough of them.

A figure that is true every night tells by its difference what the families of one night answered. So the results of
each smallest part move only in steps of many families, and whatever is told of more is the sum of its parts as told:
no other sum of them exists from which the rest could be taken.
"""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from regsosek.geography.regions import LEVELS, Level
from regsosek.statistics.counts.changes import CAUSES
from regsosek.warehouse.tables import PROGRESS_MEASURES

_FILE = Path(__file__).with_name("disclosure.toml")
# Visits are what the publication is about; everything else that is counted of cases says something of the family.
RESULTS = tuple(measure for measure in PROGRESS_MEASURES if measure != "visited")
# How visited families are divided: each has one of these.
_ENDED = ("complete", "incomplete", "no_respondent", "refused", "moved")
_DIVIDED = (*_ENDED, "quarantined")
# What it would harm a family to be known for.
_TELLING = tuple(result for result in _ENDED if result != "complete")
# A row of which everything is told as of its night; whose results stand at an earlier night; of which cells are empty.
OPEN, HELD, WITHHELD = STATUSES = ("terbuka", "ditahan", "dirahasiakan")
CASE_CAUSES = tuple(f"cause_{cause}" for cause in CAUSES)
MERGED = "cause_merged"


class PolicyWords(BaseModel):
    """What a release says of the policy, in Indonesian and English."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    en: str


class Policy(BaseModel):
    """``disclosure.toml``.

    Attributes:
        minimum_families: of how many families a step of results is at least.
        minimum_rows: of how many rows that a rule judged; a row is a family or a person.
        causes_down_to: the lowest level at which visited is told by cause.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_families: int = Field(ge=3)
    minimum_rows: int = Field(ge=3)
    causes_down_to: Level
    applied: PolicyWords
    off: PolicyWords

    @property
    def levels_with_causes(self) -> tuple[Level, ...]:
        """Of which levels changes are told by cause."""
        return LEVELS[: LEVELS.index(self.causes_down_to) + 1]


@cache
def policy() -> Policy:
    """The policy that releases are published by."""
    return Policy.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def moves(change: pd.DataFrame, minimum: int) -> "pd.Series[bool]":
    """Whether each row of ``change`` (results; what was told last to what is true) is of enough families to be told.

    Families that came to a result and those that left one are ``minimum`` each, or none. Of those that came no telling
    result has so many that fewer than ``minimum - 1`` are left: however few families one knows the place of, the others
    leave it open how theirs ended. So it is with those that left where none came; else they were partly corrected.
    """
    came = change[list(_DIVIDED)].clip(lower=0)
    # Out of quarantine a document goes by its correction, which tells of no place and brings no family.
    left = -change[list(_ENDED)].clip(upper=0)
    families_came, families_left = came.sum(axis=1), left.sum(axis=1)
    enough_left = (families_left == 0) | (families_left >= minimum)
    gone = (families_came == 0) & (families_left >= minimum) & _open(left, minimum)
    return ((families_came >= minimum) & _open(came, minimum) & enough_left) | gone


def _open(families: pd.DataFrame, minimum: int) -> "pd.Series[bool]":
    """Whether enough of them ended otherwise, for each telling result."""
    return families.sum(axis=1) - families[list(_TELLING)].max(axis=1) >= minimum - 1


def as_told(before: pd.DataFrame, now: pd.DataFrame, moved: "pd.Series[bool]") -> pd.DataFrame:
    """The counts of each part as readers may see them: ``now`` where they ``moved``, else as they were told ``before``.

    Args:
        before: what was told last, by the index of ``now``; missing where nothing was: then zeros alone are told.
    """
    untold = before.isna().any(axis=1) & (now != 0).any(axis=1) & ~moved
    return now.astype("Int64").where(moved, before.fillna(0).astype("Int64")).mask(untold)


def merged(causes: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """``causes`` (the columns of :data:`CASE_CAUSES`) with those of few families merged, in every row that has any.

    All causes of few families are empty there, those of none too, or it would be seen which one it was; their sum
    stands in :data:`MERGED`, together with the smallest of the others where it would still be of few.
    """
    sizes = causes.abs().to_numpy()
    few = sizes < minimum
    hidden = few & (few & (sizes > 0)).any(axis=1, keepdims=True)
    rest = np.where(hidden, causes.to_numpy(), 0).sum(axis=1)
    others = np.where(hidden, np.inf, sizes)
    smallest, place = others.min(axis=1), others.argmin(axis=1)
    more = np.flatnonzero(hidden.any(axis=1) & (np.abs(rest) < minimum) & np.isfinite(smallest))
    hidden[more, place[more]] = True
    rest = np.where(hidden, causes.to_numpy(), 0).sum(axis=1)
    return causes.astype("Int64").mask(hidden).assign(**{MERGED: pd.Series(rest, causes.index, dtype="Int64")})


def all_merged(causes: pd.DataFrame) -> pd.DataFrame:
    """``causes`` as their sum alone."""
    empty = causes.astype("Int64").mask(causes.notna())
    return empty.assign(**{MERGED: causes.sum(axis=1).astype("Int64")})
