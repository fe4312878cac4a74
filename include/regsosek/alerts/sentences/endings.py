"""What the end of a condition shows: that all is well, or only that a region is no longer behind its plan."""

from collections.abc import Callable, Mapping, Sequence

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, Place, kabkota_of
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.sentences.condition_line import place_named
from regsosek.alerts.sentences.texts import Words
from regsosek.statistics.measures.course import Pace

# Nothing of the kind is left in the province: of any other kind, what is left is open.
_NOTHING_LEFT: Mapping[Kind, Callable[[ProvinceFigures], bool]] = {
    Kind.QUALITY: lambda figures: not figures.waiting.asked_again.families,
    Kind.CODE: lambda figures: not figures.waiting.code,
    Kind.BEHIND: lambda figures: figures.well and (figures.pace.gap_families or 0) >= 0,
}


def nothing_left(kind: Kind, figures: ProvinceFigures) -> bool:
    """Whether nothing of ``kind`` is left anywhere in the province."""
    known = _NOTHING_LEFT.get(kind)
    return known is None or known(figures)


def all_over(gone: Sequence[Notification], figures: ProvinceFigures) -> bool:
    """Whether nothing is left of any kind that something of has ended: only then it may be called resolved."""
    return all(nothing_left(each.condition.kind, figures) for each in gone)


def ends(
    gone: Sequence[Notification], opened: Sequence[Notification], figures: ProvinceFigures, words: Words
) -> list[str]:
    """What a subject says of kinds that have ended; nothing of those that are still open elsewhere."""
    ended: dict[Kind, list[Place]] = {}
    for each in gone:
        ended.setdefault(each.condition.kind, []).append(each.condition.place)
    still = {each.condition.kind for each in opened}
    told = [_short(kind, places, bool(opened), figures, words) for kind, places in ended.items() if kind not in still]
    return [each for each in told if each]


def of_places(short: str, places: Sequence[Place], words: Words) -> str:
    """``short`` as it is of the whole province, or of how many kab/kota if none of ``places`` is all of it."""
    if any(each.level in ("nasional", "provinsi") for each in places):
        return short
    return words.say("subject.parts", short=short, n=words.number(len({kabkota_of(each) for each in places})))


def _short(kind: Kind, places: Sequence[Place], besides: bool, figures: ProvinceFigures, words: Words) -> str:
    """Beside problems the end of a kind is named as such, where nothing is left of it."""
    own = words.kind(kind)
    if own.over or not besides:
        return of_places(own.over or own.short, places, words)
    return words.say("subject.recovered", short=own.short) if nothing_left(kind, figures) else ""


def end_line(condition: Condition, figures: ProvinceFigures, words: Words) -> str:
    """What is over and since when it was so; beside it where it stands now, or what its end does not show."""
    kind = words.kind(condition.kind)
    where, since = place_named(condition, figures, words), words.written.day(condition.since)
    form = "no_longer_line" if kind.over else "recovered_line"
    line = words.say(form, over=kind.over, short=kind.short, where=where, since=since)
    note = kind.gone or (_stands_now(condition, figures, words) if kind.over else "")
    return words.say("recovered_note", line=line, note=note) if note else line


def _stands_now(condition: Condition, figures: ProvinceFigures, words: Words) -> str:
    """The page's status, and the families that are short of the plan all the same."""
    pace = figures.pace_at(condition.place)
    if pace is None:
        return ""
    of_province = condition.place.level == "provinsi"
    status = status_told(figures, words) if of_province else pace_told(pace, words)
    short = -(pace.gap_families or 0)
    if short <= 0:
        return words.say("stands_now", status=status)
    return words.say("stands_now_short", status=status, families=words.number(short))


def pace_told(pace: Pace, words: Words) -> str:
    """The page's status; of who is below plan within limits the gap and the limit, too."""
    status = words.status(pace.status)
    if pace.limit_points is None:
        return status
    gap, limit = words.written.told_apart(-(pace.gap_points or 0), -pace.limit_points)
    return words.say("status_within", status=status, gap=gap, limit=limit)


def status_told(figures: ProvinceFigures, words: Words) -> str:
    """The page's status of a province, and how many of its kab/kota the page calls behind."""
    status, behind = pace_told(figures.pace, words), figures.behind_below
    if not behind:
        return status
    far = sum(figures.pace_of_kabkota(each).status == "far_behind" for each in behind)
    counts = {"status": status, "n": len(behind), "all": len(figures.kabkota)}
    return words.say("status_below_far", **counts, far=far) if far else words.say("status_below", **counts)
