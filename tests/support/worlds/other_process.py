"""A province's night in a process of its own that dies or waits at a step: what a test cannot do to itself."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any
from unittest.mock import patch

from regsosek.night.discovery.sealing import reopen_night
from regsosek.night.replaying import replay
from regsosek.quality.rules import Suite
from regsosek.resources import open_resources
from regsosek.settings import Settings
from support.worlds.field_world import CompiledJudge, FieldWorld

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Step:
    """The ``call``-th call of the function that ``place`` names, and whether it is stopped before or after it."""

    place: str
    call: int = 1
    before: bool = False

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} {self.place.rpartition('.')[2]} {self.call}"


@dataclass(frozen=True)
class Wait:
    """Where a process waits: it tells ``reached`` and goes on at ``go``."""

    reached: Event
    go: Event

    def __call__(self) -> None:
        self.reached.set()
        self.go.wait(PATIENCE_SECONDS)


def die() -> None:
    """Ends this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def interrupted(step: Step, interruption: Callable[[], None]) -> Iterator[None]:
    """Calls ``interruption`` at ``step``."""
    module, _, name = step.place.rpartition(".")
    original, calls = getattr(sys.modules[module], name), 0

    def wrapped(*args: Any, **values: Any) -> Any:
        nonlocal calls
        calls += 1
        if step.before and calls == step.call:
            interruption()
        result = original(*args, **values)
        if not step.before and calls == step.call:
            interruption()
        return result

    with patch(step.place, wrapped):
        yield


def _night(
    settings: Settings,
    suites: Mapping[str, Suite],
    night: date,
    province: str,
    step: Step,
    stop: Callable[[], None],
    reopened: str,
) -> None:
    with open_resources(settings) as resources, interrupted(step, stop):
        if reopened:
            reopen_night(resources, province, night, suites, reopened)
        FieldWorld(resources, suites).run(night, province=province)


def _replay(settings: Settings, first: date, province: str, step: Step, stop: Callable[[], None]) -> None:
    with (
        open_resources(settings) as resources,
        interrupted(step, stop),
        patch("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge),
    ):
        replay(resources, first, [province])


def _context() -> Any:
    # One server imports the pipeline once; every night is a fork of it, clean of the test's own connections.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(sys.path)}):
        forkserver.ensure_running()
    return context


def start_night(
    world: FieldWorld, night: date, province: str, step: Step, stop: Callable[[], None], *, reopened: str = ""
) -> BaseProcess:
    """Starts the night of ``province``, reopened if a reason is given, in a process that meets ``stop`` at ``step``."""
    values = (world.resources.settings, world.suites, night, province, step, stop, reopened)
    process: BaseProcess = _context().Process(target=_night, args=values)
    process.start()
    return process


def start_replay(world: FieldWorld, first: date, province: str, step: Step, stop: Callable[[], None]) -> BaseProcess:
    """Starts a replay of ``province`` from ``first`` in a process that meets ``stop`` at ``step``."""
    values = (world.resources.settings, first, province, step, stop)
    process: BaseProcess = _context().Process(target=_replay, args=values)
    process.start()
    return process


@contextmanager
def waiting_night(world: FieldWorld, night: date, province: str, step: Step) -> Iterator[BaseProcess]:
    """A night of ``province`` that stands still at ``step`` inside the block, and is over well after it."""
    context = _context()
    wait = Wait(context.Event(), context.Event())
    process = start_night(world, night, province, step, wait)
    try:
        assert wait.reached.wait(PATIENCE_SECONDS), f"{step} was not reached"
        yield process
    finally:
        wait.go.set()
        process.join(PATIENCE_SECONDS)
    assert process.exitcode == 0
