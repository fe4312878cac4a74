"""One line in words: what, where, how many, observed and expected, since when, who does what until when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, Place, State, Why
from regsosek.alerts.conditions.province_figures import CodeDesa, KabkotaFigures, ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.details import details, details_of_kabkota
from regsosek.alerts.sentences.grouping import Line
from regsosek.alerts.sentences.observation import finding
from regsosek.alerts.sentences.texts import Words, filled
from regsosek.geography.calendar import end_of_night
from regsosek.geography.provinces import province

# What its severity or its first night says anyway.
_SAID_ELSEWHERE = frozenset({Why.NEW, Why.CRITICAL})
_CODES_NAMED = 3
_BELOW = ("desa", "subsls", "petugas")


@dataclass(frozen=True, slots=True)
class LineWords:
    """A line, worded; ``headline`` is the word of ``severity``, ``also`` what else is the matter there."""

    where: str
    title: str
    severity: str
    headline: str
    standing: str
    finding: str
    details: Sequence[str]
    who: str
    action: str
    deadline: str
    also: Sequence[str] = ()


def word_kabkota(lines: Sequence[Line], figures: ProvinceFigures, limits: Thresholds, context: Context) -> LineWords:
    """Words the lines of one kab/kota: the most urgent whole, of the others what was found and since when."""
    first, *others = (word_line(each, figures, limits, context) for each in lines)
    also = [
        context.words.say(
            "also", **{name: getattr(each, name) for name in ("title", "headline", "finding", "standing")}
        )
        for each in others
    ]
    return replace(first, also=also)


def word_line(line: Line, figures: ProvinceFigures, limits: Thresholds, context: Context) -> LineWords:
    """Words a line of the province or of a kab/kota."""
    words, of_province = context.words, line.level in ("nasional", "provinsi")
    kind = words.kind(line.kind)
    return LineWords(
        where=words.say("whole_province") if of_province else kabkota_named(line.kabkota, figures, words),
        title=kind.title,
        severity=line.severity,
        headline=words.say(f"headline.{line.severity}"),
        standing="; ".join(standing(line, figures.night, context)),
        finding=finding(line, figures, words),
        details=details(line.kind, figures, limits, context)
        if of_province
        else [*details_of_kabkota(line, figures, limits, context), *places(line, figures, context)],
        who=who(line, figures, context),
        action=kind.action if of_province else kind.step,
        deadline=deadline(line.kind, line.first, figures, limits, context),
    )


def deadline(kind: Kind, first: date | None, figures: ProvinceFigures, limits: Thresholds, context: Context) -> str:
    """Until when, on the clock of the province, or since when that is over: counted from the ``first`` telling."""
    limit, night = limits.deadline[kind], figures.night
    until = datetime.combine(limit.day(first or night, figures.province), time(limit.hour), context.zone)
    written = context.words.written
    if until > end_of_night(night, context.zone):
        return context.words.say("due", moment=written.moment(until))
    over = context.words.say("overdue", moment=written.moment(until))
    if not limit.days_before_free_day:
        return over
    again = datetime.combine(limit.day(night, figures.province), time(limit.hour), context.zone)
    return context.words.say("overdue_again", over=over, moment=written.moment(again))


def standing(line: Line, night: date, context: Context) -> list[str]:
    """Since when, why it is told tonight, whether it was judged, where it stands, and the known events behind it."""
    words, nights = context.words, (night - line.since).days + 1
    since = words.say("since", day=words.written.day(line.since), nights=nights)
    told = [since if nights > 1 else words.say("since_tonight")]
    if line.why not in _SAID_ELSEWHERE:
        told.append(words.say(f"why.{line.why}"))
    if not line.judged and line.why is not Why.RECOVERED:
        told.append(words.kind(line.kind).not_judged or words.say("not_judged"))
    told += in_hand(line, context) if line.why is not Why.ESCALATED else []
    events = dict.fromkeys(each.condition.event for each in line.told if each.condition.event)
    return told + [words.say("event", event=_event(each, context)) for each in events]


def in_hand(line: Line, context: Context) -> list[str]:
    """Who has it in hand, or that it is put off, and until when; nothing where nobody has."""
    if line.state not in (State.ACKNOWLEDGED, State.SNOOZED, State.ESCALATED):
        return []
    words = context.words
    said = words.say(f"state.{line.state}")
    until = [each.condition.until for each in line.told if each.condition.until]
    return [words.say("until", state=said, day=words.written.day(max(until))) if until else said]


def _event(event: str, context: Context) -> str:
    known = context.events.get(event)
    if known is None:
        return event
    day = context.words.written.short_date(known.until)
    return context.words.say("until", state=known.words, day=day) if known.until else known.words


def places(line: Line, figures: ProvinceFigures, context: Context) -> list[str]:
    """How many places under the kab/kota, and the first of each level; all of them stand in the work list.

    A few officers are named by who acts.
    """
    found = [(level, line.below(level)) for level in _BELOW]
    return [
        f"{context.words.say(f'place.{level}', n=context.words.number(len(below)))}: "
        + ", ".join([_told(each, figures) for each in below[:_CODES_NAMED]] + ["…"] * (len(below) > _CODES_NAMED))
        for level, below in found
        if below and (level != "petugas" or len(below) > _CODES_NAMED)
    ]


def _told(place: Place, figures: ProvinceFigures) -> str:
    return f"{place.code} {name_of(place, figures)}".strip()


def name_of(place: Place, figures: ProvinceFigures) -> str:
    """The name of a province, kab/kota or desa; nothing below: a name on a map of SLS may be a person's."""
    if place.level == "provinsi":
        return province(place.code).name
    named: Mapping[str, Sequence[KabkotaFigures | CodeDesa]]
    named = {"kabkota": figures.kabkota, "desa": figures.code_desa}
    return next((each.name for each in named.get(place.level, ()) if each.code == place.code), "")


def who(line: Line, figures: ProvinceFigures, context: Context) -> str:
    """The role that acts and the name of its office; of officers their own codes, and of their superiors."""
    by_level = context.words.kind(line.kind).who
    form = by_level.get("provinsi" if line.level == "nasional" else line.level, by_level["below"])
    kabkota = kabkota_named(line.kabkota, figures, context.words, coded=False)
    role = filled(form, {"office": context.office, "kabkota": kabkota})
    officers = [officer_named(each.code, context) for each in line.below("petugas")[:_CODES_NAMED]]
    return "; ".join([*officers, role])


def officer_named(code: str, context: Context) -> str:
    """Role and code, and the superior's."""
    words, known = context.words, context.officers.get(code)
    if known is None:
        return words.say("officer_unknown", code=code)
    named = words.say("officer", role=known.role, code=code)
    if not known.superior:
        return named
    superior = words.say("officer", role=known.superior_role, code=known.superior)
    return words.say("superior", officer=named, superior=superior)


def kabkota_named(code: str, figures: ProvinceFigures, words: Words, *, coded: bool = True) -> str:
    """Code and name of a kab/kota; not ``coded`` as in the name of its office, by its code only if it has no name."""
    if not code:
        return words.say("no_kabkota")
    name = name_of(Place("kabkota", code), figures)
    return f"{code} {name}".strip() if coded or not name else name


def place_named(condition: Condition, figures: ProvinceFigures, words: Words) -> str:
    """Where a single condition is; below the kab/kota the code alone, for a name there may be a person's."""
    place = condition.place
    if place.level in ("nasional", "provinsi"):
        return words.say("whole_province")
    if place.level == "kabkota":
        return kabkota_named(place.code, figures, words)
    return f"{words.say(f'level.{place.level}')} {place.code}"


def codes_of(told: Iterable[Notification], context: Context) -> frozenset[str]:
    """The codes that a message about ``told`` may name, however long they are."""
    places = [each.condition.place for each in told]
    superiors = [context.officers[each.code].superior for each in places if each.code in context.officers]
    return frozenset([each.code for each in places] + superiors)
