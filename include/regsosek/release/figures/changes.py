"""What a release changes against the one before it, by cause, for every region and figure: before + causes = now.

*Before* is what was published. Between it and now stand the changes of the nights between (``statistics.restatement``).
What remains has one of two causes, and the audit refuses it where it has neither (``release/audit/change_audit.py``):

``frame``     a new version of the frame counts a place in another region, or the denominator itself is another one,
``reopened``  a night that had been published was processed again. Where both happened to a province between two
              releases, they are not told apart below it, and stand here.

``merged`` is none of them: the sum of those that are not told one by one (``release/figures/disclosure.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION
from regsosek.landing.store import Store
from regsosek.release.figures.disclosure import HELD, RESULTS, WITHHELD
from regsosek.release.figures.previous_release import FormerRelease, published_regions
from regsosek.release.figures.renamed import Renamed, renamed_since
from regsosek.statistics.counts.changes import CAUSES
from regsosek.statistics.counts.restatement import changes_by_region, pivoted
from regsosek.statistics.counts.tree import region_totals
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import PROGRESS_MEASURES

RELEASE_CAUSES = (*CAUSES, "frame", "reopened", "merged")
CAUSE_FIELDS = {cause: f"cause_{cause}" for cause in RELEASE_CAUSES}
DENOMINATORS = ("target_families", "frame_families", "prelist_families", "verified_families", "registry_families")
# Denominators that provinces deliver themselves, list by list.
_DELIVERED = ("verified_families",)
# What moves a place to another region, or a case to another place.
PLACING = ("sls", "psls")

_PROCESSED_AGAIN = """
SELECT DISTINCT r.province FROM mart.refreshed r
JOIN unnest(CAST(:provinces AS text[]), CAST(:nights AS date[])) AS f (province, night) ON f.province = r.province
WHERE r.night <= f.night AND r.at > :published_at
"""


@dataclass(frozen=True)
class Changes:
    """What changed against the former release.

    Attributes:
        table: ``code, level, name, province, measure, before, cause_*, now``; of regions below the province only rows
            that changed, of each level only figures that are public there.
        former_night: the night of the former release; None for the first one.
        former_missing: codes of the provinces that it named as not whole.
        reference: by reference dataset the versions before and now, where they differ.
        processed_again: provinces of which a published night was processed again since; by the clock, so it may let
            the audit believe a change, and never reaches a file.
        gaps_before: by province the gap to the plan that it told, in points; nothing of those that it did not judge.
        before: the results of every region as they were published, index code.
        renamed: the tables and columns that had other names in it.
    """

    table: pd.DataFrame
    former_id: str | None
    former_night: date | None
    former_missing: tuple[str, ...]
    reference: Mapping[str, tuple[str, str]]
    processed_again: frozenset[str]
    gaps_before: Mapping[str, float]
    before: pd.DataFrame = field(default_factory=pd.DataFrame)
    renamed: tuple[Renamed, ...] = ()

    @property
    def restated_by_processing(self) -> list[str]:
        """Codes of the provinces whose published figures changed because nights were processed again."""
        again = (self.table["level"] == "provinsi") & (self.table[CAUSE_FIELDS["reopened"]] != 0)
        return sorted(self.table.loc[again, "code"].unique())

    @property
    def placing_changed(self) -> bool:
        """Whether places may be counted in other regions than before."""
        return bool(set(PLACING) & set(self.reference))


def changes_since(
    connection: Connection,
    store: Store,
    bucket: str,
    former: FormerRelease | None,
    as_of: AsOf,
    completion: pd.DataFrame,
) -> Changes:
    """Compares the regions of ``completion`` with what ``former`` published; without one everything is news."""
    stood = former.as_of if former else AsOf(as_of.night, {})
    by_region = _first_told(changes_by_region(connection, as_of, stood), completion, stood)
    before = published_regions(store, bucket, former) if former else pd.DataFrame(index=pd.Index([], name="code"))
    stood_at = _with_what_was_held(connection, before, stood)
    return Changes(
        table=changes_table(completion, stood_at, by_region),
        former_id=former.release_id if former else None,
        former_night=former.as_of.night if former else None,
        former_missing=former.missing if former else (),
        reference=_other_versions(connection, former) if former else {},
        processed_again=_processed_again(connection, former) if former else frozenset(),
        gaps_before=gaps_told(before),
        before=before.reindex(columns=list(RESULTS)),
        renamed=renamed_since(former.manifest) if former else (),
    )


def _with_what_was_held(connection: Connection, before: pd.DataFrame, stood: AsOf) -> pd.DataFrame:
    """What was published, and of results that were not told as of their night what they were by the warehouse."""
    if "disclosure_status" not in before or not (held := before["disclosure_status"].isin([HELD, WITHHELD])).any():
        return before
    counted = region_totals(connection, stood).reindex(before.index)
    return before.assign(**{name: before[name].mask(held, counted[name]) for name in RESULTS})


def _first_told(by_region: pd.DataFrame, completion: pd.DataFrame, stood: AsOf) -> pd.DataFrame:
    """Of a province that readers had no figures of everything is new: it was late for nobody."""
    province = by_region["code"].map(completion.set_index("code")["province"])
    first = province.notna() & ~province.isin(stood.nights)
    told = by_region.assign(cause=by_region["cause"].mask(first & (by_region["cause"] == "late"), "new"))
    provinces = told[told["code"] == province]
    parts = [told[told["code"] != NATION], provinces.assign(code=NATION)]
    return pd.concat(parts).groupby(["code", "cause"], as_index=False)[list(PROGRESS_MEASURES)].sum()


def changes_table(completion: pd.DataFrame, before: pd.DataFrame, by_region: pd.DataFrame) -> pd.DataFrame:
    """The table of :class:`Changes`.

    Args:
        completion: the regions of the release.
        before: what was published of them, index code; what is not in it was zero, or not known.
        by_region: ``statistics.restatement.changes_by_region``.
    """
    regions = completion.set_index("code", drop=False).rename_axis(None)
    counts = [_counted(regions, before, by_region, measure) for measure in PROGRESS_MEASURES]
    denominators = [_denominator(regions, before, field) for field in DENOMINATORS]
    return changes_in_order([*counts, *denominators])


def changes_in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of a table of changes by region, then by figure."""
    order = {field: n for n, field in enumerate((*PROGRESS_MEASURES, *DENOMINATORS))}
    table = pd.concat(parts, ignore_index=True)
    by_order = table.sort_values(["code", "measure"], key=lambda c: c.map(order) if c.name == "measure" else c)
    return by_order.reset_index(drop=True)


def undivided(regions: pd.DataFrame, before: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The rows of a measure of which no change is told by cause, where it changed.

    Args:
        regions: as readers see them, index code; ``before``: as they saw them last.
    """
    table = _compared(_public(regions, measure), before, measure)
    nothing = pd.Series(pd.NA, table.index, dtype="Int64")
    undivided = table.assign(**dict.fromkeys(CAUSE_FIELDS.values(), nothing))
    return _changed(undivided.assign(cause_merged=table["now"] - table["before"]))


def gaps_told(before: pd.DataFrame) -> dict[str, float]:
    """By province the gap to the plan in what was published, index code; a release that told none gives none."""
    told = before["gap_points"] if "gap_points" in before else pd.Series(dtype="float64")
    known = told.reindex([each.code for each in provinces()]).dropna()
    return {str(code): float(gap) for code, gap in known.items()}


def _counted(regions: pd.DataFrame, before: pd.DataFrame, by_region: pd.DataFrame, measure: str) -> pd.DataFrame:
    public = _public(regions, measure)
    table = _compared(public, before, measure)
    causes = pivoted(by_region, ["code"], measure).reindex(public.index, fill_value=0)
    for cause in CAUSES:
        table[CAUSE_FIELDS[cause]] = causes[cause]
    rest = table["now"] - table["before"] - causes.sum(axis=1)
    # No place ever leaves its province: what a province itself cannot account for is no matter of the frame.
    again = rest.reindex(public["province"].fillna(public["code"])).to_numpy() != 0
    table["cause_frame"], table["cause_reopened"] = rest.where(~again, 0), rest.where(again, 0)
    return _changed(table.assign(cause_merged=0))


def _denominator(regions: pd.DataFrame, before: pd.DataFrame, field: str) -> pd.DataFrame:
    table = _compared(_public(regions, field), before, field)
    table = table.assign(**dict.fromkeys(CAUSE_FIELDS.values(), 0))
    difference = table["now"] - table["before"]
    table["cause_new"] = difference if field in _DELIVERED else _of_new_provinces(regions, before, field, table)
    table["cause_frame"] = difference - table["cause_new"]
    return _changed(table)


def _of_new_provinces(regions: pd.DataFrame, before: pd.DataFrame, field: str, table: pd.DataFrame) -> "pd.Series[int]":
    """What the nation's denominator gains by provinces that are counted for the first time."""
    visited = before["visited"] if "visited" in before else pd.Series(dtype="float64")
    stood = visited.reindex(regions.index).notna()
    fresh = regions[(regions["level"] == "provinsi") & regions["visited"].notna() & ~stood]
    gained = int(fresh[field].fillna(0).sum())
    return pd.Series(0, index=table.index).mask(table["code"] == NATION, gained)


def _public(regions: pd.DataFrame, field: str) -> pd.DataFrame:
    levels = [level for level in regions["level"].unique() if definitions()[field].public_at(level)]
    return regions[regions["level"].isin(levels)]


def _compared(regions: pd.DataFrame, before: pd.DataFrame, field: str) -> pd.DataFrame:
    published = before[field] if field in before else pd.Series(dtype="float64")
    return regions[["code", "level", "name", "province"]].assign(
        measure=field,
        before=published.reindex(regions.index).fillna(0).astype("int64"),
        now=regions[field].fillna(0).astype("int64"),
    )


def _changed(table: pd.DataFrame) -> pd.DataFrame:
    """Nation and provinces in any case: that nothing changed is news too, if it was known at all."""
    moved = (table[list(CAUSE_FIELDS.values())].fillna(0) != 0).any(axis=1) | (table["before"] != table["now"])
    known = (table["before"] != 0) | (table["now"] != 0)
    upper = table["level"].isin(["nasional", "provinsi"])
    return table[moved | (upper & known)]


def _other_versions(connection: Connection, former: FormerRelease) -> dict[str, tuple[str, str]]:
    rows = connection.execute(text("SELECT dataset, version FROM reference.version"))
    loaded: dict[str, str] = {row.dataset: row.version for row in rows}
    pairs = {name: (former.reference.get(name, ""), loaded.get(name, "")) for name in {*former.reference, *loaded}}
    return {name: pair for name, pair in sorted(pairs.items()) if pair[0] != pair[1]}


def _processed_again(connection: Connection, former: FormerRelease) -> frozenset[str]:
    nights = former.as_of.nights
    values = {"provinces": list(nights), "nights": list(nights.values()), "published_at": former.published_at}
    return frozenset(connection.execute(text(_PROCESSED_AGAIN), values).scalars())
