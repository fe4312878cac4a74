"""What of tonight's conditions is told, and why: grouping, inhibition, intervals, budget. A pure function.

What was told is read from its own journal, not from the night before: whatever nights were missed or judged again, news
is told once, a recovery once, an escalation once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from regsosek.alerts.conditions.condition import Condition, Key, Kind, Notification, Severity, State, Why
from regsosek.alerts.conditions.kinds import rank
from regsosek.alerts.conditions.lifecycle import TOLD_LEVELS
from regsosek.alerts.conditions.operator_actions import Act, standing
from regsosek.alerts.conditions.phase import appointments_asked
from regsosek.alerts.conditions.thresholds import Economy, Thresholds
from regsosek.geography.known_events import KnownEvent

# What is never put off, whatever was sent this week.
_URGENT = frozenset({Why.CRITICAL, Why.WORSE, Why.ESCALATED})
_BY_DELIVERY = frozenset({Kind.REJECTED, Kind.HELD, Kind.REPLACED})
_LEVELS = ("nasional", "provinsi", "kabkota", "desa", "subsls", "petugas")
_WEEK = 7


@dataclass(frozen=True, slots=True)
class LastTold:
    """What an office was told last of a condition.

    Attributes:
        night: when; ``condition`` as it stood then.
        escalated: the last night on which it was told as escalated.
        first: the last night on which it was told as new; None where nobody knows.
    """

    condition: Condition
    night: date
    why: Why
    escalated: date | None = None
    first: date | None = None


@dataclass(frozen=True)
class Remembered:
    """What is known of a province before a night is judged.

    Attributes:
        before: its conditions as the last night judged before left them.
        told: what was told last, by condition; nothing of the message that is being composed.
        ended: the last night that showed a condition to be gone, by condition.
        messages: nights of its messages of the last weeks, but for the one that is being composed.
        acts: the journal.
    """

    before: Sequence[Condition] = ()
    told: Mapping[Key, LastTold] = field(default_factory=dict)
    ended: Mapping[Key, date] = field(default_factory=dict)
    messages: Collection[date] = ()
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Notifications:
    """What a province is told tonight, most urgent first.

    Attributes:
        send: whether a message goes out: something in ``told`` is more than STANDING, or it is time for good news.
    """

    told: tuple[Notification, ...]
    send: bool


def tell(
    conditions: Sequence[Condition],
    remembered: Remembered,
    limits: Thresholds,
    night: date,
    *,
    events: Sequence[KnownEvent] = (),
    suspected: Collection[Kind] = (),
    recovers: Collection[Key] = (),
    good: bool = False,
) -> Notifications:
    """Decides what is told of one province tonight.

    Args:
        conditions: as :func:`life.live` left them.
        suspected: kinds of which we suspect ourselves tonight: they are not told.
        recovers: keys that were told and that this night shows to be gone.
        good: whether there would be good news, with nothing open.
    """
    policy = _Policy(remembered, limits, night, events)
    opened = [each for each in conditions if each.state is not State.RESOLVED]
    heard = [each for each in opened if each.state is not State.SNOOZED and not _inhibited(each, opened, limits)]
    heard = [each for each in heard if each.kind not in suspected]
    told = [policy.notification(each) for each in heard if each.place.level in TOLD_LEVELS]
    told += [
        Notification(
            replace(remembered.told[key].condition, state=State.RESOLVED, until=None, judged=True), Why.RECOVERED
        )
        for key in recovers
    ]
    if not policy.worth_a_message(told):
        standing_only = [replace(each, why=Why.STANDING) for each in told if each.why is not Why.RECOVERED]
        return Notifications(_ranked(standing_only, limits), send=good and not opened and policy.good_news_is_due)
    told += _details([each for each in heard if each.place.level not in TOLD_LEVELS], told)
    return Notifications(_ranked(told, limits), send=True)


def _ranked(told: Sequence[Notification], limits: Thresholds) -> tuple[Notification, ...]:
    """Most urgent first; where they are too many, details are left out, and never a problem or its end."""
    ranked = sorted(told, key=urgency)
    details = [each.condition.key for each in ranked if each.condition.place.level not in TOLD_LEVELS]
    room = max(0, limits.economy.told_per_digest - (len(ranked) - len(details)))
    left_out = set(details[room:])
    return tuple(each for each in ranked if each.condition.key not in left_out)


def urgency(told: Notification) -> tuple[bool, bool, bool, int, int, int, str]:
    """What stands first: the open, the critical, the news, the province by kind; of its parts the largest."""
    condition = told.condition
    level, kind = _LEVELS.index(condition.place.level), rank(condition.kind)
    return (
        told.why is Why.RECOVERED,
        condition.severity is not Severity.CRITICAL,
        told.why is Why.STANDING,
        level,
        kind if level <= _LEVELS.index("provinsi") else 0,
        -condition.families,
        f"{kind:03} {condition.place.code}",
    )


def _inhibited(condition: Condition, opened: Sequence[Condition], limits: Thresholds) -> bool:
    return any(
        condition.kind in limits.inhibition.get(cause.kind, ())
        and cause.judged
        and cause.place.level in TOLD_LEVELS
        and cause.place.covers(condition.place)
        for cause in opened
    ) or (condition.place.level == "kabkota" and _silent_whole(condition, opened))


def _silent_whole(condition: Condition, opened: Sequence[Condition]) -> bool:
    """Whether its province as a whole is silent: its parts then are, too."""
    return condition.kind is Kind.NO_DATA and any(
        each.kind is Kind.NO_DATA and each.place.level == "provinsi" for each in opened
    )


def _details(small: Sequence[Condition], told: Sequence[Notification]) -> list[Notification]:
    """Places below a kab/kota are told with their kab/kota, for its reason; by themselves they are never news."""
    parents = {(each.condition.kind, each.condition.place.code): each for each in told}
    found = ((each, parents.get((each.kind, each.place.kabkota))) for each in small)
    return [
        Notification(each, parent.why, parent.first) if parent else Notification(each, Why.STANDING)
        for each, parent in found
    ]


@dataclass(frozen=True)
class _Policy:
    remembered: Remembered
    thresholds: Thresholds
    night: date
    events: Sequence[KnownEvent]

    @property
    def limits(self) -> Economy:
        """Intervals and budgets."""
        return self.thresholds.economy

    def notification(self, condition: Condition) -> Notification:
        """The condition with its reason, and the night of its first telling: a deadline that was told stays."""
        why, last = self.why(condition), self._last(condition)
        return Notification(condition, why, None if last is None or why is Why.NEW else last.first or last.night)

    def why(self, condition: Condition) -> Why:
        """Why a condition is told, if a message goes out tonight."""
        if (
            condition.state is State.ACKNOWLEDGED
            or condition.event
            or not condition.judged
            or self._too_early(condition)
        ):
            return Why.STANDING
        last = self._last(condition)
        if last is None:
            return Why.STANDING if condition.within_limits else Why.NEW
        return self._again(condition, last)

    def _too_early(self, condition: Condition) -> bool:
        """Whether it is about appointments, and no free day is near that they could be made for."""
        province = _province(condition)
        return condition.kind is Kind.APPOINTMENT and not appointments_asked(province, self.night, self.thresholds)

    def _again(self, condition: Condition, last: LastTold) -> Why:
        """Why what was told before is told again."""
        woken = self._woken(condition)
        if woken is not None and last.night < woken:
            return Why.WOKEN
        if condition.state is State.ESCALATED and (last.escalated is None or last.escalated < condition.since):
            return Why.ESCALATED
        if condition.severity is Severity.CRITICAL and last.condition.severity is Severity.ATTENTION:
            return Why.WORSE
        if condition.kind in _BY_DELIVERY and set(condition.news.split(",")) - set(last.condition.news.split(",")):
            return Why.NEW
        return self._repeated(condition, last)

    def _last(self, condition: Condition) -> LastTold | None:
        """What was told last of this very life of it."""
        last = self.remembered.told.get(condition.key)
        return None if last is None or last.why is Why.RECOVERED or last.night < condition.since else last

    def _repeated(self, condition: Condition, last: LastTold) -> Why:
        passed = (self.night - last.night).days
        if condition.within_limits:
            return Why.REMINDER if passed >= self.limits.waiting_nights else Why.STANDING
        critical = condition.severity is Severity.CRITICAL and condition.place.level != "kabkota"
        if critical and condition.state is not State.ESCALATED:
            return Why.CRITICAL if passed >= self.limits.critical_nights else Why.STANDING
        return Why.REMINDER if passed >= self.limits.interval_nights else Why.STANDING

    def _part_is_due(self, told: Notification) -> bool:
        """Parts of a province are told of together: no more often than the interval, whichever of them it is.

        What must be done before a day may not wait beyond it, nor an end until the office has worked to the deadline.
        """
        condition = told.condition
        if condition.place.level != "kabkota" or self._is_last_message(told):
            return True
        nights = [
            each.night
            for (kind, level, *_), each in self.remembered.told.items()
            if kind is condition.kind and level == "kabkota" and each.why is not Why.RECOVERED
        ]
        return not nights or (self.night - max(nights)).days >= self.limits.interval_nights

    def _is_last_message(self, told: Notification) -> bool:
        """Whether the next night's message would be too late, for it is read on the morning after: of an end after the
        deadline that was told, of what is to be arranged for a free day after the day before it.
        """
        condition, limit = told.condition, self.thresholds.deadline[told.condition.kind]
        if told.why is Why.RECOVERED:
            last = self.remembered.told[condition.key]
            first = last.first or last.night
        elif _is_arranged(told, self.thresholds):
            first = self.night
        else:
            return False
        return self.night + timedelta(days=1) == limit.day(first, _province(condition))

    def _woken(self, condition: Condition) -> date | None:
        """The first night after a silence of it that has ended: a snooze, an acknowledgement, a known event."""
        after_act = standing(condition, self.remembered.acts, self.night).woken
        after_event = [
            event.closes + timedelta(days=1)
            for event in self.events
            if condition.kind.value in event.kinds
            and condition.since <= event.closes < self.night
            and event.covers(_province(condition), _kabkota(condition))
        ]
        return max([*after_event, *([after_act] if after_act else [])], default=None)

    def worth_a_message(self, told: Sequence[Notification]) -> bool:
        """Whether something must be told tonight; once the week's messages are spent, something that cannot wait."""
        week = {night for night in self.remembered.messages if 0 < (self.night - night).days < _WEEK}
        spent = len(week) >= self.limits.messages_per_week
        news = [each for each in told if each.why is not Why.STANDING and self._part_is_due(each)]
        return any(_urgent(each) or self._must_go(each) for each in news) if spent else bool(news)

    def _must_go(self, told: Notification) -> bool:
        """Whether it is to be arranged for a free day, and no other night's message would be in time."""
        return _is_arranged(told, self.thresholds) and self._is_last_message(told)

    @property
    def good_news_is_due(self) -> bool:
        """Whether the last message is long enough ago."""
        last = max((night for night in self.remembered.messages if night < self.night), default=None)
        return last is None or (self.night - last).days >= self.limits.good_news_nights


def _is_arranged(told: Notification, limits: Thresholds) -> bool:
    """Whether it is news of what must be done before a free day."""
    return told.why is Why.NEW and limits.deadline[told.condition.kind].days_before_free_day > 0


def _urgent(told: Notification) -> bool:
    critical = told.condition.severity is Severity.CRITICAL and told.why is Why.NEW
    return told.why in _URGENT or critical


def _kabkota(condition: Condition) -> str:
    return condition.place.code if condition.place.level == "kabkota" else condition.place.kabkota


def _province(condition: Condition) -> str:
    """The code of a BPS region begins with that of its province; officers are no regions."""
    return (_kabkota(condition) or condition.place.code)[:2]
