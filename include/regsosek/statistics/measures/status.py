"""One word for how a region stands, by rules that are data: the first line of ``status_rules.csv`` that fits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regsosek.errors import ConfigurationError
from regsosek.geography.reference_table import read_table
from regsosek.wording import Text
from regsosek.wording.texts import columns, text_in

_HERE = Path(__file__).parent
_RULE_COLUMNS = (
    "status", "only_when", "from_day", "to_day", "above_window_percent", "to_window_percent", "percent_from",
    "gap_below_points", "below_percent_of_plan", "source",
)  # fmt: skip
BEHIND = frozenset({"behind", "far_behind"})
NOT_BEGUN = "not_begun"
BELOW_PLAN = "below_plan"  # and not behind: a gap within what the rules allow
# Behind, or nobody knows: nothing good can be said of a region that stands so.
NOT_WELL = BEHIND | {"no_data"}


@dataclass(frozen=True)
class StatusWords:
    """What a status is called and means."""

    label: Text
    meaning: Text


@dataclass(frozen=True)
class StatusInputs:
    """What the rules look at: day and share of the window, families visited, percent of the plan's denominator, gap.

    ``percent`` and ``gap_points`` are None where there is nothing to divide by; ``known``: the province has figures.
    """

    day: int
    window_percent: float
    visited: int
    percent: float | None
    gap_points: float | None
    known: bool = True

    @property
    def percent_of_plan(self) -> float:
        """What is reached of what is planned by now; the whole where nothing is."""
        reached, planned = self.percent or 0.0, (self.percent or 0.0) - (self.gap_points or 0.0)
        return reached * 100 / planned if planned > 0 else 100.0


@dataclass(frozen=True)
class StatusRule:
    """One line; None where a condition is not asked for."""

    status: str
    only_when: str
    from_day: int
    to_day: int | None
    above_window_percent: float | None
    to_window_percent: float | None
    percent_from: float | None
    gap_below_points: float | None
    below_percent_of_plan: float | None
    source: str

    @property
    def fits_always(self) -> bool:
        """Whether it asks nothing."""
        asked = (
            self.to_day, self.above_window_percent, self.to_window_percent, self.percent_from, self.gap_below_points,
            self.below_percent_of_plan,
        )  # fmt: skip
        return not self.only_when and self.from_day == 0 and all(each is None for each in asked)

    def holds_on(self, day: int, window_percent: float) -> bool:
        """Whether it is a rule of that day."""
        return (
            self.from_day <= day
            and (self.to_day is None or day <= self.to_day)
            and (self.above_window_percent is None or window_percent > self.above_window_percent)
            and (self.to_window_percent is None or window_percent <= self.to_window_percent)
        )

    def limit(self, planned: float) -> float:
        """The gap in points below which it fits a region of which ``planned`` percent are planned; negative."""
        of_plan = None if self.below_percent_of_plan is None else (self.below_percent_of_plan - 100) * planned / 100
        return min(each for each in (self.gap_below_points, of_plan, 0.0) if each is not None)

    def fits(self, standing: StatusInputs) -> bool:
        """Whether every condition of the line holds."""
        return (
            self.holds_on(standing.day, standing.window_percent)
            and (not self.only_when or _CONDITIONS[self.only_when](standing))
            and (self.percent_from is None or (standing.percent or 0) >= self.percent_from)
            and (self.gap_below_points is None or (standing.gap_points or 0) < self.gap_below_points)
            and (self.below_percent_of_plan is None or standing.percent_of_plan < self.below_percent_of_plan)
        )


_CONDITIONS: Mapping[str, Callable[[StatusInputs], bool]] = {
    "no_figures": lambda standing: not standing.known or standing.percent is None,
    "nothing_visited": lambda standing: standing.visited == 0,
}


def status_of(standing: StatusInputs) -> str:
    """The key of the status (``statuses.csv``); the last rule asks nothing, so that there always is one."""
    return next(rule.status for rule in status_rules() if rule.fits(standing))


def behind_limit(day: int, window_percent: float, planned: float) -> float:
    """The gap in points, negative, below which a region of which ``planned`` percent are planned is called behind."""
    rules = (rule for rule in status_rules() if rule.status in BEHIND and rule.holds_on(day, window_percent))
    return max(rule.limit(planned) for rule in rules)


@cache
def status_words() -> dict[str, StatusWords]:
    """The words of every status, by key."""
    rows = read_table(_HERE / "statuses.csv", ("status", *columns("label", "meaning")))
    return {row["status"]: StatusWords(text_in(row, "label"), text_in(row, "meaning")) for row in rows}


@cache
def status_rules() -> tuple[StatusRule, ...]:
    """The rules in their order."""
    return read_rules(_HERE / "status_rules.csv")


def read_rules(path: Path) -> tuple[StatusRule, ...]:
    """The rules of a file.

    Raises:
        ConfigurationError: a line is malformed or names an unknown status or condition, or the last line asks anything.
    """
    rules = tuple(_rule(f"{path.name}: line {n}", row) for n, row in enumerate(read_table(path, _RULE_COLUMNS), 1))
    if not rules or not rules[-1].fits_always:
        raise ConfigurationError(f"{path.name}: the last line must fit always; leave its conditions empty, from day 0")
    return rules


def _rule(place: str, row: Mapping[str, str]) -> StatusRule:
    if row["status"] not in status_words() or row["only_when"] not in {"", *_CONDITIONS}:
        known = f"{', '.join(status_words())}; only_when {', '.join(_CONDITIONS)} or empty"
        raise ConfigurationError(f"{place}: unknown status or condition; known are {known}")
    try:
        return StatusRule(
            status=row["status"],
            only_when=row["only_when"],
            from_day=int(row["from_day"]),
            to_day=int(row["to_day"]) if row["to_day"] else None,
            above_window_percent=_number(row["above_window_percent"]),
            to_window_percent=_number(row["to_window_percent"]),
            percent_from=_number(row["percent_from"]),
            gap_below_points=_number(row["gap_below_points"]),
            below_percent_of_plan=_number(row["below_percent_of_plan"]),
            source=row["source"],
        )
    except ValueError:
        raise ConfigurationError(f"{place}: days are whole numbers, percent and points are numbers") from None


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
