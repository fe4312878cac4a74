"""Two small provinces, family by family, released night after night: what an attacker of the published files reads.

A kab/kota with hundreds of families a night hides each of them by itself; here most have a handful or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.audit.published_rules import read_table
from regsosek.release.figures.changes import changes_table
from regsosek.release.figures.disclosure import CASE_CAUSES, Policy
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.previously_published import PreviouslyPublished
from regsosek.release.figures.protection import protected
from regsosek.release.files.tables import tables_of
from regsosek.statistics.counts.changes import CAUSES
from regsosek.statistics.counts.days import ARRIVAL_FIELDS, QUALITY_RATES
from regsosek.statistics.counts.tree import add_up
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.shares import with_shares
from regsosek.warehouse.tables import PROGRESS_MEASURES
from support.figures import made_up

FIRST = date(2022, 10, 21)
# Desa of each kab/kota, and how many families it sends a night on average.
DESA = {"1101": (4, 9.0), "1102": (3, 0.5), "1103": (3, 2.0), "1201": (1, 0.4), "1202": (2, 6.0)}
RESULTS = ("complete", "incomplete", "no_respondent", "refused", "moved", "quarantined")
ODDS = (0.82, 0.04, 0.04, 0.03, 0.02, 0.05)
TABLES = (
    "nasional.csv", "provinsi.csv", "kabkota.csv", "desa.csv", "harian.csv", "revisi.csv", "perubahan.csv",
    "kedatangan.csv", "foto.csv", "mutu.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """A family that a night brought, or took back."""

    night: int
    desa: str
    day: int
    cause: str
    result: str
    persons: int
    poor: bool = False

    @property
    def sign(self) -> int:
        """Whether it came or went."""
        return -1 if self.cause == "withdrawn" else 1

    @property
    def province(self) -> str:
        """The province of its desa."""
        return self.desa[:2]


def all_desa() -> list[str]:
    """The codes of all desa, in order."""
    return [f"{kab}010{n:03d}" for kab, (count, _) in DESA.items() for n in range(1, count + 1)]


def events(nights: int, seed: int) -> list[Event]:
    """A campaign: a desa either brings families on a night, or takes one back, or nothing."""
    draws = np.random.default_rng(seed)
    found: list[Event] = []
    for night in range(nights):
        for desa in all_desa():
            count = int(draws.poisson(DESA[desa[:4]][1]))
            standing = [each for each in found if each.desa == desa and each.sign > 0]
            if not count and standing and draws.random() < 0.3:
                taken = standing[int(draws.integers(len(standing)))]
                gone = Event(night, desa, taken.day, "withdrawn", taken.result, taken.persons, taken.poor)
                if replace(gone, night=0) not in [replace(each, night=0) for each in found if each.sign < 0]:
                    found.append(gone)
            found += [_arriving(draws, night, desa) for _ in range(count)]
    return found


def _arriving(draws: np.random.Generator, night: int, desa: str) -> Event:
    day = night if draws.random() < 0.7 else max(0, night - int(draws.integers(1, 5)))
    result = str(draws.choice(RESULTS, p=ODDS))
    persons = int(draws.integers(1, 8)) if result in {"complete", "incomplete"} else 0
    return Event(night, desa, day, "new" if day == night else "late", result, persons, bool(draws.random() < 0.2))


def _counts(some: Sequence[Event], keys: Sequence[str]) -> pd.DataFrame:
    """All measures by ``keys`` of events, signed."""
    rows = [
        {**{key: getattr(each, key) for key in keys}, "visited": each.sign, each.result: each.sign,
         "persons": each.sign * each.persons}
        for each in some
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*keys, *PROGRESS_MEASURES]).fillna(0)
    return frame.groupby(list(keys), as_index=False).sum().astype(dict.fromkeys(PROGRESS_MEASURES, "int64"))


def _tree() -> pd.DataFrame:
    rows = [(NATION, "nasional", "Indonesia", None, None)]
    for code, level, above in (("11", "provinsi", NATION), ("12", "provinsi", NATION)):
        rows.append((code, level, code, above, code))
    rows += [(kab, "kabkota", kab, kab[:2], kab[:2]) for kab in DESA]
    rows += [(f"{kab}010", "kecamatan", kab, kab, kab[:2]) for kab in DESA]
    rows += [(desa, "desa", desa, desa[:7], desa[:2]) for desa in all_desa()]
    return pd.DataFrame(rows, columns=["code", "level", "name", "parent_code", "province"])


def _regions(own: pd.DataFrame, night: date) -> pd.DataFrame:
    """The tree with what its desa count, as ``made_up.completion`` has it."""
    tree = _tree().join(add_up(own.rename(columns={"desa": "code"}), _tree()), on="code")
    upper = tree["level"].isin(["nasional", "provinsi"])
    tree = tree.assign(
        unmapped=0, target_families=pd.Series(9000, tree.index, dtype="Int64").where(upper), scale=1.0,
        target_source=pd.Series("estimated", tree.index).where(upper), frame_families=9000, frame_version="v1",
        target_version=pd.Series("v1", tree.index).where(upper), prelist_families=9000, found_families=0,
        sls_prelist=4, sls_visited=3, subsls_frame=5, subsls_verified=2, verified_families=90,
        visited_where_verified=0, last_day=night, verified_version=night,
    )  # fmt: skip
    return made_up.region_rows(tree, night)


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


def _with_nation(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return pd.concat([frame, frame.assign(code=NATION)]).groupby(list(keys), as_index=False).sum()


def _daily(so_far: Sequence[Event]) -> pd.DataFrame:
    by_day = _with_nation(_counts(so_far, ["province", "day"]).rename(columns={"province": "code"}), ["code", "day"])
    whole = by_day.assign(day=by_day["day"].map(_day))
    cumulated = whole.groupby("code")[["visited", "complete"]].cumsum().add_suffix("_so_far")
    return whole.join(cumulated).assign(plan_families=100)


def _restated(so_far: Sequence[Event], night: int) -> pd.DataFrame:
    tonight = [each for each in so_far if each.night == night and each.day < night]
    keys = ["code", "day"]
    now, then = (
        _with_nation(_counts(some, ["province", "day"]).rename(columns={"province": "code"}), keys).set_index(keys)
        for some in (so_far, [each for each in so_far if each.night < night])
    )
    both = now.add_suffix("_now").join(then.add_suffix("_before"), how="left").fillna(0).astype("int64")
    by_cause = _counts(tonight, ["province", "day", "cause"]).rename(columns={"province": "code"})
    causes = _with_nation(by_cause, [*keys, "cause"]).pivot_table(
        index=keys, columns="cause", values="visited", aggfunc="sum", fill_value=0
    )
    wide = causes.reindex(columns=list(CAUSES), fill_value=0).add_prefix("cause_")
    rows = wide.join(both).reset_index()
    return rows.assign(day=rows["day"].map(_day)).astype(dict.fromkeys(CASE_CAUSES, "int64"))


def _arrivals(so_far: Sequence[Event]) -> pd.DataFrame:
    came = [each for each in so_far if each.sign > 0]
    found = _counts(came, ["province", "night"]).rename(columns={"province": "code"})
    rows = found[["code", "night"]].assign(
        received=found["visited"], loaded=found["visited"] - found["quarantined"], late=0, days_late=0, superseded=0,
        duplicate=0, withdrawn=0, warned=0, rows_quarantined=found["quarantined"], persons_received=found["persons"],
    )  # fmt: skip
    whole = _with_nation(rows, ["code", "night"])
    shares = ["mean_days_late", *(f"{name}_of_received" for name in QUALITY_RATES)]
    columns = ["code", "night", *ARRIVAL_FIELDS.values()]
    return with_shares(whole[columns].assign(night=whole["night"].map(_day)), shares)


def _photos(so_far: Sequence[Event], shown: pd.DataFrame) -> pd.DataFrame:
    poor = [each for each in so_far if each.poor]
    tags = add_up(_counts(poor, ["desa"]).rename(columns={"desa": "code"}), shown)["visited"]
    upper = shown[shown["level"].isin(["nasional", "provinsi", "kabkota"])]
    counted = upper[["code", "name", "level", "province"]].assign(tags_poor=tags.reindex(upper["code"]).to_numpy())
    counted = counted[counted["tags_poor"] > 0]
    return with_shares(counted.assign(tags_photographed=counted["tags_poor"]), ["photo_coverage"])


def _rules(so_far: Sequence[Event], night: int) -> pd.DataFrame:
    def judged(some: Sequence[Event]) -> pd.DataFrame:
        found = _counts([each for each in some if each.sign > 0], ["province"]).rename(columns={"province": "code"})
        return _with_nation(found, ["code"]).set_index("code")

    all_of, tonight = judged(so_far), judged([each for each in so_far if each.night == night])
    tonight = tonight.reindex(all_of.index, fill_value=0)
    rows = all_of[[]].assign(
        rule_dataset="keluarga", rule_id="C-303", severity="critical", violating_tonight=tonight["quarantined"],
        judged_tonight=tonight["visited"], violating=all_of["quarantined"], judged=all_of["visited"], rule_text="x",
        rule_text_en="x",
    )  # fmt: skip
    return with_shares(rows.reset_index(), ("violating_of_judged_tonight", "violating_of_judged"))


def _figures(base: Figures, campaign: Sequence[Event], night: int) -> Figures:
    so_far = [each for each in campaign if each.night <= night]
    tonight = _counts([each for each in so_far if each.night == night], ["desa", "cause"])
    now, then = (
        _regions(_counts([each for each in so_far if each.night <= last], ["desa"]), _day(night))
        for last in (night, night - 1)
    )
    own = tonight.rename(columns={"desa": "code"})
    parts = [add_up(each, now).assign(cause=cause).rename_axis("code") for cause, each in own.groupby("cause")]
    by_region = pd.concat([part.reset_index() for part in parts])
    before = then.set_index("code") if night else pd.DataFrame(index=pd.Index([], name="code"))
    return replace(
        base,
        as_of=AsOf(_day(night), dict.fromkeys(("11", "12"), _day(night))),
        completion=now,
        daily=_daily(so_far),
        restated=_restated(so_far, night),
        arrivals=_arrivals(so_far),
        photos=_photos(so_far, now),
        rules=_rules(so_far, night),
        changes=replace(base.changes, table=changes_table(now, before, by_region)),
    )


def told_by(files: Mapping[str, bytes]) -> PreviouslyPublished:
    """What readers were told, from the files themselves."""
    fields = {each.column: field for field, each in definitions().items()}
    tables = {name: read_table(content).rename(columns=fields) for name, content in files.items()}
    levels = ("nasional", "provinsi", "kabkota", "desa")
    regions = pd.concat([tables[f"{level}.csv"] for level in levels], ignore_index=True).set_index("code")
    return PreviouslyPublished(regions, tables["mutu.csv"], tables["foto.csv"])


def truth(campaign: Sequence[Event], nights: int) -> list[Figures]:
    """The figures of each night, as they are known."""
    base = made_up.figures()
    return [_figures(base, campaign, night) for night in range(nights)]


def guarded(known: Sequence[Figures], rules: Policy) -> list[tuple[Figures, dict[str, bytes]]]:
    """What readers see of each night, and its files; each goes by what they were told before."""
    told, found = PreviouslyPublished(regions=pd.DataFrame(index=pd.Index([], name="code"))), []
    for figures in known:
        shown = protected(replace(figures, changes=replace(figures.changes, before=told.regions)), told, rules)
        files = tables_of(shown, TABLES)
        told = told_by(files)
        found.append((shown, files))
    return found
