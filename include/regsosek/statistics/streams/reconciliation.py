"""Where streams contradict each other, sub-SLS by sub-SLS: exactly the gaps, and none that is only a lag.

Streams are compared, never added. A kind of gap is told of the days only that every stream involved has reported
(``clocks``). Places that were split or merged are compared as one with what they came from; where a split puts
families at the desa, what K has in surplus there may come from other SLS and is not told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from regsosek.geography.reference_table import read_table
from regsosek.statistics.streams.clocks import Clocks, reported_through
from regsosek.wording import Text
from regsosek.wording.texts import text_in

_COLUMNS = ("kind", "streams", "name_id", "action_id", "name_en", "action_en")
DAY_COUNTS = ("arrived", "reported", "verified", "messages", "tagged", "without_document")
GAP_COLUMNS = ("code", "kind", "families", "since", "through")


@dataclass(frozen=True)
class GapKind:
    """A kind of gap: the streams that must have reported, and its words."""

    kind: str
    streams: tuple[str, ...]
    name: Text
    action: Text


@dataclass(frozen=True)
class ProvinceStreams:
    """What the streams of a province say as of a night.

    Attributes:
        days: one row per ``code`` (the place, or one of all that it is related to) and ``day`` of work, with
            :data:`DAY_COUNTS`: documents that ever arrived; families reported and verified, and messages of daily
            counts; standing tags, and those of them whose family has no document.
        lists: one row per ``code`` that holds a place of the frame: ``families`` of its verified lists, ``entered``
            (all of them are).
        mixed: codes that hold places of a whole desa.
        closes: the last day of field work.
        clocks: of each stream.
    """

    days: pd.DataFrame
    lists: pd.DataFrame
    mixed: frozenset[str]
    closes: date
    clocks: Clocks


@cache
def gap_kinds() -> dict[str, GapKind]:
    """All kinds by name, in the order in which they are told."""
    rows = read_table(Path(__file__).parent / "gap_kinds.csv", _COLUMNS)
    return {row["kind"]: _kind(row) for row in rows}


def _kind(row: Mapping[str, str]) -> GapKind:
    return GapKind(row["kind"], tuple(row["streams"].split()), text_in(row, "name"), text_in(row, "action"))


def gaps(told: ProvinceStreams) -> pd.DataFrame:
    """All gaps, by kind, then code: :data:`GAP_COLUMNS`.

    ``families`` that are missing on one side (0 where nobody knows how many); ``since`` the first day of work that
    shows it, ``through`` the day up to which every stream involved has reported.
    """
    found = [_of_kind(told, kind) for kind in gap_kinds().values()]
    filled = [frame for frame in found if len(frame)]
    if not filled:
        return pd.DataFrame({column: [] for column in GAP_COLUMNS})
    return pd.concat(filled, ignore_index=True)


def _of_kind(told: ProvinceStreams, kind: GapKind) -> pd.DataFrame:
    through = reported_through(told.clocks, kind.streams)
    if through is None:
        return pd.DataFrame()
    found = _FINDERS[kind.kind](told, through)
    ordered = found.rename_axis("code").reset_index().sort_values("code")
    return ordered.assign(kind=kind.kind, through=through)[list(GAP_COLUMNS)]


def _reported_not_received(told: ProvinceStreams, through: date) -> pd.DataFrame:
    return _beyond(told.days, "reported", "arrived", through)


def _received_not_reported(told: ProvinceStreams, through: date) -> pd.DataFrame:
    pure = told.days[~told.days["code"].isin(told.mixed)]
    return _beyond(pure, "arrived", "reported", through)


def _tagged_not_received(told: ProvinceStreams, through: date) -> pd.DataFrame:
    return _beyond(told.days.assign(nothing=0), "without_document", "nothing", through)


def _list_not_entered(told: ProvinceStreams, through: date) -> pd.DataFrame:
    """Begun so long ago that the list would have been entered, counted from the first night of any recap at most."""
    clock = told.clocks["rekap_vk"]
    if clock.first > through:
        return _none()
    begun = _begun(told.days)
    due = begun[begun <= through]
    missing = due[due.index.isin(told.lists.loc[~told.lists["entered"], "code"])]
    return pd.DataFrame({"families": 0, "since": missing})


def _list_larger(told: ProvinceStreams, through: date) -> pd.DataFrame:
    """Once the field work is over: before, whoever is on the list may still be visited."""
    if through < told.closes:
        return _none()
    arrived = told.days.groupby("code")["arrived"].sum()
    lists = told.lists[told.lists["entered"]].set_index("code")["families"]
    beyond = lists - arrived.reindex(lists.index, fill_value=0)
    return pd.DataFrame({"families": beyond[beyond > 0].astype("int64"), "since": told.closes})


def _beyond(days: pd.DataFrame, more: str, less: str, through: date) -> pd.DataFrame:
    """Places where ``more`` exceeds ``less`` over all days up to ``through``: by how much, since which day."""
    reported = days[days["day"] <= through]
    sums = reported.groupby("code")[[more, less]].sum()
    beyond = (sums[more] - sums[less]).loc[lambda each: each > 0]
    showing = reported[(reported[more] > reported[less]) & reported["code"].isin(beyond.index)]
    return pd.DataFrame({"families": beyond, "since": showing.groupby("code")["day"].min()})


def _begun(days: pd.DataFrame) -> "pd.Series[date]":
    """The first day on which any stream tells of work in each place."""
    worked = days[(days[["arrived", "reported", "tagged"]] > 0).any(axis=1)]
    return worked.groupby("code")["day"].min()


def _none() -> pd.DataFrame:
    return pd.DataFrame({"families": [], "since": []})


_FINDERS: Mapping[str, Callable[[ProvinceStreams, date], pd.DataFrame]] = {
    "reported_not_received": _reported_not_received,
    "received_not_reported": _received_not_reported,
    "tagged_not_received": _tagged_not_received,
    "list_not_entered": _list_not_entered,
    "list_larger": _list_larger,
}
assert set(_FINDERS) == set(gap_kinds()), "every kind of gap_kinds.csv is found by one law"


def heads_not_met(told: ProvinceStreams) -> pd.DataFrame:
    """Places where work is reported, but nothing was verified with the head of the SLS and no list is entered.

    Columns: index ``code``; ``since``: the first day of work. Of the days only that daily counts have reported.
    """
    through = reported_through(told.clocks, ("progres",))
    if through is None:
        return pd.DataFrame({"since": []})
    of_progres = told.days[(told.days["day"] <= through) & (told.days["messages"] > 0)]
    verified = told.days.groupby("code")["verified"].sum()
    entered = told.lists.loc[told.lists["entered"], "code"]
    first = of_progres.groupby("code")["day"].min()
    met = first.index.isin(verified.index[verified > 0]) | first.index.isin(entered)
    return pd.DataFrame({"since": first[~met]})
