"""Everything that one release shows, gathered once; from here on nothing asks the warehouse again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.contract.manifest import CONTRACT_VERSION
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.frame import simulated
from regsosek.geography.planning import Planning
from regsosek.geography.regions import NATION
from regsosek.quality.rules import Suite
from regsosek.release.figures.changes import Changes
from regsosek.release.figures.disclosure import OPEN, Policy
from regsosek.release.figures.imprint import About, Disclosed, Imprint
from regsosek.release.figures.words import night_states
from regsosek.statistics.counts.days import arrivals, daily
from regsosek.statistics.counts.restatement import restated_by_cause
from regsosek.statistics.counts.tree import completion, scale_of_sum
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.forecast.series import officers, region_days
from regsosek.statistics.forecast.table import Prospects, prospects
from regsosek.statistics.measures.denominators import with_denominators
from regsosek.statistics.measures.lowest_part import floors
from regsosek.statistics.measures.region_figures import region_figures
from regsosek.statistics.nights.arrivals_calendar import arrivals_calendar
from regsosek.statistics.nights.province_nights import provinces_of_the_night
from regsosek.statistics.nights.rule_violations import rule_violations
from regsosek.statistics.streams.clocks import clocks_as_of
from regsosek.statistics.streams.side_by_side import photo_coverage, side_by_side
from regsosek.warehouse.reference import version_notes
from regsosek.warehouse.tables import PROGRESS_MEASURES


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
    """The figures of one night; the frames are those of ``statistics``, ``completion`` with denominators and pace.

    Attributes:
        completion: regions of provinces that were never processed have no counts (``statistics.counted``).
        former: the picture that readers saw before; what differs from it is called restated.
        held_back: provinces whose own night failed conservation or the second reading; they stand at ``as_of.nights``.
        notes: what the loaded frame and targets say about themselves.
        versions: what the night was judged and counted by.
        changes: what differs from the release that readers saw before, by cause.
        prospects: forecasts of provinces and kab/kota.
        streams, photos: streams side by side and photo coverage (``statistics.streams.side_by_side``).
        calendar: province by night (``statistics.arrivals_calendar``).
        rules: violations by rule (``statistics.rule_violations``), with ``rule_text`` and ``rule_text_en`` as the
            suites say today; missing for a rule that exists no more.
        imprint: who publishes.
        disclosure: the policy that the figures were protected by (``release/figures/protection.py``); None while they
            are all that is known, which readers see of simulated data alone.
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
    changes: Changes
    prospects: Prospects
    streams: pd.DataFrame
    photos: pd.DataFrame
    calendar: pd.DataFrame
    rules: pd.DataFrame
    imprint: Imprint
    disclosure: Policy | None = None

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
        """The share of the real operation that is covered, by the targets of all provinces that have one; 1 without."""
        provinces = self.completion[self.completion["level"] == "provinsi"].dropna(subset=["target_families", "scale"])
        return scale_of_sum(provinces["target_families"], provinces["scale"])

    @cached_property
    def scales(self) -> Mapping[str, float]:
        """By province and of the nation, the share of the real operation that is covered."""
        known = self.completion.dropna(subset=["scale"])
        return {**dict(zip(known["code"], known["scale"], strict=True)), NATION: self.scale}

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The regions with zero where nothing is counted: what the audit adds up, never what readers see."""
        return self.completion.fillna(dict.fromkeys(PROGRESS_MEASURES, 0) | {"unmapped": 0})

    @cached_property
    def about(self) -> About:
        """What the release says of itself."""
        missing = tuple(each.name for each in self.missing)
        return About(self.imprint, self.night, self.scale, simulated(self.notes), missing, self.disclosed)

    @cached_property
    def disclosed(self) -> Disclosed:
        """What of the results of kab/kota readers see."""
        kabkota = self.completion[(self.completion["level"] == "kabkota") & self.completion["visited"].notna()]
        told = kabkota["disclosure_status"] == OPEN if self.disclosure else pd.Series(data=True, index=kabkota.index)
        return Disclosed(self.disclosure, int((~told).sum()), len(kabkota))

    @cached_property
    def floors(self) -> pd.DataFrame:
        """The floor beside the mean (``statistics.floor``)."""
        return floors(self.completion)

    def region(self, code: str) -> "pd.Series[Any]":
        """The row of one region."""
        return self.completion[self.completion["code"] == code].iloc[0]


def gather(
    connection: Connection,
    as_of: AsOf,
    former: AsOf,
    changes_of: Callable[[AsOf, pd.DataFrame], Changes],
    planned: Planning,
    suites: Mapping[str, Suite],
    imprint: Imprint,
    held_back: tuple[str, ...] = (),
) -> Figures:
    """Reads the figures of a night, in the caller's transaction.

    Args:
        changes_of: compares it with what was published.
        suites: what says the words of rules, by dataset.
        imprint: who publishes.
    """
    windows, plans, targets = planned.windows, planned.plans, planned.targets
    states = provinces_of_the_night(connection, as_of, windows)
    states.loc[states["province"].isin(held_back), "state"] = "held_back"
    regions = with_denominators(connection, as_of, windows, completion(connection, as_of), targets)
    shown = region_figures(regions, windows, plans, as_of.night, as_of.nights)
    arrived = arrivals(connection, as_of)
    opens = {code: window.opens for code, window in windows.items()}
    return Figures(
        as_of=as_of,
        former=former,
        windows=windows,
        held_back=held_back,
        completion=shown,
        daily=daily(connection, as_of, windows),
        arrivals=arrived,
        restated=restated_by_cause(connection, as_of, former),
        provinces=states,
        notes=version_notes(connection),
        versions={**_versions(connection, as_of.night), "plan": plans.version, "region_targets": targets.version},
        changes=changes_of(as_of, shown),
        prospects=prospects(shown, region_days(connection, as_of), officers(connection, as_of), windows, as_of),
        streams=side_by_side(connection, as_of, regions, clocks_as_of(connection, as_of), opens),
        photos=photo_coverage(connection, as_of, regions),
        calendar=arrivals_calendar(connection, as_of, windows, arrived, held_back),
        rules=_told(rule_violations(connection, as_of), suites),
        imprint=imprint,
    )


def _told(violations: pd.DataFrame, suites: Mapping[str, Suite]) -> pd.DataFrame:
    """Adds the texts of the rules; of two versions of a rule the last one that its suite lists."""
    rules = {(suite.dataset, rule.id): rule for suite in suites.values() for rule in suite.rules}
    named = [rules.get(key) for key in zip(violations["rule_dataset"], violations["rule_id"], strict=True)]
    texts = {
        "rule_text": [rule.text_id if rule else None for rule in named],
        "rule_text_en": [rule.text_en if rule else None for rule in named],
    }
    return violations.assign(**{name: pd.Series(told, violations.index, dtype=object) for name, told in texts.items()})


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
