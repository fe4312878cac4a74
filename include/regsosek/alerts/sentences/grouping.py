"""From the conditions told to the lines that people read: one of each kind for the province, one for each kab/kota."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, State, Why, kabkota_of

# From the strongest reason to tell a group of conditions tonight to the weakest.
_REASONS = (Why.ESCALATED, Why.NEW, Why.WORSE, Why.CRITICAL, Why.WOKEN, Why.REMINDER, Why.STANDING, Why.RECOVERED)
_HIGHEST_FIRST = ("nasional", "provinsi", "kabkota", "desa", "subsls", "petugas")


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of one kind at one place: the province (``kabkota`` empty) or a kab/kota with all below it.

    ``told`` is never empty and keeps the order of urgency.
    """

    kind: Kind
    kabkota: str
    told: tuple[Notification, ...]

    @property
    def level(self) -> str:
        """The highest level of its places."""
        return min((each.condition.place.level for each in self.told), key=_HIGHEST_FIRST.index)

    @property
    def highest(self) -> tuple[Notification, ...]:
        """What is told of places of that level."""
        return tuple(each for each in self.told if each.condition.place.level == self.level)

    @property
    def families(self) -> int:
        """Families concerned: nobody is counted twice, for places of one level do not overlap, those of several do."""
        sums: dict[str, int] = {}
        for each in self.told:
            level = each.condition.place.level
            sums[level] = sums.get(level, 0) + each.condition.families
        return max(sums.values())

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return worst(self.told)

    @property
    def since(self) -> date:
        """Since when the first of them."""
        return min(each.condition.since for each in self.told)

    @property
    def first(self) -> date | None:
        """The first night on which one of them was told as new; None: all are tonight."""
        return min((each.first for each in self.told if each.first is not None), default=None)

    @property
    def why(self) -> Why:
        """The strongest reason to tell it."""
        return min((each.why for each in self.told), key=_REASONS.index)

    @property
    def state(self) -> State | None:
        """Where all of them stand; None if they differ."""
        states = {each.condition.state for each in self.told}
        return states.pop() if len(states) == 1 else None

    @property
    def judged(self) -> bool:
        """Whether this night could tell of any of them; if not, all stand as an earlier night left them."""
        return any(each.condition.judged for each in self.told)

    @property
    def figures(self) -> Mapping[str, float]:
        """The figures of its highest places: counts added, runs of nights the longest, percentages if they agree."""
        found: dict[str, list[float]] = {}
        for each in self.highest:
            for name, value in each.condition.figures.items():
                found.setdefault(name, []).append(value)
        joined = {name: _joined(name, values) for name, values in found.items()}
        return {name: value for name, value in joined.items() if value is not None}

    def below(self, level: str) -> list[Place]:
        """Its places of one level under the kab/kota."""
        return [each.condition.place for each in self.told if each.condition.place.level == level]


def worst(told: Iterable[Notification]) -> Severity:
    """KRITIS if one of them is."""
    return Severity.CRITICAL if any(t.condition.severity is Severity.CRITICAL for t in told) else Severity.ATTENTION


def still_open(told: Sequence[Notification]) -> tuple[Notification, ...]:
    """What asks for something: all but the recovered."""
    return tuple(each for each in told if not _gone(each))


def recovered(told: Sequence[Notification]) -> tuple[Notification, ...]:
    """What is told for the last time."""
    return tuple(each for each in told if _gone(each))


def province_lines(told: Sequence[Notification]) -> tuple[Line, ...]:
    """One line for each kind that the province as a whole has, in order of urgency."""
    return _lines(each for each in told if each.condition.place.level in ("nasional", "provinsi"))


def kabkota_lines(told: Sequence[Notification]) -> tuple[Line, ...]:
    """One line for each kab/kota and kind, in order of urgency."""
    return _lines(each for each in told if each.condition.place.level not in ("nasional", "provinsi"))


def by_kabkota(lines: Sequence[Line]) -> tuple[tuple[Line, ...], ...]:
    """The lines of each kab/kota together, in order of their first."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.kabkota, []).append(line)
    return tuple(tuple(group) for group in groups.values())


def in_mail_order(told: Sequence[Notification]) -> tuple[Notification, ...]:
    """As a mail tells of it: the province as a whole, then each kab/kota with everything in it."""
    of_kabkota = (line for lines in by_kabkota(kabkota_lines(told)) for line in lines)
    return tuple(each for line in (*province_lines(told), *of_kabkota) for each in line.told)


def _lines(told: Iterable[Notification]) -> tuple[Line, ...]:
    groups: dict[tuple[Kind, str], list[Notification]] = {}
    for each in told:
        groups.setdefault((each.condition.kind, kabkota_of(each.condition.place)), []).append(each)
    return tuple(Line(kind, kabkota, tuple(group)) for (kind, kabkota), group in groups.items())


def _gone(told: Notification) -> bool:
    return told.why is Why.RECOVERED or told.condition.state is State.RESOLVED


def _joined(name: str, values: Sequence[float]) -> float | None:
    if name.endswith("_nights"):
        return max(values)
    if name.endswith("_percent"):
        return values[0] if len(set(values)) == 1 else None
    return sum(values)
