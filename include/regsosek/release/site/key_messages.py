"""What a reader wants to know first, answered in words: how far, where worst and why, will it end, what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from regsosek.geography.plan import NATION_NAME, plan_words
from regsosek.release.figures.changes import CAUSE_FIELDS
from regsosek.release.figures.disclosure import HELD, OPEN, WITHHELD
from regsosek.release.figures.words import night_states
from regsosek.release.site.atlas import Row, furthest_behind, lags, level_below
from regsosek.release.site.page_table import PageContext
from regsosek.release.site.sections import missing_by_state
from regsosek.statistics.forecast.table import IN_TIME, WIDE_INTERVAL
from regsosek.statistics.measures.status import NOT_BEGUN
from regsosek.statistics.streams.clocks import DOCUMENTS
from regsosek.wording.number_form import NOTHING

WORST_NAMED, UNFINISHED_NAMED = 3, 8
HIGH_QUARANTINE = 0.05  # of families visited
WHOLE = 100  # percent


@dataclass(frozen=True)
class KeyMessage:
    """One question with its figure and sentences; ``anchor`` is the section that tells all of it."""

    question: str
    figure: str
    unit: str
    sentences: tuple[Markup, ...]
    anchor: str
    kind: str = ""


def answers(desk: PageContext, row: Row) -> list[KeyMessage]:
    """The answers of a region's page."""
    found = (_reached(desk, row), _worst(desk, row), _finishing(desk, row), _changed(desk, row), _missing(desk, row))
    return [*(each for each in found if each is not None), _clean(desk, row)]


def reasons(desk: PageContext, row: Row) -> Iterator[Markup]:
    """Why a region stands where it stands, as far as the figures tell."""
    t = desk.language.t
    if row["visited_of_plan_base"] is not None:
        shown = {name: desk.figure(row, name) for name in ("visited_of_plan_base", "visited", "plan_base_families")}
        yield t("why_reached", base=desk.figure(row, "plan_base"), plan=desk.figure(row, "plan_percent"), **shown)
    if (row.get("days_behind") or 0) > 0:
        yield t("why_days", days=desk.figure(row, "days_behind"))
    state = desk.atlas.states.get(row["code"])
    if state is not None and not night_states()[state["state"]].complete:
        yield t("why_state", state=desk.language.state_explained(state["state"]))
    yield from _why_below(desk, row)
    if (row.get("quarantined") or 0) > HIGH_QUARANTINE * row["visited"] > 0:
        yield t("why_quarantined", count=desk.figure(row, "quarantined"))


def _why_below(desk: PageContext, row: Row) -> Iterator[Markup]:
    floors = desk.atlas.floors.get(row["code"], [])
    if floors and floors[0]["floor_code"] is not None:
        names = ("floor_name", "floor_percent", "children_judged")
        shown = {name: desk.figure(floors[0], name) for name in names}
        lagging = desk.language.written.number(sum(map(lags, desk.atlas.children(row["code"]))))
        parts = desk.language.texts[f"level_{floors[0]['child_level']}"]
        yield desk.language.t("why_floor", parts=parts, lagging=lagging, **shown)


def _reached(desk: PageContext, row: Row) -> KeyMessage:
    if unknown := _unknown(desk, row):
        unit = desk.language.texts["not_known"]
        return KeyMessage(desk.language.texts["ask_reached"], NOTHING, unit, tuple(unknown), "kurang", "behind")
    t, shown = desk.language.t, {name: desk.figure(row, name) for name in _REACHED}
    version = desk.language.version(row["plan_base_version"] or desk.language.texts["no_version"])
    told = [t("reached", base=desk.figure(row, "plan_base"), version=version, **shown)]
    if row["gap_points"] is not None:
        told.append(t("against_plan", **{name: desk.figure(row, name) for name in _PLANNED}))
        told += _whose_plan(desk, row)
    if row["level"] == "nasional" and len(desk.atlas.counted) < len(desk.atlas.states):
        counted, count = len(desk.atlas.counted), len(desk.atlas.states)
        told.append(t("of_what_is_counted", counted=counted, count=count, coverage=shown["plan_base_coverage"]))
    unit = desk.language.say("of_base", base=desk.figure(row, "plan_base"))
    question, kind = desk.language.texts["ask_reached"], "behind" if lags(row) else ""
    return KeyMessage(question, shown["visited_of_plan_base"], unit, tuple(told), "penyebut", kind)


def _unknown(desk: PageContext, row: Row) -> list[Markup]:
    """Why nobody knows how far a region is, what is planned, and what other sources tell; empty where it is known.

    Nothing of it was processed, nothing of its province arrived, or no family of its own.
    """
    if row["visited"] is None:
        return [_nothing_known(desk, row)]
    silent = not desk.atlas.region(row["province"] or row["code"])["visited"] or row.get("status") == NOT_BEGUN
    if row["gap_points"] is not None or not silent:
        return []
    planned = [desk.language.t("only_planned", plan=desk.figure(row, "plan_percent"))] if row["plan_percent"] else []
    return [_nothing_known(desk, row), *planned, *_other_sources(desk, row)]


def _other_sources(desk: PageContext, row: Row) -> Iterator[Markup]:
    """The families that other streams than the documents tell of."""
    told = [each for each in desk.atlas.streams.get(row["code"], []) if each["stream"] != DOCUMENTS]
    names = [
        desk.language.say(
            "families_of_source",
            source=desk.language.stream(each["stream"]),
            **{name: desk.figure(each, name) for name in ("stream_families", "frame_families")},
        )
        for each in told
        if each["stream_families"]
    ]
    if names:
        yield desk.language.t("other_sources", sources="; ".join(names))


def _nothing_known(desk: PageContext, row: Row) -> Markup:
    text = "not_processed" if row["visited"] is None else "nothing_arrived"
    return desk.language.t(text, name=row["name"])


def _whose_plan(desk: PageContext, row: Row) -> list[Markup]:
    """Whose plan it is; not of a kab/kota that plans by a curve of its own."""
    windows = desk.atlas.figures.windows
    own = windows.values() if row["level"] == "nasional" else [windows[row["province"]]]
    names = {window.plan.name for window in own}
    words = plan_words()[names.pop() if len(names) == 1 else NATION_NAME]
    label = words.of(desk.language.code)
    own_curve = row["plan_percent"] != desk.atlas.region(row["province"] or row["code"])["plan_percent"]
    return [] if own_curve else [desk.language.t("whose_plan", plan=label)]


_REACHED = ("visited_of_plan_base", "visited", "plan_base_families", "plan_base_coverage")
_PLANNED = ("plan_percent", "gap_points", "days_behind", "status")


def _worst(desk: PageContext, row: Row) -> KeyMessage | None:
    """Where the region is furthest behind by the rules; whose families nobody knows yet is told apart."""
    parts_of = desk.atlas.children(row["code"])
    below = furthest_behind(parts_of, len(parts_of))
    texts, parts = desk.language.texts, desk.language.texts[f"level_{level_below(row['level'])}"]
    question = desk.language.say("ask_worst", parts=parts)
    if not row["visited"]:
        return KeyMessage(question, NOTHING, "", (_nothing_known(desk, row),), "urutan")
    lagging, unseen = [each for each in below if lags(each)], list(_not_begun(desk, parts_of))
    if not below:
        return KeyMessage(question, texts["none"], "", (desk.language.t("none_behind", parts=parts), *unseen), "urutan")
    if not lagging:
        names = ("name", "gap_points", "status")
        told = desk.language.t("none_lags", parts=parts, **{name: desk.figure(below[0], name) for name in names})
        return KeyMessage(question, texts["none"], "", (told, *unseen), "urutan")
    return _lagging(desk, question, lagging, unseen)


def _lagging(desk: PageContext, question: str, lagging: Sequence[Row], unseen: Sequence[Markup]) -> KeyMessage:
    """The one that is furthest behind and why, and who comes next."""
    told, shown = list(reasons(desk, lagging[0])), lagging[:WORST_NAMED]
    if others := [f"{each['name']} ({desk.figure(each, 'gap_points')})" for each in shown[1:]]:
        told.append(desk.language.t("next_worst", names=", ".join(others)))
    gap, status = desk.figure(lagging[0], "gap_points"), desk.figure(lagging[0], "status")
    unit = desk.language.say("points_off_plan", gap=gap, status=status)
    return KeyMessage(question, lagging[0]["name"], unit, (*told, *unseen), "urutan", "name behind")


def _not_begun(desk: PageContext, parts: Sequence[Row]) -> Iterator[Markup]:
    """Those of which no family has come: no rule calls them behind, and they are not on plan either."""
    if names := [each["name"] for each in parts if each.get("status") == NOT_BEGUN]:
        status = desk.language.status(NOT_BEGUN).capitalize()
        yield desk.language.t("worst_not_begun", status=status, names=desk.language.listed(names, WORST_NAMED))


def _finishing(desk: PageContext, row: Row) -> KeyMessage | None:
    if row["level"] == "nasional":
        return _nation_finishing(desk)
    forecast = desk.atlas.forecasts.get(row["code"])
    return None if forecast is None else _region_finishing(desk, forecast)


def _nation_finishing(desk: PageContext) -> KeyMessage:
    t, texts = desk.language.t, desk.language.texts
    told = desk.atlas.forecasts_of("provinsi")
    known = {word: [each for each in told if each["in_time"] == word] for word in IN_TIME}
    sentences = [
        t(text, names=desk.language.listed(_by_share(desk, known[word]), UNFINISHED_NAMED))
        for word, text in (("no", "unfinished"), ("uncertain", "not_certain"))
        if known[word]
    ]
    sentences.extend(_unforecast(desk, told))
    counts = {word: len(found) for word, found in known.items()}
    figure = desk.language.say("finish_counts", **counts) if any(counts.values()) else texts["not_foreseen"]
    unit = desk.language.say("of_provinces", count=len(told))
    return KeyMessage(texts["ask_nation_finish"], figure, unit, tuple(sentences), "prakiraan", "name")


def _by_share(desk: PageContext, told: list[Row]) -> list[str]:
    """Names with what is reached at the end, the least first; what is done has no such figure."""
    ordered = sorted(told, key=lambda each: (each["final_share"] or 0, each["code"]))
    return [f"{each['name']} ({desk.figure(each, 'final_share')})" for each in ordered]


def _unforecast(desk: PageContext, told: list[Row]) -> Iterator[Markup]:
    """Who cannot be forecast yet, by reason."""
    names: dict[str, list[str]] = {}
    for each in told:
        if each["forecast_status"] == "impossible":
            names.setdefault(desk.figure(each, "forecast_reason"), []).append(each["name"])
    for reason, own in names.items():
        listed = desk.language.listed(own, UNFINISHED_NAMED)
        yield desk.language.t("unforecast", count=len(own), reason=reason, names=listed)


def _region_finishing(desk: PageContext, forecast: Row) -> KeyMessage:
    t, texts = desk.language.t, desk.language.texts
    question = desk.language.say("ask_finish", name=forecast["name"])
    if forecast["forecast_status"] != "forecast":
        done = forecast["forecast_status"] == "done"
        since, reason = desk.figure(forecast, "done_on"), desk.figure(forecast, "forecast_reason")
        known = t("done_since", date=since) if done else t("cannot_forecast", reason=reason)
        return KeyMessage(question, desk.figure(forecast, "forecast_status"), "", (known,), "prakiraan", "name")
    shown = {name: desk.figure(forecast, name) for name in _FORECAST}
    told = [t("final_reached", **shown), *_interval_told(desk, forecast)]
    told += [t(_done_text(forecast), **shown), *_officers_told(desk, forecast, shown)]
    in_time = forecast["in_time"]
    return KeyMessage(question, texts[in_time], texts["by_forecast"], tuple(told), "prakiraan",
                  "behind" if in_time == "no" else "")  # fmt: skip


def _interval_told(desk: PageContext, forecast: Row) -> Iterator[Markup]:
    """What keeps an interval from being planned by: its width, as after a night without data, or an end above 100%."""
    if forecast["final_high_share"] - forecast["final_low_share"] > WIDE_INTERVAL:
        yield desk.language.t("interval_wide", points=WIDE_INTERVAL)
    if forecast["final_high_share"] > WHOLE:
        yield desk.language.t("interval_above_whole")


def _officers_told(desk: PageContext, forecast: Row, shown: Mapping[str, str]) -> Iterator[Markup]:
    """What officers the last week's data show, and where these would end if that is outside of the interval.

    The line of officers keeps the pace of that week; the forecast expects it to change towards the window's end.
    """
    if forecast["officer_days_needed"] is None or forecast["officers_per_day"] is None:
        return
    ahead = forecast["officers_per_day"] * forecast["days_left"] * forecast["families_per_officer_day"]
    reached = (forecast["visited"] + ahead) * 100 / forecast["plan_base_families"]
    yield desk.language.t("officer_days", **shown)
    if not forecast["final_low_share"] <= reached <= forecast["final_high_share"]:
        yield desk.language.t("officers_outside", reached=desk.language.written.percentage(reached))


def _done_text(forecast: Row) -> str:
    """The sentence about the day of completion, by what of it can be foreseen."""
    if forecast["done_on"] is None:
        return "done_never" if forecast["done_from"] is None else "done_perhaps"
    return "done_when_open" if forecast["done_until"] is None else "done_when"


_FORECAST = (
    "final_share", "final_low_share", "final_high_share", "plan_base_families", "window_end", "done_on", "done_from",
    "done_until", "families_left", "officer_days_needed", "officers_per_day", "days_left",
)  # fmt: skip


def _changed(desk: PageContext, row: Row) -> KeyMessage:
    t, texts, changes = desk.language.t, desk.language.texts, desk.atlas.figures.changes
    question = texts["ask_changed"]
    if changes.former_night is None:
        return KeyMessage(question, texts["first_release"], "", (t("first_release_told"),), "perubahan", "name")
    own = next((each for each in desk.atlas.changes.get(row["code"], []) if each["measure"] == "visited"), None)
    since = desk.language.written.night_date(changes.former_night)
    if own is None:
        return KeyMessage(question, "0", texts["families_visited"], (t("nothing_changed", since=since),), "perubahan")
    difference = desk.language.written.signed(own["now"] - own["before"])
    causes = [
        f"{desk.language.name(name).lower()} {desk.language.written.signed(int(own[name]))}"
        for name in CAUSE_FIELDS.values()
        if own[name]
    ]
    told = t("changed", since=since, before=desk.figure(own, "before"), now=desk.figure(own, "now"))
    why = t("changed_by", causes=", ".join(causes)) if causes else t("changed_by_nothing")
    unit = texts["family_visited" if abs(own["now"] - own["before"]) == 1 else "families_visited"]
    return KeyMessage(question, difference, unit, (told, why), "perubahan")


def _missing(desk: PageContext, row: Row) -> KeyMessage:
    t, texts, figures = desk.language.t, desk.language.texts, desk.atlas.figures
    count = len(desk.atlas.states)
    if row["level"] == "nasional":
        whole = str(count - len(figures.missing))
        told = [t("missing_of_state", state=state, names=names) for state, names in missing_by_state(desk)]
        unit = desk.language.say("of_provinces_whole", count=count)
        return KeyMessage(texts["ask_missing"], whole, unit, tuple(told) or (t("nothing_missing"),), "kurang")
    state = desk.atlas.states[row["province"]]
    told = [t("province_state", province=state["name"], state=desk.language.state_explained(state["state"]))]
    if state["held_families"]:
        told.append(t("held_families", count=desk.language.written.number(int(state["held_families"]))))
    kind = "name" if night_states()[state["state"]].complete else "name behind"
    if row["level"] == "provinsi":
        return KeyMessage(texts["ask_state"], desk.language.state(state["state"]), "", tuple(told), "kurang", kind)
    if not row["visited"]:
        told.append(_nothing_known(desk, row))
    question = desk.language.say("ask_state_of", name=state["name"])
    return KeyMessage(question, desk.language.state(state["state"]), "", tuple(told), "catatan", kind)


def _protected(desk: PageContext, row: Row) -> Iterator[Markup]:
    """That results stand at an earlier night, or are not told."""
    status = row.get("disclosure_status", OPEN)
    if status == HELD:
        yield desk.language.t("results_held", results_night=desk.figure(row, "results_night"))
    elif status == WITHHELD:
        yield desk.language.t("results_withheld")


def _clean(desk: PageContext, row: Row) -> KeyMessage:
    t, texts = desk.language.t, desk.language.texts
    if row["visited"] is None:
        told_nothing = (t("not_processed", name=row["name"]),)
        return KeyMessage(texts["ask_clean"], NOTHING, texts["families_complete"], told_nothing, "penyebut")
    shown = {name: desk.figure(row, name) for name in ("complete", "quarantined", "pending", "persons", "unmapped")}
    told = [t("clean", **shown), t("to_mend", **shown)]
    if row["nonresponse_of_visited"] is not None:
        names = ("nonresponse", "nonresponse_of_visited", "visited")
        told.append(t("nonresponse", **{name: desk.figure(row, name) for name in names}))
    told += _protected(desk, row)
    anchor = "penyebut" if row["level"] == "kabkota" else "mutu"
    unit = texts["family_complete" if row["complete"] == 1 else "families_complete"]
    return KeyMessage(texts["ask_clean"], shown["complete"], unit, tuple(told), anchor)
