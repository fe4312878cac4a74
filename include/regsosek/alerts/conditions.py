"""Which conditions a province's night meets: a pure decision from figures, thresholds and the night judged before.

Only what the office can act upon is a condition; a fault of ours is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from regsosek.alerts.province_figures import ProvinceFigures
from regsosek.alerts.thresholds import Thresholds

Kind = Literal["NO_DATA", "REJECTED", "HELD", "QUALITY", "BEHIND", "CODE", "RECOVERED"]
Severity = Literal["KRITIS", "PERHATIAN", "PULIH"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that the office must know.

    Attributes:
        since: the first night of the unbroken run of judged nights with this kind.
        news: what makes it news beside kind and severity (the most frequent rule, the deliveries rejected).
        figures: the numbers it was decided on, for the record.
    """

    kind: Kind
    severity: Severity
    since: date
    news: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition that the night judged before ended with."""

    kind: Kind
    since: date


@dataclass(frozen=True, slots=True)
class _Found:
    critical: bool
    news: str
    figures: Mapping[str, float]


def decide(figures: ProvinceFigures, limits: Thresholds, before: Sequence[Standing] = ()) -> tuple[Condition, ...]:
    """The conditions of one night, most severe first.

    Args:
        before: the conditions of the province's last night that was judged, RECOVERED left out.
    """
    found: dict[Kind, _Found | None] = {
        "NO_DATA": _no_data(figures, limits),
        "REJECTED": _rejected(figures),
        "HELD": _held(figures),
        "QUALITY": _quality(figures, limits),
        "BEHIND": _behind(figures, limits),
        "CODE": _code(figures, limits),
    }
    since = {standing.kind: standing.since for standing in before}
    conditions = [
        Condition(
            kind, "KRITIS" if each.critical else "PERHATIAN", since.get(kind, figures.night), each.news, each.figures
        )
        for kind, each in found.items()
        if each
    ]
    gone = [each for each in before if not found[each.kind] and _judged(each.kind, figures)]
    conditions += [_recovered(gone, figures.night)] if gone else []
    return tuple(sorted(conditions, key=lambda each: (SEVERITIES.index(each.severity), KINDS.index(each.kind))))


def recovered_kinds(condition: Condition) -> tuple[str, ...]:
    """The kinds that a RECOVERED condition reports as gone."""
    return tuple(condition.news.split(","))


def _recovered(gone: Sequence[Standing], night: date) -> Condition:
    kinds = sorted((each.kind for each in gone), key=KINDS.index)
    return Condition("RECOVERED", "PULIH", night, ",".join(kinds), {"gone": len(gone)})


def _judged(kind: Kind, figures: ProvinceFigures) -> bool:
    """Whether this night could show that ``kind`` is gone: nobody's data get better by not arriving."""
    if kind in {"QUALITY", "CODE", "REJECTED", "NO_DATA"}:
        return figures.families.judged > 0
    return True


def _awaited(figures: ProvinceFigures, limits: Thresholds) -> bool:
    """Whether families are expected at all: the window has opened, and is not closed and complete or long closed."""
    if figures.night < figures.window.opens or figures.window.is_open(figures.night):
        return figures.window.is_open(figures.night)
    after_close = (figures.night - figures.window.closing(figures.night)).days
    return figures.visited < figures.target and after_close <= limits.window.late_nights


def _no_data(figures: ProvinceFigures, limits: Thresholds) -> _Found | None:
    # What was rejected or held did arrive: that is another condition, or ours to free.
    if not _awaited(figures, limits) or figures.families.received or figures.deliveries.get("rejected"):
        return None
    nights = figures.silent_nights
    critical = figures.window.is_open(figures.night) and nights >= limits.no_data.critical_after_nights
    return _Found(critical, "", {"silent_nights": nights, "unfinished": figures.unfinished})


def _rejected(figures: ProvinceFigures) -> _Found | None:
    if not figures.rejected:
        return None
    families = sum(each.families for each in figures.rejected)
    ids = ",".join(sorted(each.delivery_id for each in figures.rejected))
    return _Found(True, ids, {"deliveries": len(figures.rejected), "families": families})


def _held(figures: ProvinceFigures) -> _Found | None:
    """Critical on the night it happens; from then on it waits for us, and the office is reminded."""
    if not figures.held:
        return None
    families = sum(each.families for each in figures.held)
    ids = ",".join(each.delivery_id for each in figures.held)
    tonight = any(each.night == figures.night for each in figures.held)
    return _Found(tonight, ids, {"deliveries": len(figures.held), "families": families})


def _quality(figures: ProvinceFigures, limits: Thresholds) -> _Found | None:
    judged, quarantined = figures.families.judged, figures.families.quarantined
    if judged < limits.quality.least_families or quarantined * 100 <= limits.quality.attention_percent * judged:
        return None
    most_frequent = figures.rules[0].rule_id if figures.rules else ""
    critical = quarantined * 100 > limits.quality.critical_percent * judged
    return _Found(critical, most_frequent, {"quarantined": quarantined, "judged": judged})


def _behind(figures: ProvinceFigures, limits: Thresholds) -> _Found | None:
    muted = figures.window.day_of_window(figures.night) <= limits.behind.muted_days
    if muted or not _awaited(figures, limits) or not _below(figures, limits.behind.margin_points):
        return None
    numbers = {"visited": figures.visited, "target": figures.target, "plan_percent": figures.plan_percent}
    return _Found(_below(figures, limits.behind.critical_points), "", numbers)


def _below(figures: ProvinceFigures, points: float) -> bool:
    return figures.visited * 100 < (figures.plan_percent - points) * figures.target


def _code(figures: ProvinceFigures, limits: Thresholds) -> _Found | None:
    judged, off = figures.families.judged, figures.off_frame
    enough = off >= limits.code.attention_families or off * 100 >= limits.code.attention_percent * judged
    if not off or not enough:
        return None
    numbers = {"off_frame": off, "in_known_desa": figures.in_known_desa, "judged": judged}
    return _Found(off * 100 >= limits.code.critical_percent * judged, "", numbers)
