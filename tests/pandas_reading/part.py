"""One part of a delivery as the rules see it: families, members, who belongs to whom, and where the places are."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from pandas_reading.answers import Answers, read_answers

Row = dict[str, str]
WITHDRAWN = 9
SHARED = ("id_dokumen", "versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga")
KEY = SHARED[2:]


@dataclass(frozen=True)
class Change:
    """From day ``since`` on, sub-SLS ``old`` is (a part of) ``new``."""

    old: str
    new: str
    since: date


@dataclass(frozen=True)
class Surroundings:
    """What a night knows besides the delivery.

    Attributes:
        delivered: the day of delivery.
        latest: the last day that the delivery can tell of.
        opens, closes: first and last day of the province's field window.
        frame: first and last day on which each sub-SLS is valid; no last day means until further notice.
        changes: what became of sub-SLS.
        desa: the codes of all desa.
    """

    province: str
    delivered: date
    latest: date
    opens: date
    closes: date
    frame: Mapping[str, tuple[date, date | None]]
    changes: tuple[Change, ...]
    desa: frozenset[str]

    def in_frame(self, id_subsls: str, on: date) -> bool:
        """The sub-SLS is valid on day ``on``."""
        first, last = self.frame.get(id_subsls, (date.max, None))
        return first <= on <= (last or date.max)

    def is_retired(self, id_subsls: str, on: date) -> bool:
        """It is not valid on day ``on``, but something that it became by then is."""
        return not self.in_frame(id_subsls, on) and any(self.in_frame(heir, on) for heir in self._heirs(id_subsls, on))

    def _heirs(self, id_subsls: str, on: date) -> set[str]:
        heirs: set[str] = set()
        found = {id_subsls}
        while found:
            found = {c.new for c in self.changes if c.old in found and c.since <= on} - heirs
            heirs |= found
        return heirs


@dataclass(frozen=True)
class Part:
    """All rows of a part; ``families`` and ``members`` are those that are judged, without withdrawn documents."""

    around: Surroundings
    delivered_families: Answers
    delivered_members: Answers
    family_texts: list[Row]
    member_texts: list[Row]

    @classmethod
    def read(cls, around: Surroundings, families: list[Row], members: list[Row]) -> "Part":
        """Reads delivered text; empty is missing."""
        read = read_answers("keluarga", families), read_answers("anggota", members)
        return cls(around, *read, families, members)

    @cached_property
    def families(self) -> Answers:
        return self.delivered_families.only(~self._withdrawn)

    @cached_property
    def members(self) -> Answers:
        """The members of :attr:`families`, with ``keluarga_row`` and the family's result ``r205_hasil`` beside."""
        kept = self.belonging["keluarga_row"].isin(self.families.values.index)
        answers = self.delivered_members.only(kept)
        family = self.belonging["keluarga_row"][kept]
        result = family.map(self.families["r205_hasil"]).astype("Int64")
        return Answers(answers.values.assign(keluarga_row=family, r205_hasil=result), answers.unreadable)

    @cached_property
    def _withdrawn(self) -> "pd.Series[bool]":
        return self.delivered_families["status_dokumen"].eq(WITHDRAWN).fillna(False).astype(bool)

    @cached_property
    def belonging(self) -> pd.DataFrame:
        """For every delivered member ``keluarga_row`` and ``misfit``.

        A member belongs to the family with its document and revision, else to the one with its key. It is a misfit
        if it disagrees with that family in what they share, or if several families have that key.
        """
        families = _keyed(self.delivered_families, self.family_texts)
        by_document = _first_rows(families, lambda f: (f["id_dokumen"], f["versi"]) if _both_given(f) else None)
        by_key = _first_rows(families, lambda f: f["key"])
        sharing = Counter(f["key"] for f in families.values())
        found = {}
        for row_no, member in _keyed(self.delivered_members, self.member_texts).items():
            row = by_document.get((member["id_dokumen"], member["versi"]))
            lost = row is None and sharing[member["key"]] > 1
            row = row or by_key[member["key"]]
            found[row_no] = (row, lost or _disagree(member, families[row]), member["key"])
        return pd.DataFrame.from_dict(found, orient="index", columns=["keluarga_row", "misfit", "key"])

    @cached_property
    def family_keys(self) -> "pd.Series[Any]":
        """The key of every delivered family as members are matched with it."""
        keyed = _keyed(self.delivered_families, self.family_texts)
        return pd.Series({row_no: each["key"] for row_no, each in keyed.items()}, dtype=object)

    def per_family(self, members: "pd.Series[bool]") -> "pd.Series[int]":
        """How many of the marked members each judged family has; unknown marks count as no."""
        marked = members.astype("boolean").fillna(False).astype(int)
        counted = marked.groupby(self.members["keluarga_row"]).sum()
        return counted.reindex(self.families.values.index, fill_value=0).astype("Int64")


def _keyed(answers: Answers, texts: list[Row]) -> dict[int, dict[str, Any]]:
    """What links rows, by row number; the key falls back on the text as it came."""
    keyed = {}
    columns = {name: answers[name].astype(object).where(answers[name].notna(), None).to_dict() for name in SHARED}
    for row_no, text in enumerate(texts, start=1):
        shared = {name: columns[name][row_no] for name in SHARED}
        key = tuple(str(text[name].strip(" ") if shared[name] is None else shared[name]) for name in KEY)
        keyed[row_no] = shared | {"key": key}
    return keyed


def _both_given(row: dict[str, Any]) -> bool:
    return row["id_dokumen"] is not None and row["versi"] is not None


def _first_rows(rows: dict[int, dict[str, Any]], key: Callable[[dict[str, Any]], Any]) -> dict[Any, int]:
    first: dict[Any, int] = {}
    for row_no, row in rows.items():
        first.setdefault(key(row), row_no)
    first.pop(None, None)
    return first


def _disagree(member: dict[str, Any], family: dict[str, Any]) -> bool:
    return any(
        member[name] is not None and family[name] is not None and member[name] != family[name] for name in SHARED
    )
