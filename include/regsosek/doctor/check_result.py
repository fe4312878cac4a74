"""What a check found, and how to mend it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from regsosek.doctor.surroundings import Surroundings


class Verdict(StrEnum):
    """As it is printed; SKIP: it could not be checked, because of what it rests on."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the doctor's report.

    Attributes:
        found: how it is, without secrets and personal data.
        fix: what to do about it; empty where nothing is to be done.
    """

    verdict: Verdict
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """One thing to look at.

    Attributes:
        name: unique, as it is printed.
        examine: looks; whatever it raises becomes a finding.
        settings: fields that must be well-formed before it can look.
        after: names of checks that must not have failed before it can look.
    """

    name: str
    examine: Callable[[Surroundings], CheckResult]
    settings: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def ok(found: str) -> CheckResult:
    """All is well."""
    return CheckResult(Verdict.OK, found)


def warn(found: str, fix: str) -> CheckResult:
    """Nights run, but not as they should."""
    return CheckResult(Verdict.WARN, found, fix)


def fail(found: str, fix: str) -> CheckResult:
    """Nights do not run, or come out wrong."""
    return CheckResult(Verdict.FAIL, found, fix)


def skip(found: str) -> CheckResult:
    """It could not be checked."""
    return CheckResult(Verdict.SKIP, found)
