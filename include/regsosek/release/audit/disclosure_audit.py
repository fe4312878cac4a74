"""Whether the published tables keep the policy of disclosure and still add up; from their bytes.

Written for itself: it knows which cells must be empty and what must be a sum, not how they came about.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from regsosek.release.audit.published_rules import read_table
from regsosek.release.figures.disclosure import CASE_CAUSES, HELD, MERGED, RESULTS, Policy
from regsosek.release.figures.figures import Figures
from regsosek.statistics.definitions.definitions import definitions

SHOWN = 5
_UPPER = ("nasional", "provinsi", "kabkota")
_OF_CASES = ("visited", *RESULTS)
# Which cells are told of no row.
_NEVER: Mapping[str, tuple[str, ...]] = {
    "harian.csv": (*RESULTS, "complete_so_far"),
    "revisi.csv": ("complete_before", "complete_now"),
    "kedatangan.csv": ("persons_received",),
}


def disclosure_faults(shown: Figures, files: Mapping[str, bytes]) -> list[str]:
    """What does not hold: sums always, and of protected figures which cells are empty."""
    regions = {level: _read(files[f"{level}.csv"]).set_index("code") for level in _UPPER}
    changes = _read(files["perubahan.csv"])
    found = [*_sums(regions), *_rows(changes), *_now(changes, regions)]
    if shown.disclosure is None:
        return found
    return [*found, *_never(files), *_causes(changes, shown.disclosure), *_held(regions["kabkota"])]


def _sums(regions: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """The nation is its provinces, as told; no province is less than its kab/kota."""
    nation, provinces, kabkota = (regions[level] for level in _UPPER)
    for measure in _OF_CASES:
        whole, parts = nation[measure].fillna(0).sum(), provinces[measure].fillna(0).sum()
        if whole != parts:
            yield f"nasional.csv: {measure} is {whole:.0f}, of the provinces {parts:.0f}"
        told = kabkota.groupby("parent_code")[measure].sum().reindex(provinces.index, fill_value=0)
        less = provinces.index[provinces[measure].fillna(0) < told]
        yield from _told(less, f"provinsi.csv: {measure} is less than that of its kab/kota")


def _rows(changes: pd.DataFrame) -> Iterator[str]:
    causes = [name for name in changes.columns if name.startswith("cause_")]
    summed = changes["before"] + changes[causes].fillna(0).sum(axis=1)
    yield from _told(changes.loc[summed != changes["now"], "code"], "perubahan.csv: before and causes are not now")


def _now(changes: pd.DataFrame, regions: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """What a row of changes ends with is what the table of the region's level tells."""
    fields = {each.column: field for field, each in definitions().items()}
    names = changes["measure"].map(fields)
    for level, table in regions.items():
        of_level = changes[changes["region_level"] == level]
        for measure in _OF_CASES:
            rows = of_level[names.reindex(of_level.index) == measure]
            told = table[measure].fillna(0).reindex(rows["code"]).to_numpy()
            yield from _told(rows.loc[rows["now"].to_numpy() != told, "code"], f"perubahan.csv: {measure} is not told")


def _never(files: Mapping[str, bytes]) -> Iterator[str]:
    for name, fields in _NEVER.items():
        table = _read(files[name])
        for each in fields:
            if table[each].notna().any():
                yield f"{name}: {each} is told"


def _causes(changes: pd.DataFrame, policy: Policy) -> Iterator[str]:
    """No result is told by cause, and visits by no cause of few families, nor below the level that is named."""
    fields = {each.column: field for field, each in definitions().items()}
    measure, told = changes["measure"].map(fields), changes[list(CASE_CAUSES)]
    results = measure.isin(RESULTS) & told.notna().any(axis=1)
    below = ~changes["region_level"].isin(policy.levels_with_causes)
    visits = measure == "visited"
    small = (told.abs() < policy.minimum_families) & (told != 0) & told.notna()
    # The nation tells what its provinces tell, each of many.
    few = visits & (changes["region_level"] == "provinsi") & small.any(axis=1)
    lone = visits & changes[MERGED].ne(0) & (told.isna().sum(axis=1) == 1) & (changes["region_level"] != "nasional")
    hidden = {
        "a result is told by cause": results,
        "visits are told by cause": visits & below & told.notna().any(axis=1),
        "a cause of few families is told": few,
        "one cause alone is merged": lone & changes[MERGED].abs().lt(policy.minimum_families),
    }
    for what, wrong in hidden.items():
        yield from _told(changes.loc[wrong, "code"], f"perubahan.csv: {what}")


def _held(kabkota: pd.DataFrame) -> Iterator[str]:
    """What is held names the night that it is of."""
    nameless = kabkota.index[(kabkota["disclosure_status"] == HELD) & kabkota["results_night"].isna()]
    yield from _told(nameless, "kabkota.csv: held results without a night")


def _told(codes: "pd.Series[str] | pd.Index", what: str) -> Iterator[str]:
    for code in list(codes)[:SHOWN]:
        yield f"{what}: region {code}"
    if len(codes) > SHOWN:
        yield f"{what}: {len(codes) - SHOWN} more regions"


def _read(content: bytes) -> pd.DataFrame:
    fields = {each.column: field for field, each in definitions().items()}
    return read_table(content).rename(columns=fields)
