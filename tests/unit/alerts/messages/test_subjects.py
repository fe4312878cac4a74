"""Every subject is whole on a phone, whatever the name of the region, the numbers, and how much there is to tell."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.audit_message import subject_of_audit
from regsosek.alerts.blocked import compose_stopped
from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, Why
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.national_digest import compose_national
from regsosek.alerts.messages.platform_message import PlatformFigures, compose_platform
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.province_stand import ProvinceStand
from regsosek.alerts.messages.subject import MOST_SIGNS, first_fitting
from regsosek.alerts.sending.undelivered import subject_of_undelivered
from regsosek.alerts.sending.unread_mailbox import SUBJECT as UNREAD
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.texts import words_of
from regsosek.alerts.weekly import Precision, Week, compose_week
from regsosek.geography.provinces import provinces
from regsosek.settings import PROJECT_ROOT
from regsosek.warehouse.nights.holding import HeldDelivery
from regsosek.watchdog.due_findings import DueFinding as WatchdogTold
from regsosek.watchdog.due_findings import DueReason as WatchdogWhy
from regsosek.watchdog.finding import Finding
from regsosek.watchdog.finding import FindingKind as WatchdogKind
from regsosek.watchdog.message import Sender, compose
from regsosek.watchdog.state import Memory
from support.worlds.notified_conditions import told

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
TONIGHT = date(2022, 10, 26)  # two digits, as most days of a campaign have
TOLD = [kind for kind in Kind if kind is not Kind.PIPELINE_FAULT]
CODES = [each.code for each in provinces()]
MANY = 1_234_567
LANGUAGES = ["id", "en"]


def told_lists(code: str, kind: Kind) -> Iterator[list[Notification]]:
    """One kind of a province, alone, before all others, ended, and ended beside others."""
    place = Place("provinsi", code)
    first, others = told(kind, place, families=MANY), [told(o, place, families=12_345) for o in TOLD if o is not kind]
    for severity in Severity:
        own = replace(first, condition=replace(first.condition, severity=severity))
        yield from ([own], [own, *others])
    gone = replace(first, why=Why.RECOVERED)
    yield from ([gone], [gone, *others], [gone, *(replace(each, why=Why.RECOVERED) for each in others)])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("longest", [True, False], ids=["the longest names", "one of the others"])
def test_of_a_province(night: Night, context: Context, language: str, longest: bool) -> None:
    """The kinds are the same for all: the names that are longest meet each of them, all others the longest kind."""
    own, by_length = replace(context, language=language), sorted(provinces(), key=lambda each: -len(each.name))
    kinds = TOLD if longest else [max(TOLD, key=lambda kind: len(words_of(own.language).kind(kind).short))]
    for each in by_length[:2] if longest else by_length[2:]:
        named = (each.name, each.name.replace("Kepulauan", "Kep."))
        for kind in kinds:
            for conditions in islice(told_lists(each.code, kind), 0, None, 1 if longest else 3):
                subject = compose_digest(night(province=each.code), conditions, LIMITS, own).subject
                assert len(subject) <= MOST_SIGNS, subject
                assert any(name in subject for name in named) and not subject.endswith("..."), subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("visited", [48_000, 30_000], ids=["good news", "read though nothing is told"])
def test_of_a_province_without_a_problem(night: Night, context: Context, language: str, visited: int) -> None:
    for each in provinces():
        figures = night(province=each.code, visited=visited, kabkota=())
        subject = compose_digest(figures, [], LIMITS, replace(context, language=language)).subject
        assert len(subject) <= MOST_SIGNS and not subject.endswith("..."), subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_the_nation_and_what_is_left_out_of_it_is_no_number_of_provinces(night: Night, language: str) -> None:
    def stand(code: str, severity: Severity) -> ProvinceStand:
        own = (told(Kind.BEHIND, Place("provinsi", code), severity=severity, why=Why.ESCALATED),)
        return ProvinceStand(night(province=code), own)

    stands = {code: stand(code, list(Severity)[n % 2]) for n, code in enumerate(CODES)}
    for faults in ({}, {"failed": {"64": "ObjectStoreError: x"}, "publication": "AuditError: x"}):
        subject = compose_national(stands, ours(**faults), language).subject  # type: ignore[arg-type]  # fields by name
        assert len(subject) <= MOST_SIGNS, subject
        assert "+" not in subject and (not faults or subject.endswith(("dan hal lain", "and more"))), subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_the_platform(language: str) -> None:
    failed = dict.fromkeys(CODES, "ObjectStoreError: x")
    held = (HeldDelivery("33", "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", TONIGHT, TONIGHT, 700, 2100, ()),) * 1000
    all_of_it = {"failed": failed, "publication": "AuditError: x", "held": held, "unrecognised": {"64": MANY},
                 "silent": tuple(CODES), "untold": failed}  # fmt: skip
    for changes in (all_of_it, *({name: value} for name, value in all_of_it.items())):
        message = compose_platform(ours(**changes), None, language)  # type: ignore[arg-type]  # fields by name
        assert len(message.subject) <= MOST_SIGNS and "+" not in message.subject, message.subject


def ours(**changes: object) -> PlatformFigures:
    own = {
        "night": TONIGHT,
        "asked": CODES,
        "refreshed": frozenset(CODES),
        "failed": {},
        "publication": None,
        **changes,
    }
    return PlatformFigures(**own)  # type: ignore[arg-type]  # fields by name


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_of_everything_that_counts_for_the_platform_team(n: int, m: int) -> None:
    week = Week(TONIGHT, (Precision("QUALITY", n, n, m, m, m),), (), (("prov64", n, m),))
    subjects = [
        subject_of_audit("2022-10-24-77346c775bca", n),
        subject_of_undelivered(n, m),
        *(compose_week(week, language).subject for language in ("id", "en")),
        UNREAD,
    ]
    assert max(map(len, subjects)) <= MOST_SIGNS, subjects


def test_of_what_was_stopped() -> None:
    assert len(compose_stopped(TONIGHT, {f"prov{n}": "x" for n in range(10_000)}).subject) <= MOST_SIGNS


@pytest.mark.parametrize("why", WatchdogWhy)
@pytest.mark.parametrize("kind", WatchdogKind)
def test_of_the_watchdog(kind: WatchdogKind, why: WatchdogWhy) -> None:
    now = datetime.now(UTC)
    for which in ("", "64", "dag_processor", "alerts_in_the_outbox"):
        one = WatchdogTold(Finding(kind, "x", which), why, now)
        for several in ([one], [one] * 18):
            subject = compose(several, Memory(), Sender("w", None, ""), now).subject
            assert len(subject) <= MOST_SIGNS and one.finding.traits.title in subject, subject


def test_nothing_is_sent_under_a_subject_that_was_not_fitted() -> None:
    """Whoever composes a message takes its subject from one of the two functions that know the limit."""
    rooms = [PROJECT_ROOT / "include" / "regsosek" / room for room in ("alerts", "watchdog")]
    composing = [path for room in rooms for path in room.rglob("*.py") if "Message" in set(_called(path))]
    assert len(composing) >= 8
    assert [path.name for path in composing if not {"fitting", "first_fitting"} & set(_called(path))] == []


def _called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@given(st.lists(st.text(max_size=200), max_size=4))
def test_the_first_form_that_fits_is_taken_and_no_other(forms: list[str]) -> None:
    taken = first_fitting(forms)
    assert len(taken) <= MOST_SIGNS
    fitting = [each for each in forms if len(each) <= MOST_SIGNS]
    assert taken == fitting[0] if fitting else True
