"""The message to the platform team when something of ours failed or a delivery is held. Provinces never get it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from regsosek.alerts.acts import name_of
from regsosek.alerts.condition import Told
from regsosek.alerts.rendering import Message, render
from regsosek.contract.codebook import STREAMS
from regsosek.errors import ParityError
from regsosek.runbooks import link
from regsosek.warehouse.holding import HeldDelivery

PLATFORM = "platform"  # the group of recipients, and the kind of its message
RULED = {"keluarga": "cases", "anggota": "members"} | dict.fromkeys(STREAMS, "messages")


@dataclass(frozen=True, slots=True)
class PlatformFigures:
    """What failed in one night, and what waits for a decision.

    Attributes:
        asked: provinces that the night was to process.
        refreshed: of these, the ones whose statistics hold the night.
        failed: error by province.
        publication: why nothing was published; None if it was, or was not tried.
        astray: keys in the landing area that no delivery is made of, counted by where they lie.
        held: deliveries that wait for an operator; no fault of ours.
        silent: provinces so many of which are silent at once that our landing area is suspected.
        escalated: conditions that have come to the centre tonight, in words.
    """

    night: date
    asked: Sequence[str]
    refreshed: frozenset[str]
    failed: Mapping[str, str]
    publication: str | None
    astray: Mapping[str, int] = field(default_factory=dict)
    held: tuple[HeldDelivery, ...] = ()
    silent: tuple[str, ...] = ()
    escalated: tuple[str, ...] = ()

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
        return bool(self.failed or self.stale or self.publication or self.astray or self.silent)

    @property
    def fingerprint(self) -> str:
        """Same faults, same fingerprint."""
        held = [each.delivery_id for each in self.held]
        ours = (self.silent, self.escalated)
        told = (sorted(self.failed.items()), self.stale, self.publication, sorted(self.astray.items()), held, *ours)
        return hashlib.sha256("\n".join(map(repr, told)).encode()).hexdigest()


def compose_platform(figures: PlatformFigures, docs_url: str | None = None) -> Message:
    """Words what failed or waits, in English, with the next step."""
    parity = {code: error for code, error in figures.failed.items() if ParityError.__name__ in error}
    others = {code: error for code, error in figures.failed.items() if code not in parity}
    values = {
        "night": figures.night.isoformat(),
        "asked": len(figures.asked),
        "publication": figures.publication,
        "parity": _lines(parity),
        "failed": _lines(others),
        "stale": figures.stale,
        "astray": [f"{place}: {count}" for place, count in sorted(figures.astray.items())],
        "provinces": sorted({*figures.failed, *figures.stale}),
        "at_fault": figures.at_fault,
        "held": [_held(each) for each in figures.held],
        "runbooks": {section: link("error", error, docs_url) for section, error in _RUNBOOKS.items()},
        "silent": figures.silent,
        "escalated": figures.escalated,
    }
    return Message(_subject(figures), render("platform.txt.j2", values))


# What each section of the message is read about, by the error that it tells of.
_RUNBOOKS = {
    "held": "DecisionError", "publication": "AuditError", "parity": "ParityError", "failed": "RegsosekError",
    "astray": "ContractBreachError", "night": "NightFailedError",
}  # fmt: skip


def escalated_lines(told: Mapping[str, Sequence[Told]]) -> tuple[str, ...]:
    """Conditions that have come to the centre, by province, in words."""
    return tuple(
        f"{name_of(code, each.condition)}: since {each.condition.since}, {each.condition.families:,} families, "
        f"{each.condition.severity}"
        for code, of_province in sorted(told.items())
        for each in of_province
    )


def _subject(figures: PlatformFigures) -> str:
    broken = len({*figures.failed, *figures.stale})
    parts = [f"{broken} province{'s' if broken > 1 else ''} failed"] if broken else []
    parts += ["publication at fault"] if figures.publication else []
    parts += [f"{len(figures.silent)} provinces silent at once"] if figures.silent else []
    parts += ["keys astray in landing"] if figures.astray else []
    if figures.held:
        parts.append(f"{len(figures.held)} deliver{'ies' if len(figures.held) > 1 else 'y'} held")
    parts += [f"{len(figures.escalated)} escalated"] if figures.escalated else []
    mark = "PIPELINE FAULT" if figures.at_fault else "DECISION NEEDED" if figures.held else "ESCALATED"
    return f"[{mark}] night {figures.night.isoformat()}: {', '.join(parts)}"


def _held(each: HeldDelivery) -> str:
    shares = "; ".join(
        f"{share.in_error:,} of {share.judged:,} {RULED[share.dataset]} in error, limit {share.limit_percent} %"
        for share in each.exceeded
    )
    return f"{each.province}: {each.delivery_id}, since night {each.night}, {_contents(each)}: {shares}"


def _contents(held: HeldDelivery) -> str:
    return f"{held.messages:,} messages of {held.instrument}" if held.messages else f"{held.families:,} families"


def _lines(errors: Mapping[str, str]) -> list[str]:
    return [f"{code}: {' '.join(error.split())}" for code, error in sorted(errors.items())]
