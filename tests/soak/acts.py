"""What is done to a warehouse, in a process of its own that may be killed: nights, decisions, replays, releases."""

import logging
import multiprocessing
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from unittest.mock import patch

from regsosek.alerts.sending import send_due
from regsosek.errors import DecisionError
from regsosek.night import deciding, nightly, replaying
from regsosek.night.discovery import applicable_rules
from regsosek.quality.rules import load_suites
from regsosek.release import build
from regsosek.release.audit import audit
from regsosek.release.files import workbook
from regsosek.release.lifecycle.pointer import seen
from regsosek.release.lifecycle.rollback import roll_back
from regsosek.release.site.addresses import NATION_PAGE
from regsosek.resources import Resources, open_resources
from regsosek.settings import Settings
from support.worlds.field_world import CompiledJudge

LEFT_OUT = b"left out by a soak"
REASON = "soak"


@dataclass(frozen=True)
class Act:
    """One operation. ``subject``: the delivery of ``owner`` that is decided, or the release that is rolled back."""

    kind: str
    night: date
    provinces: tuple[str, ...]
    subject: str = ""
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.night} {self.subject}".strip()


def night(resources: Resources, act: Act) -> None:
    nightly.run_night(resources, act.night, act.provinces).outcome.require_whole()


def _decide(decide: deciding.Decide, resources: Resources, act: Act) -> None:
    """As the command does; what is decided already is carried out by the night, as the refusal advises."""
    suites = load_suites(resources.settings.expectations_dir)
    with suppress(DecisionError):
        decide(resources, act.owner, act.subject, suites, by=REASON, reason=REASON)
    night(resources, act)


def reopen(resources: Resources, act: Act) -> None:
    for province in act.provinces:
        replaying.reopen(resources, province, act.night, REASON)
    night(resources, Act("night", act.night, act.provinces))


def rollback(resources: Resources, act: Act) -> None:
    """Once: a second call would go back further."""
    bucket = resources.settings.release_bucket
    standing = seen(resources.store, bucket)
    if standing is not None and standing.release_id == act.subject:
        roll_back(resources.publisher, resources.store, bucket, by=REASON, reason=REASON)


def replay(resources: Resources, act: Act) -> None:
    replaying.replay(resources, act.night, act.provinces)


def release(resources: Resources, act: Act) -> None:
    nightly.release(resources, act.night)


KINDS: dict[str, Any] = {
    "night": night,
    "free": partial(_decide, deciding.free),
    "reject": partial(_decide, deciding.reject),
    "reopen": reopen,
    "rollback": rollback,
    "replay": replay,
    "release": release,
}


def _in_a_hurry(now: datetime) -> None:
    """Few rules, of the site the nation's page alone, and a clock that goes on past every pause of sending."""
    applicable_rules.Judge = CompiledJudge  # type: ignore[misc]
    audit.rule_faults = lambda _rules, _files: []  # type: ignore[attr-defined]
    build.site = lambda *_: {NATION_PAGE: LEFT_OUT}  # type: ignore[attr-defined]
    workbook.workbook = lambda _night, _tables: LEFT_OUT
    for module in (nightly, deciding):
        module.deliver = partial(send_due.deliver, now=now)  # type: ignore[attr-defined]


def _carry_out(settings: Settings, act: Act, now: datetime, log: Path, begun: Event) -> None:
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(asctime)s %(process)d %(name)s %(message)s")
    _in_a_hurry(now)
    begun.set()
    try:
        with open_resources(settings) as resources:
            KINDS[act.kind](resources, act)
    except Exception as error:
        logging.getLogger("soak").exception("%s failed", act)
        raise SystemExit(1) from error


@cache
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(sys.path)}):
        forkserver.ensure_running()
    return context


def start(settings: Settings, act: Act, now: datetime, log: Path) -> BaseProcess:
    """Starts ``act``; returns once it has begun."""
    begun: Event = _context().Event()
    process: BaseProcess = _context().Process(target=_carry_out, args=(settings, act, now, log, begun))
    process.start()
    begun.wait(60)
    return process
