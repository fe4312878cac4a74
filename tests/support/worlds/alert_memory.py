"""What a province was told, kept in memory as the warehouse keeps it, so that nights can be judged without one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from regsosek.alerts.conditions.condition import Condition, Key, Kind, Notification, Place, Severity, State, Why
from regsosek.alerts.conditions.evaluation import Evaluation, Rules, judge
from regsosek.alerts.conditions.notification_policy import LastTold, Remembered
from regsosek.alerts.conditions.operator_actions import Act
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.persistence.condition_store import REMEMBERED_NIGHTS


@dataclass
class Memory:
    """One province's conditions, what was told, and the journal, by night."""

    conditions: dict[date, tuple[Condition, ...]] = field(default_factory=dict)
    told: dict[date, tuple[Notification, ...]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)

    def before(self, night: date) -> Remembered:
        """What is remembered when ``night`` is judged."""
        judged = [each for each in self.conditions if night - timedelta(REMEMBERED_NIGHTS) <= each < night]
        return Remembered(
            before=self.conditions[max(judged)] if judged else (),
            told=self._last_told(night),
            ended=self._ended(night),
            messages=[each for each in self.told if each < night],
            acts=self.acts,
        )

    def _ended(self, night: date) -> dict[Key, date]:
        return {
            each.key: at
            for at in sorted(judged for judged in self.conditions if judged < night)
            for each in self.conditions[at]
            if each.state is State.RESOLVED
        }

    def judge(self, figures: ProvinceFigures, rules: Rules, *, suspected: bool = False) -> Evaluation:
        """Judges a night and remembers it in place of what was remembered of it."""
        night = figures.night
        judgement = judge(figures, self.before(night), rules, suspected=suspected)
        self.conditions[night] = judgement.conditions
        self.told.pop(night, None)
        if judgement.telling.send:
            self.told[night] = judgement.telling.told
        return judgement

    def _last_told(self, night: date) -> dict[Key, LastTold]:
        found: dict[Key, LastTold] = {}
        for each in sorted(at for at in self.told if at < night):
            for told in self.told[each]:
                if told.why is Why.STANDING:
                    continue
                earlier = found.get(told.condition.key)
                escalated = each if told.why is Why.ESCALATED else earlier.escalated if earlier else None
                first = each if told.why is Why.NEW else earlier.first if earlier else None
                found[told.condition.key] = LastTold(told.condition, each, told.why, escalated, first)
        return found


def told_before(province: str, night: date, kinds: Sequence[tuple[str, date]]) -> Memory:
    """A memory in which the province met and was told of some kinds the night before ``night``."""
    stood = tuple(
        Condition(Kind(kind), Place("provinsi", province), Severity.ATTENTION, since, 0) for kind, since in kinds
    )
    eve = night - timedelta(days=1)
    told = {eve: tuple(Notification(each, Why.NEW) for each in stood)} if stood else {}
    return Memory({eve: stood}, told)
