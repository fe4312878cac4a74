"""The digest of one province's night as an office reads it: subject, text, HTML, work list; no personal data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, kabkota_of
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.messages.rendering import Attachment, Message, render, render_html
from regsosek.alerts.messages.subject import fitting
from regsosek.alerts.messages.work_list import work_list
from regsosek.alerts.sentences.also_listed import also_listed
from regsosek.alerts.sentences.arrivals import arrived
from regsosek.alerts.sentences.condition_line import LineWords, codes_of, deadline, word_kabkota, word_line
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.endings import all_over, end_line, ends, of_places, pace_told, status_told
from regsosek.alerts.sentences.grouping import (
    Line,
    by_kabkota,
    kabkota_lines,
    province_lines,
    recovered,
    still_open,
    worst,
)
from regsosek.alerts.sentences.locations import Part, in_words, parts_of
from regsosek.alerts.sentences.nature import nature
from regsosek.alerts.sentences.texts import Words, filled
from regsosek.geography.calendar import end_of_night
from regsosek.geography.provinces import province
from regsosek.statistics.measures.status import BELOW_PLAN


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of kab/kota that are shown, how many are in the attached list of all, and its name."""

    shown: Sequence[LineWords]
    all: int
    attachment: str


def compose_digest(
    figures: ProvinceFigures, told: Sequence[Notification], limits: Thresholds, context: Context
) -> Message:
    """Words one province's night.

    Args:
        told: what is told tonight, most urgent first; nothing open in it makes it a message of good news. A
            PIPELINE_FAULT is ours and is left out.
    """
    own = [each for each in told if each.condition.kind is not Kind.PIPELINE_FAULT]
    opened, gone = still_open(own), recovered(own)
    ended = "PULIH" if all_over(gone, figures) else "MEMBAIK"
    of_kabkota = by_kabkota(kabkota_lines(opened))
    listed = also_listed(opened, figures)
    attachments = (work_list(opened, figures, limits, context),) if of_kabkota or listed else ()
    values = {
        "say": context.words.say,
        "language": context.language,
        "severity": worst(opened) if opened else ended if gone else "AMAN" if figures.well else "PERHATIAN",
        "office": context.office,
        "address": context.address,
        "quarantine": context.quarantine,
        "night": context.words.written.day(figures.night),
        "as_of": context.words.written.moment(end_of_night(figures.night, context.zone)),
        **_news(opened, gone, figures, context.words),
        "nature": nature(context.words, figures.scale, simulated=figures.simulated),
        "todo": _todo(opened, figures, limits, context),
        "recovered": [end_line(each.condition, figures, context.words) for each in gone],
        "ended": ended,
        "good": _good(figures, context.words),
        "good_title": context.words.say("good" if figures.well else "nothing_told"),
        "items": [_item(each, opened, figures, limits, context) for each in province_lines(opened)],
        "lines": _lines(of_kabkota, listed, attachments, figures, limits, context),
        "arrived": arrived(figures, context.words),
        "release": context.release,
    }
    codes = codes_of(own, context) | {each.code for each in figures.code_desa}
    titled = {"name": province(figures.province).name, "day": context.words.written.short_date(figures.night)}
    subject = fitting("subject.txt.j2", values | titled, context.words)
    return Message(
        subject,
        render("digest.txt.j2", values, codes),
        render_html("digest.html.j2", values | {"subject": subject}, codes),
        attachments,
    )


def _lines(
    of_kabkota: Sequence[Sequence[Line]],
    listed: Sequence[Condition],
    attachments: Sequence[Attachment],
    figures: ProvinceFigures,
    limits: Thresholds,
    context: Context,
) -> Lines:
    shown = [word_kabkota(each, figures, limits, context) for each in of_kabkota[: limits.lengths.kabkota]]
    every = {lines[0].kabkota for lines in of_kabkota} | {kabkota_of(each.place) for each in listed}
    return Lines(shown, len(every), attachments[0].name if attachments else "")


def of_kind(opened: Sequence[Notification]) -> dict[Kind, tuple[Line, ...]]:
    """What is told of each kind, in order of urgency: of the province as a whole, else its lines of kab/kota."""
    whole = {line.kind: (line,) for line in province_lines(opened)}
    parts: dict[Kind, tuple[Line, ...]] = {}
    for line in kabkota_lines(opened):
        parts[line.kind] = (*parts.get(line.kind, ()), line)
    kinds = dict.fromkeys(each.condition.kind for each in opened)
    return {kind: whole.get(kind) or parts[kind] for kind in kinds}


def families_of(lines: Iterable[Line]) -> int:
    """Families concerned by lines of one kind."""
    return sum(line.families for line in lines)


def _news(
    opened: Sequence[Notification], gone: Sequence[Notification], figures: ProvinceFigures, words: Words
) -> dict[str, str | Sequence[str]]:
    """The kinds, most urgent first, with the families concerned, ``besides`` what ended; else that, or good news."""
    kinds = of_kind(opened)
    told, ended = [short_of(kind, lines, words) for kind, lines in kinds.items()], ends(gone, opened, figures, words)
    quiet = "subject.good" if figures.well else "subject.nothing_told"
    if told:
        first, lines = next(iter(kinds.items()))
        tight = _tight(words.kind(first).short, [each for line in lines for each in line.told], words)
        return {"news": told, "besides": ended, "tight": tight}
    if not ended:
        return {"news": [words.say(quiet)]}
    over = words.kind(gone[0].condition.kind)
    same = [each for each in gone if each.condition.kind is gone[0].condition.kind]
    return {"news": ended, "tight": _tight(over.over or over.short, same, words)}


def _tight(short: str, told: Sequence[Notification], words: Words) -> str:
    """What a subject without room says of a kind: that it is of a part, where it is of no province as a whole."""
    whole = of_places(short, [each.condition.place for each in told], words) == short
    return short if whole else words.say("subject.in_part", short=short)


def _good(figures: ProvinceFigures, words: Words) -> str:
    """Good news, and who waits or is short of the plan all the same: so few that nobody is told of them otherwise.

    A night may be read of which nothing is told though the page calls some of it behind: that is no good news.
    """
    if not figures.well:
        return words.say("nothing_told_text", status=status_told(figures, words))
    waiting, told = figures.waiting.families, []
    told.append(words.say("good_waiting", n=words.number(waiting)) if waiting else words.say("good_text"))
    if figures.pace.status == BELOW_PLAN:
        short = words.number(-(figures.pace.gap_families or 0))
        told.append(words.say("good_below", status=pace_told(figures.pace, words), n=short))
    return " ".join([*told, words.say("good_thanks")])


def short_of(kind: Kind, lines: Sequence[Line], words: Words) -> str:
    """A kind in few words, of how many kab/kota if not of the whole province, and the families if they are known."""
    places, families = [each.condition.place for line in lines for each in line.told], families_of(lines)
    short = of_places(words.kind(kind).short, places, words)
    return words.say("subject.families", short=short, families=words.number(families)) if families else short


def _todo(opened: Sequence[Notification], figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    words = context.words
    return [
        words.say(
            "todo_line",
            todo=words.kind(kind).todo,
            size=_size(kind, families_of(lines), words),
            where=_where(parts_of(kind, lines, figures), words),
            deadline=_deadline(kind, lines, opened, figures, limits, context),
        )
        for kind, lines in of_kind(opened).items()
    ]


def _item(
    line: Line, opened: Sequence[Notification], figures: ProvinceFigures, limits: Thresholds, context: Context
) -> LineWords:
    worded = word_line(line, figures, limits, context)
    return replace(worded, deadline=_deadline(line.kind, [line], opened, figures, limits, context))


def _deadline(
    kind: Kind,
    lines: Sequence[Line],
    opened: Sequence[Notification],
    figures: ProvinceFigures,
    limits: Thresholds,
    context: Context,
) -> str:
    """Until when; beside it until when the parts that were told of before or later, which are among these families."""
    night = figures.night
    first = _first(lines) or night
    parts = [line.first or night for line in kabkota_lines(opened) if line.kind is kind]
    told = deadline(kind, first, figures, limits, context)
    if (before := min(parts, default=first)) < first:
        earlier = deadline(kind, before, figures, limits, context)
        told = context.words.say("deadline_of_earlier", deadline=told, earlier=earlier)
    if (last := max(parts, default=first)) > first:
        later = deadline(kind, last, figures, limits, context)
        told = context.words.say("deadline_of_later", deadline=told, later=later)
    return told


def _size(kind: Kind, families: int, words: Words) -> str:
    """How many families a task is about; empty where nobody knows."""
    if not families:
        return ""
    form, number = words.kind(kind).size, words.number(families)
    return filled(form, {"families": number}) if form else words.say("size", families=number)


def _where(parts: Sequence[Part], words: Words) -> str:
    return words.say("where", places=in_words(parts, words)) if parts else ""


def _first(lines: Iterable[Line]) -> date | None:
    """The first night on which one of the lines was told as new."""
    return min((line.first for line in lines if line.first is not None), default=None)
