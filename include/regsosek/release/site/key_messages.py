"""What a reader wants to know first, answered in words: how far, where worst and why, will it end, what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from regsosek.contract.stream_kinds import DOCUMENTS
from regsosek.geography.plan import NATION_NAME, plan_words
from regsosek.release.figures.changes import CAUSE_FIELDS
from regsosek.release.figures.disclosure import HELD, OPEN, WITHHELD
from regsosek.release.figures.words import night_states
from regsosek.release.site.atlas import Row, furthest_behind, lags, level_below
from regsosek.release.site.page_table import PageContext
from regsosek.release.site.sections import missing_by_state
from regsosek.statistics.forecast.table import IN_TIME, WIDE_INTERVAL
from regsosek.statistics.measures.status import NOT_BEGUN
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


def answers(context: PageContext, row: Row) -> list[KeyMessage]:
    """The answers of a region's page."""
    found = (
        _reached(context, row),
        _worst(context, row),
        _finishing(context, row),
        _changed(context, row),
        _missing(context, row),
    )
    return [*(each for each in found if each is not None), _clean(context, row)]


def reasons(context: PageContext, row: Row) -> Iterator[Markup]:
    """Why a region stands where it stands, as far as the figures tell."""
    t = context.language.t
    if row["visited_of_plan_base"] is not None:
        shown = {name: context.figure(row, name) for name in ("visited_of_plan_base", "visited", "plan_base_families")}
        yield t("why_reached", base=context.figure(row, "plan_base"), plan=context.figure(row, "plan_percent"), **shown)
    if (row.get("days_behind") or 0) > 0:
        yield t("why_days", days=context.figure(row, "days_behind"))
    state = context.atlas.states.get(row["code"])
    if state is not None and not night_states()[state["state"]].complete:
        yield t("why_state", state=context.language.state_explained(state["state"]))
    yield from _why_below(context, row)
    if (row.get("quarantined") or 0) > HIGH_QUARANTINE * row["visited"] > 0:
        yield t("why_quarantined", count=context.figure(row, "quarantined"))


def _why_below(context: PageContext, row: Row) -> Iterator[Markup]:
    floors = context.atlas.floors.get(row["code"], [])
    if floors and floors[0]["floor_code"] is not None:
        names = ("floor_name", "floor_percent", "children_judged")
        shown = {name: context.figure(floors[0], name) for name in names}
        lagging = context.language.written.number(sum(map(lags, context.atlas.children(row["code"]))))
        parts = context.language.texts[f"level_{floors[0]['child_level']}"]
        yield context.language.t("why_floor", parts=parts, lagging=lagging, **shown)


def _reached(context: PageContext, row: Row) -> KeyMessage:
    if unknown := _unknown(context, row):
        unit = context.language.texts["not_known"]
        return KeyMessage(context.language.texts["ask_reached"], NOTHING, unit, tuple(unknown), "kurang", "behind")
    t, shown = context.language.t, {name: context.figure(row, name) for name in _REACHED}
    version = context.language.version(row["plan_base_version"] or context.language.texts["no_version"])
    told = [t("reached", base=context.figure(row, "plan_base"), version=version, **shown)]
    if row["gap_points"] is not None:
        told.append(t("against_plan", **{name: context.figure(row, name) for name in _PLANNED}))
        told += _whose_plan(context, row)
    if row["level"] == "nasional" and len(context.atlas.counted) < len(context.atlas.states):
        counted, count = len(context.atlas.counted), len(context.atlas.states)
        told.append(t("of_what_is_counted", counted=counted, count=count, coverage=shown["plan_base_coverage"]))
    unit = context.language.say("of_base", base=context.figure(row, "plan_base"))
    question, kind = context.language.texts["ask_reached"], "behind" if lags(row) else ""
    return KeyMessage(question, shown["visited_of_plan_base"], unit, tuple(told), "penyebut", kind)


def _unknown(context: PageContext, row: Row) -> list[Markup]:
    """Why nobody knows how far a region is, what is planned, and what other sources tell; empty where it is known.

    Nothing of it was processed, nothing of its province arrived, or no family of its own.
    """
    if row["visited"] is None:
        return [_nothing_known(context, row)]
    silent = not context.atlas.region(row["province"] or row["code"])["visited"] or row.get("status") == NOT_BEGUN
    if row["gap_points"] is not None or not silent:
        return []
    planned = (
        [context.language.t("only_planned", plan=context.figure(row, "plan_percent"))] if row["plan_percent"] else []
    )
    return [_nothing_known(context, row), *planned, *_other_sources(context, row)]


def _other_sources(context: PageContext, row: Row) -> Iterator[Markup]:
    """The families that other streams than the documents tell of."""
    told = [each for each in context.atlas.streams.get(row["code"], []) if each["stream"] != DOCUMENTS]
    names = [
        context.language.say(
            "families_of_source",
            source=context.language.stream(each["stream"]),
            **{name: context.figure(each, name) for name in ("stream_families", "frame_families")},
        )
        for each in told
        if each["stream_families"]
    ]
    if names:
        yield context.language.t("other_sources", sources="; ".join(names))


def _nothing_known(context: PageContext, row: Row) -> Markup:
    text = "not_processed" if row["visited"] is None else "nothing_arrived"
    return context.language.t(text, name=row["name"])


def _whose_plan(context: PageContext, row: Row) -> list[Markup]:
    """Whose plan it is; not of a kab/kota that plans by a curve of its own."""
    windows = context.atlas.figures.windows
    own = windows.values() if row["level"] == "nasional" else [windows[row["province"]]]
    names = {window.plan.name for window in own}
    words = plan_words()[names.pop() if len(names) == 1 else NATION_NAME]
    label = words.of(context.language.code)
    own_curve = row["plan_percent"] != context.atlas.region(row["province"] or row["code"])["plan_percent"]
    return [] if own_curve else [context.language.t("whose_plan", plan=label)]


_REACHED = ("visited_of_plan_base", "visited", "plan_base_families", "plan_base_coverage")
_PLANNED = ("plan_percent", "gap_points", "days_behind", "status")


def _worst(context: PageContext, row: Row) -> KeyMessage | None:
    """Where the region is furthest behind by the rules; whose families nobody knows yet is told apart."""
    parts_of = context.atlas.children(row["code"])
    below = furthest_behind(parts_of, len(parts_of))
    texts, parts = context.language.texts, context.language.texts[f"level_{level_below(row['level'])}"]
    question = context.language.say("ask_worst", parts=parts)
    if not row["visited"]:
        return KeyMessage(question, NOTHING, "", (_nothing_known(context, row),), "urutan")
    lagging, unseen = [each for each in below if lags(each)], list(_not_begun(context, parts_of))
    if not below:
        return KeyMessage(
            question, texts["none"], "", (context.language.t("none_behind", parts=parts), *unseen), "urutan"
        )
    if not lagging:
        names = ("name", "gap_points", "status")
        told = context.language.t("none_lags", parts=parts, **{name: context.figure(below[0], name) for name in names})
        return KeyMessage(question, texts["none"], "", (told, *unseen), "urutan")
    return _lagging(context, question, lagging, unseen)


def _lagging(context: PageContext, question: str, lagging: Sequence[Row], unseen: Sequence[Markup]) -> KeyMessage:
    """The one that is furthest behind and why, and who comes next."""
    told, shown = list(reasons(context, lagging[0])), lagging[:WORST_NAMED]
    if others := [f"{each['name']} ({context.figure(each, 'gap_points')})" for each in shown[1:]]:
        told.append(context.language.t("next_worst", names=", ".join(others)))
    gap, status = context.figure(lagging[0], "gap_points"), context.figure(lagging[0], "status")
    unit = context.language.say("points_off_plan", gap=gap, status=status)
    return KeyMessage(question, lagging[0]["name"], unit, (*told, *unseen), "urutan", "name behind")


def _not_begun(context: PageContext, parts: Sequence[Row]) -> Iterator[Markup]:
    """Those of which no family has come: no rule calls them behind, and they are not on plan either."""
    if names := [each["name"] for each in parts if each.get("status") == NOT_BEGUN]:
        status = context.language.status(NOT_BEGUN).capitalize()
        yield context.language.t("worst_not_begun", status=status, names=context.language.listed(names, WORST_NAMED))


def _finishing(context: PageContext, row: Row) -> KeyMessage | None:
    if row["level"] == "nasional":
        return _nation_finishing(context)
    forecast = context.atlas.forecasts.get(row["code"])
    return None if forecast is None else _region_finishing(context, forecast)


def _nation_finishing(context: PageContext) -> KeyMessage:
    t, texts = context.language.t, context.language.texts
    told = context.atlas.forecasts_of("provinsi")
    known = {word: [each for each in told if each["in_time"] == word] for word in IN_TIME}
    sentences = [
        t(text, names=context.language.listed(_by_share(context, known[word]), UNFINISHED_NAMED))
        for word, text in (("no", "unfinished"), ("uncertain", "not_certain"))
        if known[word]
    ]
    sentences.extend(_unforecast(context, told))
    counts = {word: len(found) for word, found in known.items()}
    figure = context.language.say("finish_counts", **counts) if any(counts.values()) else texts["not_foreseen"]
    unit = context.language.say("of_provinces", count=len(told))
    return KeyMessage(texts["ask_nation_finish"], figure, unit, tuple(sentences), "prakiraan", "name")


def _by_share(context: PageContext, told: list[Row]) -> list[str]:
    """Names with what is reached at the end, the least first; what is done has no such figure."""
    ordered = sorted(told, key=lambda each: (each["final_share"] or 0, each["code"]))
    return [f"{each['name']} ({context.figure(each, 'final_share')})" for each in ordered]


def _unforecast(context: PageContext, told: list[Row]) -> Iterator[Markup]:
    """Who cannot be forecast yet, by reason."""
    names: dict[str, list[str]] = {}
    for each in told:
        if each["forecast_status"] == "impossible":
            names.setdefault(context.figure(each, "forecast_reason"), []).append(each["name"])
    for reason, own in names.items():
        listed = context.language.listed(own, UNFINISHED_NAMED)
        yield context.language.t("unforecast", count=len(own), reason=reason, names=listed)


def _region_finishing(context: PageContext, forecast: Row) -> KeyMessage:
    t, texts = context.language.t, context.language.texts
    question = context.language.say("ask_finish", name=forecast["name"])
    if forecast["forecast_status"] != "forecast":
        done = forecast["forecast_status"] == "done"
        since, reason = context.figure(forecast, "done_on"), context.figure(forecast, "forecast_reason")
        known = t("done_since", date=since) if done else t("cannot_forecast", reason=reason)
        return KeyMessage(question, context.figure(forecast, "forecast_status"), "", (known,), "prakiraan", "name")
    shown = {name: context.figure(forecast, name) for name in _FORECAST}
    told = [t("final_reached", **shown), *_interval_told(context, forecast)]
    told += [t(_done_text(forecast), **shown), *_officers_told(context, forecast, shown)]
    in_time = forecast["in_time"]
    return KeyMessage(question, texts[in_time], texts["by_forecast"], tuple(told), "prakiraan",
                  "behind" if in_time == "no" else "")  # fmt: skip


def _interval_told(context: PageContext, forecast: Row) -> Iterator[Markup]:
    """What keeps an interval from being planned by: its width, as after a night without data, or an end above 100%."""
    if forecast["final_high_share"] - forecast["final_low_share"] > WIDE_INTERVAL:
        yield context.language.t("interval_wide", points=WIDE_INTERVAL)
    if forecast["final_high_share"] > WHOLE:
        yield context.language.t("interval_above_whole")


def _officers_told(context: PageContext, forecast: Row, shown: Mapping[str, str]) -> Iterator[Markup]:
    """What officers the last week's data show, and where these would end if that is outside of the interval.

    The line of officers keeps the pace of that week; the forecast expects it to change towards the window's end.
    """
    if forecast["officer_days_needed"] is None or forecast["officers_per_day"] is None:
        return
    ahead = forecast["officers_per_day"] * forecast["days_left"] * forecast["families_per_officer_day"]
    reached = (forecast["visited"] + ahead) * 100 / forecast["plan_base_families"]
    yield context.language.t("officer_days", **shown)
    if not forecast["final_low_share"] <= reached <= forecast["final_high_share"]:
        yield context.language.t("officers_outside", reached=context.language.written.percentage(reached))


def _done_text(forecast: Row) -> str:
    """The sentence about the day of completion, by what of it can be foreseen."""
    if forecast["done_on"] is None:
        return "done_never" if forecast["done_from"] is None else "done_perhaps"
    return "done_when_open" if forecast["done_until"] is None else "done_when"


_FORECAST = (
    "final_share", "final_low_share", "final_high_share", "plan_base_families", "window_end", "done_on", "done_from",
    "done_until", "families_left", "officer_days_needed", "officers_per_day", "days_left",
)  # fmt: skip


def _changed(context: PageContext, row: Row) -> KeyMessage:
    t, texts, changes = context.language.t, context.language.texts, context.atlas.figures.changes
    question = texts["ask_changed"]
    if changes.former_night is None:
        return KeyMessage(question, texts["first_release"], "", (t("first_release_told"),), "perubahan", "name")
    own = next((each for each in context.atlas.changes.get(row["code"], []) if each["measure"] == "visited"), None)
    since = context.language.written.night_date(changes.former_night)
    if own is None:
        return KeyMessage(question, "0", texts["families_visited"], (t("nothing_changed", since=since),), "perubahan")
    difference = context.language.written.signed(own["now"] - own["before"])
    causes = [
        f"{context.language.name(name).lower()} {context.language.written.signed(int(own[name]))}"
        for name in CAUSE_FIELDS.values()
        if own[name]
    ]
    told = t("changed", since=since, before=context.figure(own, "before"), now=context.figure(own, "now"))
    why = t("changed_by", causes=", ".join(causes)) if causes else t("changed_by_nothing")
    unit = texts["family_visited" if abs(own["now"] - own["before"]) == 1 else "families_visited"]
    return KeyMessage(question, difference, unit, (told, why), "perubahan")


def _missing(context: PageContext, row: Row) -> KeyMessage:
    t, texts, figures = context.language.t, context.language.texts, context.atlas.figures
    count = len(context.atlas.states)
    if row["level"] == "nasional":
        whole = str(count - len(figures.missing))
        told = [t("missing_of_state", state=state, names=names) for state, names in missing_by_state(context)]
        unit = context.language.say("of_provinces_whole", count=count)
        return KeyMessage(texts["ask_missing"], whole, unit, tuple(told) or (t("nothing_missing"),), "kurang")
    state = context.atlas.states[row["province"]]
    told = [t("province_state", province=state["name"], state=context.language.state_explained(state["state"]))]
    if state["held_families"]:
        told.append(t("held_families", count=context.language.written.number(int(state["held_families"]))))
    kind = "name" if night_states()[state["state"]].complete else "name behind"
    if row["level"] == "provinsi":
        return KeyMessage(texts["ask_state"], context.language.state(state["state"]), "", tuple(told), "kurang", kind)
    if not row["visited"]:
        told.append(_nothing_known(context, row))
    question = context.language.say("ask_state_of", name=state["name"])
    return KeyMessage(question, context.language.state(state["state"]), "", tuple(told), "catatan", kind)


def _protected(context: PageContext, row: Row) -> Iterator[Markup]:
    """That results stand at an earlier night, or are not told."""
    status = row.get("disclosure_status", OPEN)
    if status == HELD:
        yield context.language.t("results_held", results_night=context.figure(row, "results_night"))
    elif status == WITHHELD:
        yield context.language.t("results_withheld")


def _clean(context: PageContext, row: Row) -> KeyMessage:
    t, texts = context.language.t, context.language.texts
    if row["visited"] is None:
        told_nothing = (t("not_processed", name=row["name"]),)
        return KeyMessage(texts["ask_clean"], NOTHING, texts["families_complete"], told_nothing, "penyebut")
    shown = {name: context.figure(row, name) for name in ("complete", "quarantined", "pending", "persons", "unmapped")}
    told = [t("clean", **shown), t("to_mend", **shown)]
    if row["nonresponse_of_visited"] is not None:
        names = ("nonresponse", "nonresponse_of_visited", "visited")
        told.append(t("nonresponse", **{name: context.figure(row, name) for name in names}))
    told += _protected(context, row)
    anchor = "penyebut" if row["level"] == "kabkota" else "mutu"
    unit = texts["family_complete" if row["complete"] == 1 else "families_complete"]
    return KeyMessage(texts["ask_clean"], shown["complete"], unit, tuple(told), anchor)
