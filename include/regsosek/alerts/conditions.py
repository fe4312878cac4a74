"""What is told, in the form that :mod:`digest` words: one condition of the province for each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast, get_args

from regsosek.alerts.condition import Condition as Standing
from regsosek.alerts.condition import Told, Why

Kind = Literal["NO_DATA", "ZERO", "REJECTED", "HELD", "QUALITY", "BEHIND", "CODE", "APPOINTMENT", "RECOVERED"]
Severity = Literal["KRITIS", "PERHATIAN", "PULIH"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that the office must know; ``news`` of RECOVERED are the kinds that are gone."""

    kind: Kind
    severity: Severity
    since: date
    news: str
    figures: Mapping[str, float]


def worded(told: Sequence[Told], night: date) -> tuple[Condition, ...]:
    """One condition for each kind that is told, the most urgent first, and one for all that recovered."""
    opened: dict[str, Standing] = {}
    for each in told:
        if each.why is not Why.RECOVERED:
            opened.setdefault(each.condition.kind.value, each.condition)
    gone = sorted({each.condition.kind.value for each in told if each.why is Why.RECOVERED} - set(opened))
    lines = [
        Condition(cast("Kind", kind), each.severity.value, each.since, each.news, each.figures)
        for kind, each in opened.items()
    ]
    return (*lines, *([Condition("RECOVERED", "PULIH", night, ",".join(gone), {"gone": len(gone)})] if gone else []))


def recovered_kinds(condition: Condition) -> tuple[str, ...]:
    """The kinds that a RECOVERED condition reports as gone."""
    return tuple(condition.news.split(","))
