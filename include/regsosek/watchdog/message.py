"""The message of a round: what began, what stands, what is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.runbooks import link
from regsosek.watchdog.due_findings import DueFinding, DueReason
from regsosek.watchdog.finding import Finding
from regsosek.watchdog.state import Memory

_TITLES = {DueReason.BEGAN: "NEW", DueReason.STANDS: "STILL", DueReason.OVER: "OVER"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells: name of the watchdog, where runbooks are, and the objective in a line."""

    watcher: str
    docs_url: str | None
    objective: str


def words_of(finding: Finding) -> str:
    """A finding in a line: its kind for machines, its title and detail for people."""
    return f"{finding.kind}: {finding.traits.title}: {finding.detail}"


def compose(told: Sequence[DueFinding], memory: Memory, sender: Sender, now: datetime) -> Message:
    """The message to the platform team; ``told`` is not empty."""
    keys = {each.finding.key for each in told}
    sections = [
        {"title": title, "told": [_line(each, sender) for each in told if each.why is why]}
        for why, title in _TITLES.items()
    ]
    values = {
        "moment": _moment(now),
        "sections": [each for each in sections if each["told"]],
        "standing": [words_of(each.finding) for each in memory.standing if each.finding.key not in keys],
        "watcher": sender.watcher,
        "objective": sender.objective,
    }
    return Message(_subject(told), render("watchdog.txt.j2", values))


def _subject(told: Sequence[DueFinding]) -> str:
    worse = [each for each in told if each.why is not DueReason.OVER]
    first = min(worse or told, key=lambda each: not each.finding.at_fault)
    mark = "[WATCHDOG]" if worse else "[WATCHDOG OVER]"
    subject = f" {first.finding.subject}" if first.finding.subject else ""
    rest = len(told) - 1
    ends = (f"{subject} and {rest} more", f"{subject} +{rest}", f" +{rest}") if rest else (subject, "")
    return first_fitting(f"{mark} {first.finding.traits.title}{end}" for end in ends)


def _line(told: DueFinding, sender: Sender) -> dict[str, str]:
    return {
        "words": words_of(told.finding),
        "since": _moment(told.since),
        "runbook": link("finding", told.finding.kind, sender.docs_url),
    }


def _moment(at: datetime) -> str:
    return f"{at.astimezone(NIGHT_ZONE):%Y-%m-%d %H:%M} WIB"
