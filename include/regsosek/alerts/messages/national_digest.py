"""The digest of the nation for BPS centre and the platform team: all provinces, the worst first, and what is ours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regsosek.alerts.conditions.condition import Kind, Notification, Severity
from regsosek.alerts.conditions.kinds import kind_traits
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.messages.platform_message import PlatformFigures, class_of, name_of_place
from regsosek.alerts.messages.province_digest import of_kind, short_of
from regsosek.alerts.messages.province_stand import ProvinceStand, worst_first
from regsosek.alerts.messages.rendering import Attachment, Message, harmless, render, render_html
from regsosek.alerts.messages.subject import fitting
from regsosek.alerts.messages.work_list import spreadsheet
from regsosek.alerts.sentences.condition_line import place_named
from regsosek.alerts.sentences.endings import status_told
from regsosek.alerts.sentences.grouping import worst
from regsosek.alerts.sentences.nature import nature
from regsosek.alerts.sentences.texts import Words, words_of
from regsosek.geography.calendar import end_of_night
from regsosek.geography.provinces import province, provinces
from regsosek.statistics.counts.tree import scale_of_sum
from regsosek.statistics.measures.status import BEHIND, BELOW_PLAN
from regsosek.statistics.nights.province_nights import state_of_night
from regsosek.wording import Language


@dataclass(frozen=True, slots=True)
class NationalLine:
    """One province in words."""

    severity: str
    headline: str
    stands: str
    news: str


def compose_national(stands: Mapping[str, ProvinceStand], ours: PlatformFigures, language: Language = "id") -> Message:
    """Words the nation's night.

    Args:
        stands: by code, the provinces whose night is processed.
        ours: what of ours failed, and what waits for a decision.
    """
    words = words_of(language)
    ranked = worst_first(stands)
    opened = [told for code in ranked for told in stands[code].opened]
    untold = _behind_untold(stands)
    attached = (_provinces(stands, ranked, ours.night, words),) if stands else ()
    values = {
        "say": words.say,
        "language": language,
        "severity": worst(opened) if opened else "PERHATIAN" if ours.anything or untold else "AMAN",
        "night": words.written.day(ours.night),
        "as_of": words.written.moment(end_of_night(ours.night)),
        "nature": _nature(stands, words),
        "news": _news(stands, untold, ours, words),
        "progress": _progress(stands, ours, words),
        "counts": _counts(stands, words),
        "escalated": [_escalated(told, stands[code], words) for code in ranked for told in stands[code].escalated],
        "ours": _ours(ours, words),
        "held": _held(ours, words),
        "worst": [_line(stands[code], words) for code in ranked if stands[code].opened],
        "well": _well(stands, words),
        "behind": [_behind_line(stands[code], words) for code in untold],
        "attachment": attached[0].name if attached else "",
    }
    codes = {told.condition.place.code for told in opened}
    titled = values | {"day": words.written.short_date(ours.night), "more": "subject.and_more"}
    subject = fitting("national_subject.txt.j2", titled, words)
    return Message(
        subject,
        render("national.txt.j2", values, codes),
        render_html("national.html.j2", values | {"subject": subject}, codes),
        attached,
    )


def named(code: str) -> str:
    """Name and code of a province."""
    return f"{province(code).name} ({code})"


def _news(stands: Mapping[str, ProvinceStand], untold: Sequence[str], ours: PlatformFigures, words: Words) -> list[str]:
    counted = {
        "critical": sum(stand.critical for stand in stands.values()),
        "attention": sum(bool(stand.opened) and not stand.critical for stand in stands.values()),
        "escalated": sum(len(stand.escalated) for stand in stands.values()),
        "behind": sum(stands[code].figures.pace.status in BEHIND for code in untold),
        "no_data": sum(stands[code].figures.pace.status == "no_data" for code in untold),
        "parts": sum(stand.has_in_part(Kind.BEHIND) for stand in stands.values()),
        "put_off": sum(bool(stands[code].put_off) for code in untold),
        "ours": len(_ours(ours, words)),
        "held": len(ours.held),
    }
    told = [words.say(f"nation_subject.{what}", n=words.number(n)) for what, n in counted.items() if n]
    return told or [words.say("nation_subject.good", n=len(stands))]


def _nature(stands: Mapping[str, ProvinceStand], words: Words) -> str:
    figures = [stand.figures for stand in stands.values()]
    scale = scale_of_sum([each.target for each in figures], [each.scale for each in figures])
    return nature(words, scale, simulated=any(each.simulated for each in figures))


def _progress(stands: Mapping[str, ProvinceStand], ours: PlatformFigures, words: Words) -> list[str]:
    figures = [stand.figures for stand in stands.values()]
    visited, target = (sum(getattr(each, name) for each in figures) for name in ("visited", "target"))
    planned = sum(each.plan_percent * each.target for each in figures)
    missing = {code: state for code in ours.asked if (state := _gap(stands.get(code)))}
    told = words.say(
        "nation_progress",
        visited=words.number(visited),
        target=words.number(target),
        share=words.written.percent_of(visited, target),
        plan=words.written.percent_of(planned / 100, target),
        processed=len(stands),
        counted=len(ours.asked) - len(missing),
        all=len(provinces()),
    )
    gaps = [
        words.say("nation_gap", province=province(code).name, state=words.say(f"night_state.{state}"))
        for code, state in missing.items()
    ]
    return [told, words.say("nation_missing", provinces=", ".join(gaps))] if gaps else [told]


def _gap(stand: ProvinceStand | None) -> str:
    """What keeps a province's picture of the night from being whole; empty if nothing does."""
    if stand is None or stand.figures.deliveries.get("registered"):
        return "not_processed"
    figures = stand.figures
    accepted, rejected, held = (figures.deliveries.get(each, 0) for each in ("accepted", "rejected", "held"))
    waiting, is_open = sum(each.families for each in figures.held), figures.window.is_open(figures.night)
    state = state_of_night(accepted, rejected, held, waiting, is_open=is_open)
    return "" if state in ("accepted", "closed") else state


def _counts(stands: Mapping[str, ProvinceStand], words: Words) -> list[str]:
    """A line for each kind that is open anywhere, in the order of the kinds; of arrears that the page knows, too."""
    return [line for kind in kind_traits() if (line := _count(kind, stands.values(), words))]


def _count(kind: Kind, stands: Collection[ProvinceStand], words: Words) -> str:
    whole = [stand for stand in stands if stand.has_whole(kind)]
    parts = sum(stand.has_in_part(kind) for stand in stands)
    if not whole and not parts:
        return ""
    critical = sum(worst(t for t in s.opened if t.condition.kind is kind) is Severity.CRITICAL for s in whole)
    return words.say(
        "nation_count",
        title=words.kind(kind).title,
        critical=critical,
        attention=len(whole) - critical,
        parts=words.say("nation_count_parts", n=parts) if parts else "",
        families=_families(kind, stands, words),
    )


def _families(kind: Kind, stands: Collection[ProvinceStand], words: Words) -> str:
    """The families told of; beside them in how many provinces nobody knows their number, or that some are not told."""
    told = [stand.kinds[kind] for stand in stands if kind in stand.kinds]
    in_part = kind is Kind.BEHIND and any(stand.has_in_part(kind) for stand in stands)
    n, unknown = words.number(sum(told)), told.count(0)
    if not unknown:
        return words.say("nation_families_told" if in_part else "nation_families", n=n)
    return words.say("nation_families_known" if any(told) else "nation_families_unknown", n=n, unknown=unknown)


def _behind_untold(stands: Mapping[str, ProvinceStand]) -> list[str]:
    """Codes of the provinces with arrears on the page, no data there, or all put off, and nothing told tonight."""
    return [code for code, stand in sorted(stands.items()) if not stand.opened and not stand.well]


def _behind_line(stand: ProvinceStand, words: Words) -> str:
    return words.say("nation_behind_line", province=named(stand.figures.province), status=_untold(stand, words))


def _untold(stand: ProvinceStand, words: Words) -> str:
    """How the page calls the province and its kab/kota, and what of it somebody put off."""
    status, kinds = status_told(stand.figures, words), ", ".join(words.kind(kind).short for kind in stand.put_off)
    return words.say("nation_put_off", status=status, kinds=kinds) if kinds else status


def _well(stands: Mapping[str, ProvinceStand], words: Words) -> list[str]:
    """Which provinces have no problem, and which of them are short of the plan or have families that wait."""
    figures = [stands[code].figures for code in sorted(stands) if stands[code].well]
    if not figures:
        return []
    names = ", ".join(province(each.province).name for each in figures)
    told = [words.say("nation_well", n=words.number(len(figures)), provinces=names)]
    if below := [_short_of_plan(each, words) for each in figures if each.pace.status == BELOW_PLAN]:
        told.append(words.say("nation_well_below", status=words.status(BELOW_PLAN), provinces=", ".join(below)))
    if waiting := [each.waiting.families for each in figures if each.waiting.families]:
        counts = {"n": words.number(sum(waiting)), "provinces": words.number(len(waiting))}
        told.append(words.say("nation_well_waiting", **counts))
    return told


def _short_of_plan(figures: ProvinceFigures, words: Words) -> str:
    pace, written = figures.pace, words.written
    return words.say(
        "nation_well_short",
        province=province(figures.province).name,
        n=words.number(-(pace.gap_families or 0)),
        gap=written.decimal(-(pace.gap_points or 0)),
        limit=written.plain_decimal(-(pace.limit_points or 0)),
    )


def _escalated(told: Notification, stand: ProvinceStand, words: Words) -> str:
    condition = told.condition
    return words.say(
        "nation_escalated_line",
        province=named(stand.figures.province),
        title=words.kind(condition.kind).title,
        where=place_named(condition, stand.figures, words),
        since=words.written.day(condition.since),
        families=words.say("size", families=words.number(condition.families)) if condition.families else "",
    )


def _ours(ours: PlatformFigures, words: Words) -> list[str]:
    lines = [
        words.say("nation_failed", provinces=_names(codes), why=_why(error, words), error=_first_line(error))
        for error, codes in _by_cause(ours.failed).items()
    ]
    lines += [
        words.say("nation_untold", message=_group(message), why=_why(error, words), error=_first_line(error))
        for message, error in sorted(ours.untold.items())
    ]
    lines += [words.say("nation_stale", provinces=_names(ours.stale))] if ours.stale else []
    lines += (
        [words.say("nation_publication", why=_why(ours.publication, words), error=_first_line(ours.publication))]
        if ours.publication
        else []
    )
    return lines + ([_unrecognised(ours.unrecognised, words)] if ours.unrecognised else [])


def _by_cause(failed: Mapping[str, str]) -> dict[str, list[str]]:
    """Codes by what failed them: provinces that fail of one cause are one fault, told with the words of the first."""
    causes: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for code, error in sorted(failed.items()):
        causes.setdefault(first.setdefault(class_of(error), error), []).append(code)
    return causes


def _unrecognised(unrecognised: Mapping[str, int], words: Words) -> str:
    places = [name_of_place(place, words) for place in sorted(unrecognised)]
    return words.say("nation_unrecognised", n=words.number(sum(unrecognised.values())), places=", ".join(places))


def _names(codes: Iterable[str]) -> str:
    return ", ".join(province(code).name for code in codes)


def _group(code: str) -> str:
    """A province by code and name; whatever else failed by its own name."""
    return named(code) if code in {each.code for each in provinces()} else code


def _why(error: str, words: Words) -> str:
    """What the class of an error means."""
    return words.fault(class_of(error))


def _first_line(error: str) -> str:
    return harmless(error.split("\n", 1)[0])


def _held(ours: PlatformFigures, words: Words) -> list[str]:
    return [
        words.say(
            "nation_held_line",
            province=named(each.province),
            delivery=each.delivery_id,
            since=words.written.day(each.night),
            families=words.number(each.families),
        )
        for each in ours.held
    ]


def _line(stand: ProvinceStand, words: Words) -> NationalLine:
    figures, severity = stand.figures, worst(stand.opened)
    stands = words.say(
        "nation_line",
        province=named(figures.province),
        share=words.written.percent_of(figures.visited, figures.target),
        target=words.number(figures.target),
        plan=words.written.plain_percentage(figures.plan_percent),
        status=status_told(figures, words),
    )
    news = "; ".join(short_of(kind, lines, words) for kind, lines in of_kind(stand.opened).items())
    return NationalLine(severity, words.say(f"headline.{severity}"), stands, news)


def _provinces(stands: Mapping[str, ProvinceStand], ranked: Sequence[str], night: date, words: Words) -> Attachment:
    rows = [_row(stands[code], words) for code in ranked]
    header = [words.say(f"nation_column.{name}") for name in rows[0]]
    return spreadsheet(words.say("nation_list_name", night=night), header, [list(row.values()) for row in rows], words)


def _headline(stand: ProvinceStand) -> str:
    """The severity of what is told; what the page or somebody knows and nobody is told of has none."""
    return worst(stand.opened) if stand.opened else "AMAN" if stand.well else "TANPA"


def _matters(stand: ProvinceStand, words: Words) -> str:
    """What is told, by kind; else what is not told and stands."""
    if stand.opened or stand.well:
        return ", ".join(words.kind(kind).short for kind in stand.kinds)
    return _untold(stand, words)


def _row(stand: ProvinceStand, words: Words) -> dict[str, str | int]:
    figures = stand.figures
    return {
        "province": figures.province,
        "name": province(figures.province).name,
        "headline": words.say(f"headline.{_headline(stand)}"),
        "visited": figures.visited,
        "target": figures.target,
        "plan": words.written.decimal(figures.plan_percent),
        "gap": "" if figures.pace.gap_families is None else figures.pace.gap_families,
        "status": words.status(figures.pace.status),
        "behind_below": len(figures.behind_below),
        "kinds": _matters(stand, words),
        "waiting": figures.waiting.families,
        "escalated": len(stand.escalated),
    }
