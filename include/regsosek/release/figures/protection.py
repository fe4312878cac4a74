"""From the figures of a night to those that readers may see (``disclosure.toml``): made once, before any file.

Results of a kab/kota, and of what a province cannot place in one, stand as they were told until enough families moved
them. A province and the nation are the sums of their parts as told, and changes of results have no causes: so nothing
that is published of more lets anybody take out what was not told of less. By day of enumeration visits alone are told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.figures.changes import changes_in_order, undivided
from regsosek.release.figures.disclosure import (
    CASE_CAUSES,
    HELD,
    MERGED,
    OPEN,
    RESULTS,
    WITHHELD,
    Policy,
    all_merged,
    as_told,
    merged,
    moves,
)
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.previously_published import PreviouslyPublished
from regsosek.release.figures.words import severities
from regsosek.statistics.counts.days import ARRIVAL_FIELDS, QUALITY_RATES
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.measures.region_figures import NONRESPONSE, REGION_SHARES
from regsosek.statistics.nights.rule_violations import RULE_COUNTS, RULE_SHARES

_UPPER = ("nasional", "provinsi", "kabkota")
_RESULT_SHARES = tuple(
    share for share in REGION_SHARES if definitions()[share].numerator in {*RESULTS, "nonresponse"}
)  # fmt: skip
_PHOTOS = ("tags_poor", "tags_photographed")
# What is told of a night of few families: how many came, and how late.
_OF_FEW = ("received", "late", "days_late")
_RULE = ("code", "rule_dataset", "rule_id", "severity")
_OF_TONIGHT = ("violating_tonight", "judged_tonight")
_TO_DATE = tuple(name for name in RULE_COUNTS if name not in _OF_TONIGHT)


def protected(figures: Figures, told: PreviouslyPublished, policy: Policy) -> Figures:
    """The figures of which every file is made; ``told``: what readers saw last."""
    shown = _regions(figures, told, policy)
    return replace(
        figures,
        completion=shown,
        daily=_by_day(figures.daily),
        arrivals=_arrivals(figures.arrivals, policy.minimum_families),
        restated=_restated(figures.restated, policy.minimum_families),
        changes=replace(figures.changes, table=_changes(figures, shown, policy)),
        rules=_rules(figures.rules, told, policy.minimum_rows),
        photos=_photos(figures.photos, told, policy.minimum_families),
        disclosure=policy,
    )


def _regions(figures: Figures, told: PreviouslyPublished, policy: Policy) -> pd.DataFrame:
    regions = figures.completion.set_index("code", drop=False).rename_axis(None)
    known = regions[regions["level"].isin(_UPPER) & regions["visited"].notna()]
    now, before = known[list(RESULTS)].astype("int64"), told.results(known.index)

    def decided(stood: pd.DataFrame, parts: pd.DataFrame) -> "pd.Series[bool]":
        return moves(parts - stood, policy.minimum_families) & (not told.final)

    results = _of_parts(known, before, now, decided)
    shown = regions.assign(**{name: results[name].reindex(regions.index) for name in RESULTS})
    shown = shown.assign(
        nonresponse=shown[list(NONRESPONSE)].sum(axis=1, skipna=False).astype("Int64"),
        disclosure_status=_status(now, results).reindex(regions.index, fill_value=OPEN),
    )
    nights = _nights(shown, figures, told)
    return with_shares(shown.assign(results_night=nights), _RESULT_SHARES).reset_index(drop=True)


def _of_parts(known: pd.DataFrame, before: pd.DataFrame, now: pd.DataFrame, decided: Any) -> pd.DataFrame:
    """The counts of kab/kota as told, and the provinces and the nation as the sums of what is told.

    What a province counts in no kab/kota is a part of it like any other.
    """
    kabkota = known.index[known["level"] == "kabkota"]
    provinces = known.index[known["level"] == "provinsi"]
    of = known["province"]
    own_now, own_before = (_unplaced(counts, kabkota, provinces, of) for counts in (now, before))
    own = (own_now != 0).any(axis=1) | (own_before.fillna(0) != 0).any(axis=1)
    parts = pd.concat([now.loc[kabkota], own_now[own]])
    stood = pd.concat([before.loc[kabkota], own_before[own]])
    shown = as_told(stood, parts, decided(stood.fillna(0).astype("int64"), parts))
    by_province = shown.groupby(of.reindex(shown.index)).sum(min_count=1).reindex(provinces)
    nation = by_province.sum(min_count=1).to_frame(NATION).T.reindex(known.index[known["level"] == "nasional"])
    return pd.concat([nation, by_province, shown.loc[kabkota]]).astype("Int64")


def _unplaced(counts: pd.DataFrame, kabkota: pd.Index, provinces: pd.Index, of: "pd.Series[str]") -> pd.DataFrame:
    """What each province counts beyond its kab/kota; missing where nothing is known of the province."""
    placed = counts.loc[kabkota].groupby(of.loc[kabkota]).sum().reindex(provinces, fill_value=0)
    return counts.loc[provinces] - placed


def _status(now: pd.DataFrame, shown: pd.DataFrame) -> "pd.Series[str]":
    """By whether what is shown is what is true; the same data give the same word, however often they are published."""
    same = (shown.reindex(now.index) == now).fillna(value=False).all(axis=1)
    missing = shown.reindex(now.index).isna().all(axis=1)
    return pd.Series(HELD, now.index).mask(missing, WITHHELD).mask(same, OPEN)


def _nights(shown: pd.DataFrame, figures: Figures, told: PreviouslyPublished) -> "pd.Series[Any]":
    """The night of each row's results: of a held province and nation the newest of its parts."""
    stands = {**figures.as_of.nights, **({NATION: figures.night} if figures.as_of.nights else {})}
    tonight = shown["province"].fillna(NATION).map(stands)
    nights = tonight.where(shown["disclosure_status"] == OPEN, told.nights(shown.index)).astype(object)
    nights = nights.mask(shown["disclosure_status"] == WITHHELD, None)
    parts = nights[shown["level"] == "kabkota"].dropna()
    by_province = parts.groupby(shown["province"].reindex(parts.index)).max()
    newest = {**by_province, **({NATION: by_province.max()} if len(by_province) else {})}
    above = shown["level"].isin(["nasional", "provinsi"]) & (shown["disclosure_status"] == HELD)
    return nights.mask(above, shown["province"].fillna(NATION).map(newest))


def _by_day(daily: pd.DataFrame) -> pd.DataFrame:
    names = (*RESULTS, "complete_so_far")
    return daily.assign(**_empty(daily, names), disclosure_status=_withheld_where(daily["visited"].notna()))


def _restated(restated: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Of days that were restated visits alone, causes of few families merged; the nation is what provinces tell."""
    results = [f"{name}_{when}" for name in RESULTS for when in ("before", "now")]
    emptied = restated.assign(**_empty(restated, results))
    told = _with_causes(emptied, merged(emptied[list(CASE_CAUSES)], minimum))
    told = _nation_of_provinces(told, "day")
    return told.assign(disclosure_status=WITHHELD)


def _nation_of_provinces(told: pd.DataFrame, key: str) -> pd.DataFrame:
    """Takes the nation's causes from the provinces', row by row of ``key``: a cause is told as far as they tell it."""
    names = [*CASE_CAUSES, MERGED]
    nation = told["code"] == NATION
    sums = told[~nation & told["of_provinces"]] if "of_provinces" in told else told[~nation]
    summed = sums.groupby(key)[names].sum(min_count=1)
    return _of_nation(told, summed.reindex(told.loc[nation, key]), names)


def _of_nation(told: pd.DataFrame, sums: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """``told`` with ``sums``, row by row, in the rows of the nation."""
    nation = told["code"] == NATION
    of_nation = sums.set_axis(told.index[nation])[list(names)].astype("Int64").reindex(told.index)
    return told.assign(**{name: told[name].astype("Int64").where(~nation, of_nation[name]) for name in names})


def _with_causes(frame: pd.DataFrame, causes: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: causes[name] for name in causes.columns})


def _changes(figures: Figures, shown: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Visits by cause where that is told of many families; results by nothing but their difference."""
    table = figures.changes.table
    visits = table[table["measure"] == "visited"]
    by_cause = visits["level"].isin(policy.levels_with_causes)
    causes = pd.concat([
        merged(visits.loc[by_cause, list(CASE_CAUSES)], policy.minimum_families),
        all_merged(visits.loc[~by_cause, list(CASE_CAUSES)]),
    ]).reindex(visits.index)  # fmt: skip
    visits = _with_causes(visits, causes).assign(of_provinces=visits["level"] == "provinsi")
    visits = _nation_of_provinces(visits, "measure").drop(columns="of_provinces")
    hidden = visits[list(CASE_CAUSES)].isna().any(axis=1) | (visits[MERGED] != 0)
    visits = visits.assign(disclosure_status=_withheld_where(hidden))
    others = table[~table["measure"].isin(["visited", *RESULTS])].assign(disclosure_status=OPEN)
    regions = shown.set_index("code", drop=False).rename_axis(None)
    results = [undivided(regions, figures.changes.before, name) for name in RESULTS]
    told = pd.concat([each.assign(disclosure_status=WITHHELD) for each in results])
    return changes_in_order([visits, told, others])


def _arrivals(arrivals: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Of a night of few families what became of them is not told, of no night how many persons came.

    The nation is the sum of what is told of provinces.
    """
    few = (arrivals["received"] > 0) & (arrivals["received"] < minimum) & (arrivals["code"] != NATION)
    became = [name for name in ARRIVAL_FIELDS.values() if name not in _OF_FEW]
    told = arrivals.assign(**{name: arrivals[name].astype("Int64").mask(few) for name in became})
    told = told.assign(**_empty(told, ("persons_received",)))
    nation = told["code"] == NATION
    sums = told[~nation].groupby("night")[became].sum(min_count=1).reindex(told.loc[nation, "night"])
    return with_shares(_of_nation(told, sums, became), [f"{name}_of_received" for name in QUALITY_RATES]).assign(
        disclosure_status=WITHHELD
    )


def _rules(rules: pd.DataFrame, told: PreviouslyPublished, minimum: int) -> pd.DataFrame:
    """What rules found of a province, to date as told until enough was judged since, and tonight of enough rows."""
    labels = {words.id: severity for severity, words in severities().items()}
    former = told.rules.assign(severity=told.rules["severity"].replace(labels)) if len(told.rules) else told.rules
    provinces = rules[rules["code"] != NATION].set_index(list(_RULE), drop=False)
    names = list(_TO_DATE)
    before = former.set_index(list(_RULE))[names] if len(former) else pd.DataFrame(columns=names)
    before = before.reindex(provinces.index).astype("Int64")
    moved = (provinces["judged"] - before["judged"].fillna(0).astype("int64")).abs() >= minimum
    shown = as_told(before, provinces[names], moved & (not told.final))
    few = (provinces["judged_tonight"] > 0) & (provinces["judged_tonight"] < minimum)
    tonight = provinces[list(_OF_TONIGHT)].astype("Int64").mask(few)
    told_of = provinces.assign(**{name: frame[name] for frame in (shown, tonight) for name in frame.columns})
    told_of = told_of.assign(disclosure_status=_status(provinces[names], shown).mask(few, WITHHELD))
    sums = told_of.reset_index(drop=True).groupby(list(_RULE[1:]))[list(RULE_COUNTS)].sum(min_count=1)
    nation = rules[rules["code"] == NATION].set_index(list(_RULE[1:]), drop=False)
    whole = nation.assign(**{name: sums[name].reindex(nation.index) for name in RULE_COUNTS})
    whole = whole.assign(disclosure_status=_status(nation[list(RULE_COUNTS)], whole[list(RULE_COUNTS)]))
    both = pd.concat([whole.reset_index(drop=True), told_of.reset_index(drop=True)], ignore_index=True)
    return with_shares(both, RULE_SHARES)


def _photos(photos: pd.DataFrame, told: PreviouslyPublished, minimum: int) -> pd.DataFrame:
    """Poor families with a tag, of each kab/kota as told until enough were tagged since."""
    known = photos.set_index("code", drop=False).rename_axis(None)
    now = known[list(_PHOTOS)].astype("int64")
    former = told.photos.set_index("code") if len(told.photos) else pd.DataFrame(columns=list(_PHOTOS))
    before = former[list(_PHOTOS)].reindex(known.index).astype("Int64")

    def decided(stood: pd.DataFrame, parts: pd.DataFrame) -> "pd.Series[bool]":
        return ((parts["tags_poor"] - stood["tags_poor"]).abs() >= minimum) & (not told.final)

    shown = _of_parts(known, before, now, decided)
    counted = known.assign(**{name: shown[name].reindex(known.index) for name in _PHOTOS})
    counted = counted.assign(disclosure_status=_status(now, shown))
    return with_shares(counted, ["photo_coverage"]).reset_index(drop=True)


def _empty(frame: pd.DataFrame, names: Sequence[str]) -> Mapping[str, "pd.Series[Any]"]:
    return {name: pd.Series(pd.NA, frame.index, dtype="Int64") for name in names if name in frame}


def _withheld_where(hidden: "pd.Series[bool]") -> "pd.Series[str]":
    return pd.Series(OPEN, hidden.index).mask(hidden, WITHHELD)
