"""One province's night judged: detect, life, economy in their order, on values alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regsosek.alerts.conditions.condition import EVENTS, WAITING, Condition, Key, Kind, State, Why
from regsosek.alerts.conditions.detect import detect, shows
from regsosek.alerts.conditions.lifecycle import TOLD_LEVELS, by_key, live
from regsosek.alerts.conditions.notification_policy import LastTold, Notifications, Remembered, tell
from regsosek.alerts.conditions.phase import awaited
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.geography.known_events import KnownEvent
from regsosek.geography.plan import NONE_SUPPLIED, Plans
from regsosek.geography.region_targets import NO_TARGETS, RegionTargets


@dataclass(frozen=True)
class Rules:
    """What all provinces are judged by."""

    limits: Thresholds
    events: Sequence[KnownEvent] = ()
    plans: Plans = NONE_SUPPLIED
    targets: RegionTargets = NO_TARGETS


@dataclass(frozen=True)
class Evaluation:
    """A province's night: its conditions as they stand, those resolved among them, and what is told of them."""

    conditions: tuple[Condition, ...]
    telling: Notifications

    @property
    def put_off(self) -> tuple[Kind, ...]:
        """The kinds that somebody put off, in the province or a kab/kota: nobody is told of them, and they stand."""
        snoozed = (each for each in self.conditions if each.state is State.SNOOZED)
        return tuple(dict.fromkeys(each.kind for each in snoozed if each.place.level in TOLD_LEVELS))


def judge(figures: ProvinceFigures, remembered: Remembered, rules: Rules, *, suspected: bool = False) -> Evaluation:
    """Judges one province's night.

    Args:
        suspected: so many provinces are silent at once that silence is ours (:func:`common_silence`).
    """
    limits = rules.limits
    standing = {each.key for each in remembered.before if each.state is not State.RESOLVED} | _waits(remembered)
    conditions = live(
        remembered.before,
        detect(figures, limits, rules.events, standing),
        remembered.acts,
        figures.night,
        shows=lambda kind, place: shows(kind, place, figures),
        expires=not awaited(figures, limits),
        escalation=limits.escalation,
    )
    telling = tell(
        conditions,
        remembered,
        limits,
        figures.night,
        events=rules.events,
        suspected=limits.inhibition.get(Kind.PIPELINE_FAULT, ()) if suspected else (),
        recovers=_recovers(conditions, remembered, figures),
        good=_well(figures, rules),
    )
    return Evaluation(conditions, telling)


def _waits(remembered: Remembered) -> set[Key]:
    """What was told of families that wait, and not yet as gone: it stands though no night before is remembered."""
    return {
        key for key, last in remembered.told.items() if last.condition.kind in WAITING and last.why is not Why.RECOVERED
    }


def _well(figures: ProvinceFigures, rules: Rules) -> bool:
    """Whether good news would be true: families arrived, the campaign is old enough to say so, and the page calls
    neither the province nor any of its kab/kota behind, however small.
    """
    old_enough = figures.window.day_of_window(figures.night) > rules.limits.economy.good_news_nights
    return old_enough and figures.well and figures.families.judged > 0 and figures.window.is_open(figures.night)


def _recovers(conditions: Sequence[Condition], remembered: Remembered, figures: ProvinceFigures) -> list[Key]:
    """What an office was told of that is gone, as tonight or an earlier night showed, and of which it was not told."""
    standing = by_key(each for each in conditions if each.state is not State.RESOLVED)
    return [
        key
        for key, last in remembered.told.items()
        if last.why is not Why.RECOVERED
        and key not in standing
        and last.condition.kind not in EVENTS
        and last.condition.place.level in TOLD_LEVELS
        and (_ended(key, last, remembered) or shows(last.condition.kind, last.condition.place, figures))
    ]


def _ended(key: Key, last: LastTold, remembered: Remembered) -> bool:
    """Whether a night since its last telling showed it to be gone, though this night may be unable to judge it."""
    return key in remembered.ended and remembered.ended[key] > last.night


def common_silence(night: date, figures: Mapping[str, ProvinceFigures], limits: Thresholds) -> list[str]:
    """The provinces at work that are silent, if they are so many that our landing area must be suspected, not they."""
    at_work = {
        code: each
        for code, each in figures.items()
        if each.window.is_open(night) and each.last_arrival is not None and each.visited < each.target
    }
    silent = [
        code for code, each in at_work.items() if not each.families.received and not sum(each.deliveries.values())
    ]
    many = len(silent) * 100 >= limits.economy.common_percent * len(at_work)
    return sorted(silent) if many and len(silent) >= limits.economy.common_provinces else []
