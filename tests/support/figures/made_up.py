"""Made-up figures of a night: all 34 provinces over a small tree, one of them silent, one rejected, one held."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd

from regsosek.geography.calendar import FieldWindow, field_windows
from regsosek.geography.frame import SIMULATED
from regsosek.geography.plan import NONE_SUPPLIED, STEADY
from regsosek.geography.provinces import provinces
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.geography.regions import LEVELS, NATION
from regsosek.release.build import build
from regsosek.release.figures.changes import CAUSE_FIELDS, Changes, changes_table, gaps_told
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.imprint import read_imprint
from regsosek.statistics.counts.changes import CAUSES
from regsosek.statistics.counts.days import ARRIVAL_FIELDS, QUALITY_RATES
from regsosek.statistics.counts.tree import add_up
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.forecast.table import FORECAST_LEVELS, Prospects, prospects
from regsosek.statistics.measures.denominators import described
from regsosek.statistics.measures.region_figures import region_figures
from regsosek.statistics.nights.arrivals_calendar import DELIVERY_COUNTS, FAMILY_COUNTS
from regsosek.warehouse.tables import PROGRESS_MEASURES

NIGHT = date(2022, 10, 23)
FORMER = NIGHT - timedelta(days=1)
SILENT, REJECTED, HELD = "94", "81", "64"
HELD_FAMILIES = 1234
_COUNTS = (*DELIVERY_COUNTS, *FAMILY_COUNTS)
SHARES = dict.fromkeys(PROGRESS_MEASURES, 0.1) | {
    "visited": 1.0, "complete": 0.84, "incomplete": 0.04, "no_respondent": 0.03, "refused": 0.01, "moved": 0.02,
    "quarantined": 0.06, "pending": 0.01, "conflicting": 0.002, "persons": 3.1,
}  # fmt: skip


def steady_windows() -> dict[str, FieldWindow]:
    """The windows of 2022, with 4 % a day as plan: on the night of these figures, that is 36 %."""
    return {code: replace(window, plan=STEADY) for code, window in field_windows().items()}


def regions() -> pd.DataFrame:
    """Nation, 34 provinces, and below each one kab/kota, kecamatan and desa."""
    rows = [(NATION, "nasional", "Indonesia", None, None)]
    for each in provinces():
        chain = (each.code, each.code + "01", each.code + "01010", each.code + "01010001")
        parents = (NATION, *chain[:-1])
        names = (each.name, f"Kab {each.name}", f"Kec {each.name}", f"Desa {each.name}")
        rows += [
            (code, level, name, parent, each.code)
            for code, level, name, parent in zip(chain, LEVELS[1:], names, parents, strict=True)
        ]
    return pd.DataFrame(rows, columns=["code", "level", "name", "parent_code", "province"])


def completion(
    scale: float = 0.0005, name: str | None = None, night: date = NIGHT, *, responding: bool = True
) -> pd.DataFrame:
    """The tree with plausible figures; ``name`` replaces the first province's; without ``responding`` most refuse."""
    tree = regions()
    targets = {each.code: round(each.target * scale) for each in provinces()}
    days = (night - NIGHT).days
    visited = {code: int(n * (0.14 + 0.03 * days + 0.02 * (int(code) % 13))) for code, n in targets.items()}
    shares = SHARES if responding else SHARES | {"complete": 0.1, "refused": 0.7, "moved": 0.1, "persons": 0.4}
    own = pd.DataFrame(
        [
            {"code": code + "01010001", **{measure: int(n * share) for measure, share in shares.items()}}
            for code, n in visited.items()
        ]
    )
    tree = tree.join(add_up(own, tree), on="code")
    tree["unmapped"] = 0
    target = {**targets, NATION: sum(targets.values())}
    tree["target_families"] = pd.Series([target.get(code) for code in tree["code"]], dtype="Int64")
    tree["target_source"] = ["estimated" if code in target else None for code in tree["code"]]
    tree["scale"] = [scale if code in target else None for code in tree["code"]]
    tree["frame_families"] = [round(target[code] * 1.04) for code in tree["province"].fillna(NATION)]
    tree["frame_version"] = "v1"
    tree["target_version"] = ["v1" if code in target else None for code in tree["code"]]
    tree["prelist_families"] = tree["frame_families"] - 2
    tree["found_families"] = tree["visited"] // 50
    tree["sls_prelist"], tree["sls_visited"], tree["subsls_frame"], tree["subsls_verified"] = 4, 3, 5, 2
    tree["verified_families"] = tree["frame_families"] * 2 // 5
    tree["visited_where_verified"] = tree["visited"] * 2 // 5
    tree["last_day"], tree["verified_version"] = NIGHT, NIGHT - timedelta(days=3)
    if name is not None:
        tree.loc[tree["code"] == "11", "name"] = name
    return tree


def region_rows(tree: pd.DataFrame, night: date) -> pd.DataFrame:
    """The tree with denominators, shares and pace, as ``release.figures.gather`` makes them."""
    windows = steady_windows()
    known = {each.code for each in provinces()}
    return region_figures(described(tree, windows, NO_TARGETS, known), windows, NONE_SUPPLIED, night, known)


def daily(tree: pd.DataFrame, night: date) -> pd.DataFrame:
    """Nine days that add up to the tree's figures, provinces and nation."""
    rows: list[dict[str, Any]] = []
    weights = (1, 2, 2, 3, 3, 4, 4, 5, 3)
    for row in tree[tree["level"].isin(["nasional", "provinsi"])].itertuples():
        for n, weight in enumerate(weights):
            day = night - timedelta(days=len(weights) - 1 - n)
            share = {measure: getattr(row, measure) * weight // sum(weights) for measure in PROGRESS_MEASURES}
            rows.append({"code": row.code, "day": day, **share})
    frame = pd.DataFrame(rows)
    so_far = frame.groupby("code")[["visited", "complete"]].cumsum().add_suffix("_so_far")
    targets = dict(zip(tree["code"], tree["target_families"], strict=True))
    windows = steady_windows()
    plan = [
        round(windows["11"].plan_share(day, night) * int(targets[code]))
        for code, day in zip(frame["code"], frame["day"], strict=True)
    ]
    return frame.join(so_far).assign(plan_families=pd.Series(plan, dtype="Int64"))


def figures(*, scale: float = 0.0005, name: str | None = None, night: date = NIGHT, responding: bool = True) -> Figures:
    """Figures of a night without any warehouse; made once, and given to each caller as a copy of its own."""
    return deepcopy(_figures(scale, name, night, responding))


def built(*, night: date = NIGHT, responding: bool = True) -> dict[str, bytes]:
    """Every file of the release of :func:`figures`, built once."""
    return dict(_built(night, responding))


@cache
def _built(night: date, responding: bool) -> dict[str, bytes]:
    return build(figures(night=night, responding=responding))


@cache
def _figures(scale: float, name: str | None, night: date, responding: bool) -> Figures:
    tree, former = completion(scale, name, night, responding=responding), night - timedelta(days=1)
    by_day = daily(tree, night)
    arrived = tree[tree["level"].isin(["nasional", "provinsi"])][["code"]].assign(night=night, mean_days_late=1.25)
    rates = dict.fromkeys((f"{measure}_of_received" for measure in QUALITY_RATES), 100.0)
    arrived = arrived.assign(**dict.fromkeys(ARRIVAL_FIELDS.values(), 7), **rates)
    figures_of_days = {f"{m}_{when}": n for m in PROGRESS_MEASURES for when, n in (("before", 8), ("now", 9))}
    of_causes = {CAUSE_FIELDS[cause]: int(cause == "late") for cause in CAUSES}
    days = [{"code": code, "day": night - timedelta(days=2), **figures_of_days, **of_causes} for code in (NATION, "11")]
    shown = region_rows(tree, night)
    return Figures(
        as_of=AsOf(night, {each.code: night for each in provinces()}),
        former=AsOf(night - timedelta(days=1), {each.code: night - timedelta(days=1) for each in provinces()}),
        windows=steady_windows(),
        held_back=(),
        completion=shown,
        daily=by_day,
        arrivals=arrived,
        restated=pd.DataFrame(days),
        provinces=_states(night),
        imprint=read_imprint(None),
        notes=(f"{SIMULATED} (seed 7)",) if scale < 1 else (),
        versions={"contract": "1"},
        prospects=forecasts(shown, night),
        changes=changes(shown, region_rows(completion(scale, name, former, responding=responding), former)),
        streams=streams(shown, night),
        calendar=calendar(night),
        rules=rules(),
        photos=shown[shown["code"].isin([NATION, "11"])].assign(tags_poor=8, tags_photographed=6, photo_coverage=75.0),
    )


def forecasts(shown: pd.DataFrame, night: date) -> Prospects:
    """Of three provinces whose days add up to what was visited; officers do ten families a day.

    Their windows opened a week earlier than the others', or less than a third of them would be over.
    """
    windows = {code: replace(each, opens=each.opens - timedelta(days=7)) for code, each in field_windows().items()}
    opens, rows = windows["11"].opens, []
    number = (night - opens).days + 1
    regions_told = shown[shown["level"].isin(FORECAST_LEVELS) & shown["province"].isin(["11", "31", SILENT])]
    for row in regions_told.itertuples():
        for n in range(number):
            day = opens + timedelta(days=n)
            visited = row.visited * (n + 1) // number - row.visited * n // number
            rows.append((row.province, row.code, day, day, visited))
    days = pd.DataFrame(rows, columns=["province", "code", "enumerated_on", "night", "visited"])
    seen = {"officer_days": 70, "officer_families": 700, "days_worked": 7, "engaged": 12}
    at_work = pd.DataFrame(seen, index=pd.Index(regions_told["code"], name="code"))
    as_of = AsOf(night, {each.code: night for each in provinces()})
    return prospects(regions_told, days, at_work, windows, as_of)


def streams(shown: pd.DataFrame, night: date) -> pd.DataFrame:
    """Documents and tags of the nation and a province; the tags lag by two days."""
    regions = shown[shown["code"].isin([NATION, "11"])]
    told = [
        regions.assign(stream=stream, stream_night=night - timedelta(days=lag), stream_lag=lag, stream_provinces=1,
                       stream_through=night - timedelta(days=lag + 8), stream_families=regions["visited"],
                       subsls_frame=10, subsls_reported=6, subsls_finished=4)
        for stream, lag in (("k", 0), ("geotag", 2))
    ]  # fmt: skip
    shares = ("stream_of_frame", "subsls_reported_of_frame", "subsls_finished_of_frame")
    return with_shares(pd.concat(told, ignore_index=True).sort_values(["code", "stream_lag"]), shares)


def calendar(night: date) -> pd.DataFrame:
    """Two nights: the first one quiet everywhere, the second as in the states of the provinces; see ``figures``."""
    states = _states(night).set_index("province")
    rows = []
    for code, state in states["state"].items():
        brought = state != "nothing_delivered"
        before = {"night": night - timedelta(days=1), "state": "nothing_delivered"} | dict.fromkeys(_COUNTS, 0)
        tonight = {"night": night, "state": state, "deliveries": int(brought), "received": 7, "late": 7,
                   "deliveries_accepted": int(state == "accepted"), "deliveries_held": int(state == "held"),
                   "deliveries_rejected": int(state == "rejected"), "deliveries_unfinished": 0, "rejected_of_night": 0,
                   "held_of_night": states["held_families"][code]}  # fmt: skip
        rows += [{"code": code, **before}, {"code": code, **tonight}]
    return pd.DataFrame(rows)


def rules() -> pd.DataFrame:
    """An error of families in two provinces, a warning of persons in one of two, and both in the nation."""
    counts = ("violating_tonight", "judged_tonight", "violating", "judged")
    error, warning = ("keluarga", "C-303", "critical"), ("anggota", "P07", "warning")
    told = [("11", error, (1, 4, 2, 4)), ("12", error, (0, 0, 3, 3)), (NATION, error, (1, 4, 5, 7)),
            ("11", warning, (2, 16, 2, 40)), ("12", warning, (0, 0, 0, 80)),
            (NATION, warning, (2, 16, 2, 120))]  # fmt: skip
    rows = [
        {"code": code, "rule_dataset": rule[0], "rule_id": rule[1], "severity": rule[2],
         **dict(zip(counts, of_rule, strict=True))}
        for code, rule, of_rule in told
    ]  # fmt: skip
    frame = pd.DataFrame(rows).assign(rule_text="Periksa isian", rule_text_en="Check the answer")
    return with_shares(frame, ("violating_of_judged_tonight", "violating_of_judged"))


def changes(shown: pd.DataFrame, before: pd.DataFrame) -> Changes:
    """What one night changed: a third of it was late, the rest new; Jakarta had been missing the night before."""
    measures = list(PROGRESS_MEASURES)
    before = before.set_index("code")
    desa = shown[shown["level"] == "desa"].set_index("code")[measures]
    rest = desa - before.loc[desa.index, measures]
    causes = {"late": rest // 3, "new": rest - rest // 3}
    by_region = pd.concat([add_up(own.reset_index(), shown).assign(cause=cause) for cause, own in causes.items()])
    by_region = by_region.rename_axis("code").reset_index()
    table = changes_table(shown, before, by_region)
    return Changes(table, "2022-10-22-0123456789ab", FORMER, ("31",), {}, frozenset(), gaps_told(before))


def _states(night: date) -> pd.DataFrame:
    states = {SILENT: ("nothing_delivered", ""), REJECTED: ("rejected", "file_altered"), HELD: ("held", "")}
    rows = [
        {
            "province": each.code,
            "name": each.name,
            "state": states.get(each.code, ("accepted", ""))[0],
            "held_families": HELD_FAMILIES if each.code == HELD else 0,
            "reasons": states.get(each.code, ("accepted", ""))[1],
            "last_night": night - timedelta(days=1 if each.code in states else 0),
            "figures_night": night,
            "plan_share": 0.36,
            "open": True,
        }
        for each in provinces()
    ]
    return pd.DataFrame(rows)
