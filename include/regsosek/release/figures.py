"""Everything that one release shows, gathered once; from here on nothing asks the warehouse again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.manifest import CONTRACT_VERSION
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.regions import NATION
from regsosek.release.wording import night_states
from regsosek.statistics.as_of import AsOf
from regsosek.statistics.days import arrivals, daily, restated
from regsosek.statistics.nights import provinces_of_the_night
from regsosek.statistics.percentages import percent
from regsosek.statistics.tree import completion


@dataclass(frozen=True)
class Missing:
    """A province whose data of the night are absent or incomplete; ``held_families`` of it wait for a decision."""

    code: str
    name: str
    state: str
    figures_night: date | None
    reasons: tuple[str, ...]
    held_families: int


@dataclass(frozen=True)
class Figures:
    """The figures of one night; the frames are those of ``statistics``, ``completion`` with its percentages.

    Attributes:
        former: the picture that readers saw before; what differs from it is called restated.
        held_back: provinces whose own night failed conservation or the second reading; they stand at ``as_of.nights``.
        notes: what the loaded frame and targets say about themselves (``simulated ...``).
        versions: what the night was judged and counted by.
    """

    as_of: AsOf
    former: AsOf
    windows: Mapping[str, FieldWindow]
    held_back: tuple[str, ...]
    completion: pd.DataFrame
    daily: pd.DataFrame
    arrivals: pd.DataFrame
    restated: pd.DataFrame
    provinces: pd.DataFrame
    notes: tuple[str, ...]
    versions: Mapping[str, Any]

    @property
    def night(self) -> date:
        """The night that the release is of."""
        return self.as_of.night

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """The provinces that the night's picture lacks, wholly or in part."""
        words = night_states()
        return tuple(_missing(row) for _, row in self.provinces.iterrows() if not words[row["state"]].complete)

    @cached_property
    def scale(self) -> float:
        """The share of the real operation that is covered: the smallest of any province's target; 1 without targets."""
        scales = self.completion["scale"].dropna()
        return 1.0 if scales.empty else float(scales.min())

    def region(self, code: str) -> "pd.Series[Any]":
        """The row of one region."""
        return self.completion[self.completion["code"] == code].iloc[0]


def gather(
    connection: Connection,
    as_of: AsOf,
    former: AsOf,
    windows: Mapping[str, FieldWindow],
    held_back: tuple[str, ...] = (),
) -> Figures:
    """Reads the figures of a night, in the caller's transaction."""
    states = provinces_of_the_night(connection, as_of, windows)
    states.loc[states["province"].isin(held_back), "state"] = "held_back"
    regions = completion(connection, as_of)
    return Figures(
        as_of=as_of,
        former=former,
        windows=windows,
        held_back=held_back,
        completion=with_percentages(regions, planned(regions, windows, as_of.night)),
        daily=daily(connection, as_of, windows),
        arrivals=arrivals(connection, as_of),
        restated=restated(connection, as_of, former),
        provinces=states,
        notes=_notes(connection),
        versions=_versions(connection, as_of.night),
    )


def planned(regions: pd.DataFrame, windows: Mapping[str, FieldWindow], night: date) -> dict[str, float]:
    """Percent of the target that the plan expects by the end of ``night``, by code; the nation's by its targets."""
    shares = {code: window.plan_share(night) * 100 for code, window in windows.items()}
    weighed = regions[(regions["level"] == "provinsi") & regions["target_families"].notna()]
    targets = {str(c): int(n) for c, n in zip(weighed["code"], weighed["target_families"], strict=True)}
    national = percent(sum(shares[code] / 100 * families for code, families in targets.items()), sum(targets.values()))
    return shares if national is None else {**shares, NATION: national}


def with_percentages(regions: pd.DataFrame, plan: Mapping[str, float]) -> pd.DataFrame:
    """Adds ``visited_of_target, complete_of_target, visited_of_frame, plan_percent, gap_points``; missing where the
    denominator is zero or unknown."""
    frame = regions.copy()
    for share_of, numerator, denominator in (
        ("visited_of_target", "visited", "target_families"),
        ("complete_of_target", "complete", "target_families"),
        ("visited_of_frame", "visited", "frame_families"),
    ):
        pairs = zip(frame[numerator], frame[denominator], strict=True)
        frame[share_of] = pd.Series([percent(part, whole) for part, whole in pairs], dtype="Float64")
    frame["plan_percent"] = pd.Series([plan.get(code) for code in frame["code"]], dtype="Float64")
    frame["gap_points"] = frame["visited_of_target"] - frame["plan_percent"]
    return frame


def _notes(connection: Connection) -> tuple[str, ...]:
    rows = connection.execute(text("SELECT DISTINCT note FROM reference.version WHERE note <> '' ORDER BY note"))
    return tuple(rows.scalars())


def _versions(connection: Connection, night: date) -> dict[str, Any]:
    """Hashes of codebook, suites and reference files that the night's deliveries were registered with."""
    query = """
        SELECT v.key, array_agg(DISTINCT v.value ORDER BY v.value) AS hashes
        FROM ledger.delivery d, jsonb_each_text(d.versions) v WHERE d.night = :night GROUP BY v.key ORDER BY v.key
    """
    judged_by = {row.key: list(row.hashes) for row in connection.execute(text(query), {"night": night})}
    reference = connection.execute(text("SELECT dataset, version FROM reference.version ORDER BY dataset"))
    return {"contract": CONTRACT_VERSION, "judged_by": judged_by, "reference": {r[0]: r[1] for r in reference}}


def _missing(row: "pd.Series[Any]") -> Missing:
    reasons = tuple(filter(None, row["reasons"].split(",")))
    return Missing(row["province"], row["name"], row["state"], row["figures_night"], reasons, int(row["held_families"]))


def nation(figures: Figures) -> "pd.Series[Any]":
    """The nation's row."""
    return figures.region(NATION)
