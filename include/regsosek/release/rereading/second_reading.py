"""The headline figures a second time: pandas on the archived files, sharing no code with the warehouse's statistics.

Written from the words of design and data model, not from the SQL: a mistake would have to be made twice to be
published. Only what the nights since the last release brought is read, and compared with what the figures changed by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from regsosek.release.rereading.archived_cases import KEY, AcceptedDelivery, ArchivedCases

_CONTENT = ["case_id", "versi", "content_hash", "absent"]
_ORDER = ["absent", "rank", "produced_at", "content_hash"]


@dataclass(frozen=True)
class Headline:
    """Families visited and complete."""

    visited: int
    complete: int

    def __add__(self, other: "Headline") -> "Headline":
        return Headline(self.visited + other.visited, self.complete + other.complete)

    def __sub__(self, other: "Headline") -> "Headline":
        return Headline(self.visited - other.visited, self.complete - other.complete)


def change_since(cases: ArchivedCases, after: date) -> Headline:
    """What the nights after ``after`` changed: the figures of the cases they touched, with them and without them."""
    rows = cases.revisions
    before = tuple(each for each in cases.deliveries if each.night <= after)
    return headline(rows, cases.deliveries) - headline(rows[rows["night"] <= after], before)


def headline(revisions: pd.DataFrame, deliveries: Sequence[AcceptedDelivery]) -> Headline:
    """Counts the cases of ``revisions``.

    Args:
        revisions: as :class:`ArchivedCases` describes them.
        deliveries: the accepted deliveries in their order; those that supersede others move ranks and withdraw.
    """
    if revisions.empty:
        return Headline(0, 0)
    return counted(without_conflicts(statements(revisions, deliveries)))


def statements(revisions: pd.DataFrame, deliveries: Sequence[AcceptedDelivery]) -> pd.DataFrame:
    """One row per case with its ``state`` and the revision that counts, whoever else claims its family key."""
    return current_revisions(_contents(superseded(revisions, deliveries)))


def counted(current: pd.DataFrame) -> Headline:
    """Counts cases by their ``state`` and ``result``."""
    visited = current[current["state"].isin(["loaded", "pending", "quarantined"])]
    accepted = visited[visited["state"] != "quarantined"]
    return Headline(len(visited), int((accepted["result"] == 1).sum()))


def superseded(revisions: pd.DataFrame, deliveries: Sequence[AcceptedDelivery]) -> pd.DataFrame:
    """Adds ``rank``: versi, raised to the rank of what a superseding delivery replaces; and, marked ``absent``, a
    withdrawal for each case of a superseded delivery that its successor does not name."""
    rows = revisions.assign(rank=revisions["versi"], absent=False)
    for delivery in deliveries:
        if delivery.supersedes:
            rows = _raised(rows, delivery)
            rows = pd.concat([rows, *(_absentees(rows, delivery, former) for former in delivery.supersedes)])
    return _without_vain_absences(rows.reset_index(drop=True), deliveries)


def _without_vain_absences(rows: pd.DataFrame, deliveries: Sequence[AcceptedDelivery]) -> pd.DataFrame:
    """What one delivery leaves out and another brings that was not replaced without it, is there."""
    replaces = {each.delivery_id: list(each.supersedes) for each in deliveries}
    gone = rows.loc[rows["absent"], ["case_id", "delivery_id"]]
    left_out = gone.assign(delivery_id=gone["delivery_id"].map(replaces)).explode("delivery_id")
    place = pd.MultiIndex.from_frame(rows[["case_id", "delivery_id"]])
    standing = ~rows["absent"] & ~rows["withdrawn"] & ~place.isin(pd.MultiIndex.from_frame(left_out))
    return rows[~(rows["absent"] & rows["case_id"].isin(rows.loc[standing, "case_id"]))]


def _raised(rows: pd.DataFrame, delivery: AcceptedDelivery) -> pd.DataFrame:
    replaced = rows[rows["delivery_id"].isin(delivery.supersedes)].groupby("case_id")["rank"].max()
    own = (rows["delivery_id"] == delivery.delivery_id) & ~rows["absent"]
    floor = rows["case_id"].map(replaced).fillna(0).astype("int64")
    return rows.assign(rank=rows["rank"].where(~own, rows["rank"].where(rows["rank"] > floor, floor)))


def _absentees(rows: pd.DataFrame, delivery: AcceptedDelivery, former: str) -> pd.DataFrame:
    named = rows.loc[rows["delivery_id"] == delivery.delivery_id, "case_id"]
    gone = rows[(rows["delivery_id"] == former) & ~rows["absent"] & ~rows["case_id"].isin(named)]
    last = gone.sort_values(["rank", "row_no"], ascending=[True, False]).groupby("case_id").tail(1)
    return last.assign(
        delivery_id=delivery.delivery_id,
        produced_at=pd.Timestamp(delivery.produced_at).tz_convert("UTC"),
        absent=True,
        withdrawn=True,
        in_error=False,
        accepted=False,
    )


def _contents(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per content of a case: the same content produced again is one statement, made at the later time.

    It is in error if it was never accepted.
    """
    contents = rows.groupby(_CONTENT, as_index=False).agg(
        rank=("rank", "max"),
        produced_at=("produced_at", "max"),
        in_error=("in_error", "any"),
        accepted=("accepted", "any"),
        withdrawn=("withdrawn", "any"),
        result=("result", "first"),
        **{column: (column, "first") for column in KEY},
    )
    return contents.assign(in_error=contents["in_error"] & ~contents["accepted"])


def current_revisions(contents: pd.DataFrame) -> pd.DataFrame:
    """One row per case with its ``state`` and the revision that counts; conflicts are settled afterwards."""
    ordered = contents.sort_values(_ORDER)
    newest = ordered.groupby("case_id").tail(1).set_index("case_id")
    settled = ordered[~ordered["in_error"]].groupby("case_id").tail(1).set_index("case_id")
    standing = settled[~settled["withdrawn"]]
    state = pd.Series("loaded", index=newest.index)
    state[newest["in_error"]] = "quarantined"
    state[newest["in_error"] & newest.index.isin(standing.index)] = "pending"
    state[newest["withdrawn"]] = "withdrawn"
    fallback = standing.loc[state.index[state == "pending"]]
    current = pd.concat([newest[state != "pending"], fallback]).assign(state=state)
    return current.reset_index()


def without_conflicts(current: pd.DataFrame) -> pd.DataFrame:
    """Of several documents that hold one family key one counts, the others are ``conflicting``: an accepted one before
    one in quarantine, then the newest. A key that lacks a part is nobody else's."""
    holding = current[(current["state"] != "withdrawn") & current[KEY].notna().all(axis=1)]
    ordered = holding.assign(accepted=holding["state"] != "quarantined").sort_values(
        ["accepted", "rank", "produced_at", "content_hash", "case_id"], ascending=False
    )
    beaten = ordered.index[ordered.duplicated(KEY)]
    return current.assign(state=current["state"].where(~current.index.isin(beaten), "conflicting"))
