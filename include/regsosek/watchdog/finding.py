"""What the watchdog can find: the kinds of ``kinds.csv``, and one finding."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

KINDS = Path(__file__).parent / "kinds.csv"


class FindingKind(StrEnum):
    """What is the matter; each has a line in ``kinds.csv`` and a runbook."""

    NIGHT_NOT_BEGUN = "NIGHT_NOT_BEGUN"
    NIGHT_UNFINISHED = "NIGHT_UNFINISHED"
    NIGHTS_LOST = "NIGHTS_LOST"
    RELEASE_LATE = "RELEASE_LATE"
    POINTER_ASTRAY = "POINTER_ASTRAY"
    ALERTS_WAITING = "ALERTS_WAITING"
    NOBODY_TOLD = "NOBODY_TOLD"
    PROVINCE_SILENT = "PROVINCE_SILENT"
    NATION_SILENT = "NATION_SILENT"
    WAREHOUSE_DOWN = "WAREHOUSE_DOWN"
    STORE_DOWN = "STORE_DOWN"
    MAIL_DOWN = "MAIL_DOWN"
    AIRFLOW_DOWN = "AIRFLOW_DOWN"
    SCHEDULER_DEAD = "SCHEDULER_DEAD"
    WATCHER_SILENT = "WATCHER_SILENT"
    MEMORY_LOST = "MEMORY_LOST"
    PING_DOWN = "PING_DOWN"
    CHECK_FAILED = "CHECK_FAILED"


class FindingSeverity(StrEnum):
    """``fault``: ours to mend, ends a round with 1; ``notice``: to know, nothing of ours failed."""

    FAULT = "fault"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class KindTraits:
    """A line of ``kinds.csv``: how grave a kind is, and its title in a message."""

    severity: FindingSeverity
    title: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong now.

    Attributes:
        subject: of several of a kind, which one (a province, a component); empty where there is only one.
        detail: what exactly, without personal data, addresses or secrets.
    """

    kind: FindingKind
    detail: str
    subject: str = ""

    @property
    def key(self) -> str:
        """The same as long as it is the same matter."""
        return f"{self.kind}:{self.subject}" if self.subject else str(self.kind)

    @property
    def traits(self) -> KindTraits:
        """Severity and title of its kind."""
        return traits()[self.kind]

    @property
    def at_fault(self) -> bool:
        """Whether it is ours to mend."""
        return self.traits.severity is FindingSeverity.FAULT


@cache
def traits() -> dict[FindingKind, KindTraits]:
    """Every kind's line of ``kinds.csv``."""
    with KINDS.open(encoding="utf-8", newline="") as file:
        return {
            FindingKind(row["kind"]): KindTraits(FindingSeverity(row["severity"]), row["title"])
            for row in csv.DictReader(file)
        }
