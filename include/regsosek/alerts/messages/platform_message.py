"""The message to the platform team when something of ours failed or a delivery is held. Provinces never get it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from regsosek.alerts.conditions.condition import Notification
from regsosek.alerts.conditions.operator_actions import name_of
from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import fitting
from regsosek.alerts.sentences.texts import Words, words_of
from regsosek.errors import ParityError, RegsosekError
from regsosek.geography.provinces import province
from regsosek.quality.hold_limits import REPLACED, RULED
from regsosek.runbooks import link, pages
from regsosek.warehouse.nights.holding import HeldDelivery
from regsosek.wording import Language

OUTSIDE = ""  # where unrecognised keys lie that are in no province's folder
PLATFORM = "platform"  # the group of recipients, and the kind of its message


@dataclass(frozen=True, slots=True)
class PlatformFigures:
    """What failed in one night, and what waits for a decision.

    Attributes:
        asked: provinces that the night was to process.
        refreshed: of these, the ones whose statistics hold the night.
        failed: error by province.
        publication: why nothing was published; None if it was, or was not tried.
        unrecognised: keys in the landing area that no delivery is made of, by province, or ``OUTSIDE`` of all.
        held: deliveries that wait for an operator; no fault of ours.
        silent: provinces so many of which are silent at once that our landing area is suspected.
        escalated: conditions that have come to the centre tonight, by province.
        untold: why messages of the night could not be composed, by group or name.
    """

    night: date
    asked: Sequence[str]
    refreshed: frozenset[str]
    failed: Mapping[str, str]
    publication: str | None
    unrecognised: Mapping[str, int] = field(default_factory=dict)
    held: tuple[HeldDelivery, ...] = ()
    silent: tuple[str, ...] = ()
    escalated: Mapping[str, Sequence[Notification]] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)

    @property
    def stale(self) -> list[str]:
        """Provinces that are neither refreshed nor named as failed."""
        return [each for each in self.asked if each not in self.refreshed and each not in self.failed]

    @property
    def anything(self) -> bool:
        """Whether there is something to tell."""
        return self.at_fault or bool(self.held) or bool(self.escalated)

    @property
    def at_fault(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.failed or self.stale or self.publication or self.unrecognised or self.silent or self.untold)

    @property
    def fingerprint(self) -> str:
        """Same faults, same fingerprint."""
        held = [each.delivery_id for each in self.held]
        ours = (self.silent, escalated_lines(self.escalated, words_of("en")), *sorted(self.untold.items()))
        told = (
            sorted(self.failed.items()),
            self.stale,
            self.publication,
            sorted(self.unrecognised.items()),
            held,
            *ours,
        )
        return hashlib.sha256("\n".join(map(repr, told)).encode()).hexdigest()


def compose_platform(figures: PlatformFigures, docs_url: str | None = None, language: Language = "en") -> Message:
    """Words what failed or waits, with the next step; of every fault its class, what that means, and its runbook."""
    words = words_of(language)
    parity = {code: error for code, error in figures.failed.items() if ParityError.__name__ in error}
    others = {code: error for code, error in figures.failed.items() if code not in parity}
    values = {
        "night": figures.night.isoformat(),
        "asked": len(figures.asked),
        "publication": figures.publication,
        "publication_classes": _classes([figures.publication or ""], words, docs_url),
        "parity": _lines(parity),
        "failed": _lines(others),
        "classes": _classes(others.values(), words, docs_url),
        "stale": figures.stale,
        "astray": _unrecognised(figures, words),
        "provinces": sorted({*figures.failed, *figures.stale}),
        "at_fault": figures.at_fault,
        "runs": bool(figures.failed or figures.stale or figures.publication or figures.untold),
        "held": [_held(each, words) for each in figures.held],
        "runbooks": {section: link("error", error, docs_url) for section, error in _RUNBOOKS.items()},
        "silent": figures.silent,
        "escalated": escalated_lines(figures.escalated, words),
        "untold": _lines(figures.untold),
        "untold_classes": _classes(figures.untold.values(), words, docs_url),
    }
    return Message(_subject(figures, words), render(f"platform.{language}.txt.j2", values))


def class_of(fault: str) -> str:
    """The class of a fault in words (``<class>: <message>``); the base of all where it names none that is ours."""
    said = fault.split(":", 1)[0]
    return said if ("error", said) in pages() else RegsosekError.__name__


def _classes(faults: Iterable[str], words: Words, docs_url: str | None) -> list[str]:
    """A line for each class of the faults: what it means, and where its runbook is."""
    found = sorted({class_of(fault) for fault in faults if fault} - {RegsosekError.__name__})
    runbook = words.say("runbook")
    return [f"{each}: {words.fault(each)}. {runbook}: {link('error', each, docs_url)}" for each in found]


# What each section of the message is read about, by the error that it tells of.
_RUNBOOKS = {
    "held": "DecisionError", "publication": "AuditError", "parity": "ParityError", "failed": "RegsosekError",
    "astray": "ContractBreachError", "night": "NightFailedError", "untold": "OutboxError",
}  # fmt: skip


def escalated_lines(told: Mapping[str, Sequence[Notification]], words: Words) -> tuple[str, ...]:
    """Conditions that have come to the centre, by province, in words."""
    return tuple(
        words.say(
            "platform_escalated",
            name=name_of(code, each.condition),
            since=each.condition.since,
            families=words.number(each.condition.families),
            severity=words.say(f"headline.{each.condition.severity}"),
        )
        for code, of_province in sorted(told.items())
        for each in of_province
    )


def _subject(figures: PlatformFigures, words: Words) -> str:
    counts = {
        "failed": len({*figures.failed, *figures.stale}),
        "publication": int(bool(figures.publication)),
        "silent": len(figures.silent),
        "astray": int(bool(figures.unrecognised)),
        "untold": len(figures.untold),
        "held": len(figures.held),
        "escalated": sum(map(len, figures.escalated.values())),
    }
    values = {
        "say": words.say,
        "mark": "fault" if figures.at_fault else "decision" if figures.held else "escalated",
        "night": figures.night.isoformat(),
        "more": "subject.and_more",
        "news": [words.say(f"platform_subject.{what}", n=n) for what, n in counts.items() if n],
    }
    return fitting("platform_subject.txt.j2", values, words)


def _unrecognised(figures: PlatformFigures, words: Words) -> list[str]:
    return [f"{name_of_place(place, words)}: {words.number(n)}" for place, n in sorted(figures.unrecognised.items())]


def name_of_place(place: str, words: Words) -> str:
    """Where unrecognised keys lie: a province by its name, else outside of all."""
    return province(place).name if place != OUTSIDE else words.say("unrecognised_outside")


def _held(each: HeldDelivery, words: Words) -> str:
    shares = "; ".join(
        words.say(
            "platform_held_replaced" if share.dataset == REPLACED else "platform_held_share",
            in_error=words.number(share.in_error),
            judged=words.number(share.judged),
            rows=words.say(f"rows_of.{RULED[share.dataset]}"),
            limit=share.limit_percent,
        )
        for share in each.exceeded
    )
    return f"{each.province}: {each.delivery_id}, {_contents(each, words)}: {shares}"


def _contents(held: HeldDelivery, words: Words) -> str:
    what, n = ("messages", held.messages) if held.messages else ("families", held.families)
    counted = words.number(n)
    return words.say(f"platform_held.{what}", night=held.night, n=counted, instrument=held.instrument)


def _lines(errors: Mapping[str, str]) -> list[str]:
    return [f"{code}: {' '.join(error.split())}" for code, error in sorted(errors.items())]
