"""The tables of the pages: denominators, ranking, floor, forecast, changes, arrivals, quality, streams."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from regsosek.geography.regions import NATION
from regsosek.release.figures.changes import CAUSE_FIELDS, DENOMINATORS
from regsosek.release.figures.figures import Figures, Missing
from regsosek.release.figures.words import calendar_states
from regsosek.release.files.changelog import HEADLINES, restated_provinces
from regsosek.release.site.atlas import Row, furthest_behind, level_below
from regsosek.release.site.measure_map import places
from regsosek.release.site.page_table import Cell, PageContext, Table, TableColumn, TableRow
from regsosek.release.site.ranks import with_ranks
from regsosek.statistics.definitions.definitions import definitions, public_fields
from regsosek.statistics.forecast.table import WIDE_INTERVAL
from regsosek.statistics.measures.status import NOT_BEGUN

NIGHTS_SHOWN, RULES_SHOWN = 10, 12
_SHARES = (
    "visited_of_target", "complete_of_target", "visited_of_frame", "visited_of_prelist", "visited_of_prelist_and_found",
    "visited_of_verified", "visited_of_registry", "sls_visited_of_target", "nonresponse_of_visited",
)  # fmt: skip
_RANKED: Mapping[str, tuple[str, ...]] = {
    "provinsi": (
        "visited_of_target", "plan_percent", "gap_points", "days_behind", "visited", "target_families",
        "state", "complete", "nonresponse", "quarantined", "last_night", "target_coverage",
    ),
    "kabkota": (
        "visited_of_plan_base", "plan_percent", "gap_points", "days_behind", "visited", "plan_base",
        "plan_base_families", "plan_base_coverage", "complete", "nonresponse", "quarantined",
    ),
    "kecamatan": (
        "visited_of_plan_base", "plan_percent", "gap_points", "visited", "plan_base", "plan_base_families",
        "plan_base_coverage",
    ),
}  # fmt: skip
_DESA = ("visited", "frame_families", "visited_of_frame")
_FLOOR = (
    "floor_name", "floor_percent", "floor_visited", "floor_families", "children_mean", "children_visited",
    "children_families", "children_below", "children_judged", "children_below_share", "first_quartile", "median",
    "third_quartile", "floor_coverage", "floor_base_version",
)  # fmt: skip
_FORECAST = (
    "in_time", "forecast_status", "done_on", "done_from", "done_until", "window_end", "final_share", "final_low_share",
    "final_high_share", "plan_base_families", "families_left", "officer_days_needed", "officers_per_day",
    "forecast_reason",
)  # fmt: skip
_CASE = ("final_share", "final_gain", "final_visited", "plan_base_families", "done_on", "window_end")
_STREAMS = (
    "stream_of_frame", "stream_families", "frame_families", "frame_coverage", "subsls_finished_of_frame",
    "subsls_finished", "subsls_frame", "stream_night", "stream_lag", "stream_through",
)  # fmt: skip
_RULE = (
    "severity", "violating_of_judged", "violating", "judged", "violating_of_judged_tonight", "violating_tonight",
    "judged_tonight", "rule_dataset",
)  # fmt: skip
UNHEARD_NAMED = 12
_PHOTOS = ("photo_coverage", "tags_photographed", "tags_poor")
_RESTATED = ("visited_before", "visited_now", "complete_before", "complete_now")


def denominators(context: PageContext, row: Row) -> Table:
    """Every share of a region with what it divides, version and coverage."""
    texts, columns = context.language.texts, ("share", "numerator", "denominator", "version", "coverage")
    lines = []
    for name in public_fields(_SHARES, row["level"]):
        if row.get(name) is None:
            continue
        share = definitions()[name]
        of = definitions()[share.denominator]
        context.column(name)
        parts = [context.cell(row, each) if each else Cell("") for each in (share.denominator, of.version, of.coverage)]
        lines.append(TableRow(Cell(context.language.name(name), href=f"#arti-{name}"),
                          [context.cell(row, name), context.cell(row, share.numerator), *parts]))  # fmt: skip
    heads = [TableColumn(texts[f"col_{each}"], text=each == "version") for each in columns]
    return Table(
        "t-penyebut", context.language.say("denominators_caption", name=row["name"]), texts["col_figure"], heads, lines
    )


def ranking(context: PageContext, row: Row) -> Table:
    """The parts of a region, the furthest behind first; then those that nobody can judge."""
    level = level_below(row["level"])
    parts = context.atlas.children(row["code"])
    behind = furthest_behind(parts, len(parts))
    worst = {each["code"]: n for n, each in enumerate(behind)}
    rest = sorted((each for each in parts if each["code"] not in worst), key=_after)
    states = context.atlas.states if level == "provinsi" else {}
    rows = [{**states.get(each["code"], {}), **each} for each in [*behind, *rest]]
    total = [row] if row["level"] == "nasional" else []
    parts_word = context.language.texts[f"level_{level}"]
    versions = _versions(context, parts, "target_version" if level == "provinsi" else "plan_base_version")
    caption = context.language.say("ranking_caption", parts=parts_word, name=row["name"], versions=versions)
    fields = public_fields(_RANKED[level], level)
    head, shown = context.language.texts["col_region"], [*total, *rows]
    table = context.table("t-urutan", caption, head, fields, shown, sortable=True, status="status")
    return with_ranks(context, table, [each["code"] for each in shown]) if level == "provinsi" else table


def _after(row: Row) -> tuple[bool, float, str]:
    return row["gap_points"] is None, row["gap_points"] or 0.0, row["code"]


def _versions(context: PageContext, parts: Sequence[Row], name: str) -> str:
    found = sorted({context.language.version(str(each[name])) for each in parts if each.get(name)})
    return "; ".join(found) or context.language.texts["no_version"]


def villages(context: PageContext, kecamatan: Row) -> Table:
    """The desa of a kecamatan: what may be told of them."""
    caption = context.language.say("desa_caption", name=kecamatan["name"])
    rows = context.atlas.children(kecamatan["code"])
    fields = public_fields(_DESA, "desa")
    return context.table(f"t-{kecamatan['code']}", caption, context.language.texts["col_desa"], fields, rows,
                      lambda row: Cell(row["name"]))  # fmt: skip


def floor(context: PageContext, row: Row) -> Table | None:
    """The worst part beside the mean, by level of the parts."""
    rows = [each for each in context.atlas.floors.get(row["code"], []) if each["floor_code"] is not None]
    if not rows:
        return None
    texts = context.language.texts
    caption = context.language.say("floor_caption", name=row["name"])
    return context.table("t-terendah", caption, texts["col_parts"], _FLOOR, rows,
                      lambda each: Cell(texts[f"level_{each['child_level']}"]))  # fmt: skip


def forecasts(context: PageContext, row: Row) -> Table:
    """When each part of a region will be done; of a kab/kota its own."""
    texts, level = context.language.texts, level_below(row["level"])
    parts = context.atlas.children(row["code"]) if level != "kecamatan" else []
    own = [] if row["level"] == "nasional" else [row["code"]]
    codes = [*own, *(each["code"] for each in parts)]
    rows = [context.atlas.forecasts[code] for code in codes if code in context.atlas.forecasts]
    shown = sorted(rows, key=lambda each: _by_end(each, own))
    caption = context.language.say("forecast_caption", name=row["name"], points=WIDE_INTERVAL)
    return context.table("t-prakiraan", caption, texts["col_region"], _FORECAST, shown, sortable=True)


def _by_end(forecast: Row, own: Sequence[str]) -> tuple[bool, bool, float, str]:
    """The region itself, then the least reached at the end, then those without a forecast."""
    final = forecast["final_share"]
    return forecast["code"] not in own, final is None, final or 0.0, forecast["code"]


def what_if(context: PageContext, row: Row) -> Table | None:
    """What more days or officers would change in a region."""
    cases, texts = context.atlas.cases.get(row["code"], []), context.language.texts
    if not cases:
        return None

    def named(case: Row) -> Cell:
        values = {name: context.figure(case, name) for name in ("extend_days", "more_officers")}
        both = bool(case["extend_days"]) and bool(case["more_officers"])
        key = "case_both" if both else "case_days" if case["extend_days"] else "case_officers"
        return Cell(context.language.say(key, **values))

    caption = context.language.say("case_caption", name=row["name"])
    return context.table("t-skenario", caption, texts["col_case"], _CASE, cases, named)


def changes(context: PageContext, row: Row) -> Table | None:
    """Before, all causes, now: of the headline figures, and of the denominators that changed."""
    rows = [each for each in context.atlas.changes.get(row["code"], []) if _shown(each)]
    if context.atlas.figures.changes.former_night is None or not rows:
        return None
    texts = context.language.texts
    causes = [name for name in CAUSE_FIELDS.values() if any(each[name] for each in rows)]
    former = context.language.written.night_date(context.atlas.figures.changes.former_night)
    caption = context.language.say("changes_caption", name=row["name"], former=former)
    return context.table("t-perubahan", caption, texts["col_figure"], ("before", *causes, "now"), rows,
                      lambda each: Cell(context.language.name(each["measure"])))  # fmt: skip


def _shown(change: Row) -> bool:
    moved = change["before"] != change["now"]
    return change["measure"] in HEADLINES or (change["measure"] in DENOMINATORS and moved)


def restated_parts(context: PageContext) -> list[tuple[str, str]]:
    """The provinces whose visited families changed most by other than the day's news, and by what."""
    if context.atlas.figures.changes.former_night is None:
        return []
    signed = context.language.written.signed
    return [
        (
            each.name,
            ", ".join(f"{context.language.name(field).lower()} {signed(n)}" for field, n in each.causes.items()),
        )
        for each in restated_provinces(context.atlas.figures)
    ]


def restated_days(context: PageContext, row: Row) -> Table | None:
    """The earlier days of enumeration whose figures changed."""
    rows = context.atlas.restated.get(row["code"], [])
    if not rows:
        return None
    causes = tuple(field for field in CAUSE_FIELDS.values() if any(each.get(field) for each in rows))
    fields = (_RESTATED[0], *causes, *_RESTATED[1:])
    caption = context.language.say("restated_caption", name=row["name"])
    return context.table("t-revisi", caption, context.language.name("day"), fields,
                      rows, lambda each: Cell(context.figure(each, "day")))  # fmt: skip


@dataclass(frozen=True)
class Gap:
    """A province that is not whole tonight: what became of its deliveries, and what else is to be said."""

    code: str
    name: str
    told: str
    more: tuple[str, ...]


def unheard(context: PageContext, row: Row) -> str:
    """The kab/kota of which no family has come , whatever arrived of their province; empty if none."""
    national = row["level"] == "nasional"
    below = context.atlas.of_level("kabkota") if national else context.atlas.children(row["code"])
    return context.language.listed([each["name"] for each in below if each.get("status") == NOT_BEGUN], UNHEARD_NAMED)


def gaps(context: PageContext, row: Row) -> list[Gap]:
    """Who is missing tonight: of a province's page only itself."""
    shown = [each for each in context.atlas.figures.missing if row["level"] == "nasional" or each.code == row["code"]]
    return [
        Gap(each.code, each.name, context.language.state_explained(each.state), tuple(_more(context, each)))
        for each in shown
    ]


def _more(context: PageContext, missing: Missing) -> Iterator[str]:
    t, written = context.language.t, context.language.written
    if missing.reasons:
        yield t("missing_reasons", reasons="; ".join(map(context.language.reason, missing.reasons)))
    if missing.held_families:
        yield t("missing_held", count=written.number(missing.held_families))
    if missing.figures_night is None:
        yield t("missing_never")
    elif missing.figures_night < context.atlas.figures.night:
        yield t("missing_figures", night=written.short_date(missing.figures_night))


def arrivals(context: PageContext, provinces: Sequence[Row]) -> list[Table]:
    """What arrived: provinces by night, the last nights; a table for each group of islands."""
    nights = context.atlas.nights[-NIGHTS_SHOWN:]
    groups: dict[str, list[Row]] = {}
    for row in provinces:
        groups.setdefault(places()[row["code"]]["islands"], []).append(row)
    return [_arrivals_of(context, islands, rows, nights) for islands, rows in groups.items() if nights]


def _arrivals_of(context: PageContext, islands: str, provinces: Sequence[Row], nights: Sequence[date]) -> Table:
    columns = [TableColumn(context.language.written.short_date(night)) for night in nights]
    lines = [
        TableRow(context.named(row), [_arrived(context, row["code"], night) for night in nights]) for row in provinces
    ]
    texts = context.language.texts
    return Table(f"t-kedatangan-{islands}", texts[f"islands_{islands}"], texts["level_provinsi"], columns, lines)


# Of what was not taken no row was received: the families in it are told.
_NOT_TAKEN = {"rejected": "rejected_of_night", "held": "held_of_night"}


def _arrived(context: PageContext, province: str, night: date) -> Cell:
    found = context.atlas.calendar[province].get(night)
    if found is None:
        return Cell("", kind="state none")
    counted = found["received"] or found[_NOT_TAKEN.get(found["state"], "received")] or 0
    families = context.language.written.number(int(counted))
    return Cell(context.language.state(found["state"]), families, kind=f"state {found['state']}")


def state_key(context: PageContext) -> list[tuple[str, str, str]]:
    """The legend of the arrivals: state, symbol, label, of those that occur."""
    seen = {found["state"] for own in context.atlas.calendar.values() for found in own.values()}
    return [
        (state, words.symbol, context.language.state(state))
        for state, words in calendar_states().items()
        if state in seen
    ]


def quality(context: PageContext, row: Row) -> Table | None:
    """The rules that are violated most, of the nation or a province."""
    rows = context.atlas.rules.get(row["code"], [])[:RULES_SHOWN]
    if not rows:
        return None
    caption = context.language.say("rules_caption", name=row["name"], count=len(rows))
    said = "rule_text" if context.language.code == "id" else "rule_text_en"
    return context.table("t-aturan", caption, context.language.name("rule_id"), (said, *_RULE), rows,
                      lambda each: Cell(each["rule_id"]))  # fmt: skip


def streams(context: PageContext, row: Row) -> Table | None:
    """The sources of completion figures side by side: compared, never added."""
    rows = context.atlas.streams.get(row["code"], [])
    if not rows:
        return None
    caption = context.language.say("streams_caption", name=row["name"], version=rows[0]["frame_version"] or "–")
    if row["level"] == "nasional":
        caption = f"{caption} {context.language.texts['streams_furthest']}"
    return context.table("t-sumber-data", caption, context.language.name("stream"), _STREAMS, rows,
                      lambda each: Cell(context.language.stream(each["stream"])))  # fmt: skip


def photos(context: PageContext, row: Row) -> Table | None:
    """Photo coverage of poor and very poor families."""
    found = context.atlas.photos.get(row["code"])
    if found is None or not found["tags_poor"]:
        return None
    caption = context.language.say("photos_caption", name=row["name"])
    return context.table(
        "t-foto", caption, context.language.texts["col_region"], _PHOTOS, [found], lambda _: Cell(row["name"])
    )


def missing_by_state(context: PageContext) -> list[tuple[str, str]]:
    """The states of the provinces that are not whole, each with their names; the most common state first."""
    found: dict[str, list[str]] = {}
    for each in context.atlas.figures.missing:
        found.setdefault(context.language.state(each.state), []).append(each.name)
    by_count = sorted(found.items(), key=lambda each: -len(each[1]))
    return [(f"{state} ({len(names)})", ", ".join(names)) for state, names in by_count]


def notes(context: PageContext, row: Row) -> dict[str, Any]:
    """What stands on every page: the night, the scale of the province (or nation), who is missing."""
    figures: Figures = context.atlas.figures
    written = context.language.written
    whole = context.atlas.regions[row["province"] or NATION]
    scale = figures.scales.get(whole["code"], figures.scale)
    return {
        "night": figures.night,
        "night_short": f"{written.short_date(figures.night)} {figures.night.year}",
        "night_long": context.language.dated(figures.night),
        "scale": written.share(scale) if scale < 1 else "",
        "scale_of": whole["name"],
        "missing": missing_by_state(context),
        "missing_count": len(figures.missing),
        "whole": len(context.atlas.states) - len(figures.missing),
        "provinces": len(context.atlas.states),
        "simulated": figures.about.simulated,
        "reference_notes": figures.notes,
    }
