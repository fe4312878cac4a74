"""Lineage events on their way: one at a time, beside the work, to whatever the client's own configuration names.

``OPENLINEAGE__TRANSPORT`` (JSON, or its ``OPENLINEAGE__TRANSPORT__*`` parts), ``OPENLINEAGE_URL`` or
``OPENLINEAGE_CONFIG`` say where to; where none is set, or ``OPENLINEAGE_DISABLED`` is true, no event is made.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regsosek.telemetry.measures import telemetry_failed

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent

log = logging.getLogger(__name__)

KIND = "lineage"
WAITING = 200  # events at most: a receiver that takes none must not fill the memory
LAST_SECONDS = 5.0


@dataclass(frozen=True)
class ParentRun:
    """The run of the scheduler's job, or of the command, that everything here is part of."""

    job: str
    run_id: str

    @classmethod
    def of(cls, job: str, run: str) -> "ParentRun":
        """The same id for all processes of the same run of the same job."""
        return cls(job, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job}/{run}")))


@dataclass
class Emitter:
    """A thread that sends events in their order; the first fault is told, the others are counted."""

    client: "OpenLineageClient"
    namespace: str
    parent: ParentRun | None = None
    waiting: "queue.Queue[RunEvent]" = field(default_factory=lambda: queue.Queue(WAITING))
    faults: int = 0

    def __post_init__(self) -> None:
        threading.Thread(target=self._send_all, daemon=True, name=KIND).start()

    def emit(self, make: "Callable[[], RunEvent]") -> None:
        """Makes an event, leaves it to be sent and returns; one that fails or finds no room is dropped and counted."""
        try:
            self.waiting.put_nowait(make())
        except Exception as error:  # noqa: BLE001 - whatever making it asked, the ledger included
            self._fault(type(error).__name__)

    def close(self, seconds: float) -> None:
        """Waits until all events are sent, or for ``seconds``."""
        until = time.monotonic() + seconds
        while self.waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)
        if left := self.waiting.unfinished_tasks:
            self._fault(f"{left} events not sent within {seconds:g} s")

    def _send_all(self) -> None:
        while True:
            event = self.waiting.get()
            try:
                self.client.emit(event)
            except Exception as error:  # noqa: BLE001 - whatever a transport raises: full disk, refused, malformed
                self._fault(type(error).__name__)
            finally:
                self.waiting.task_done()

    def _fault(self, fault: str) -> None:
        self.faults += 1
        telemetry_failed(KIND)
        if self.faults == 1:
            log.warning("lineage is incomplete: %s; later faults are counted in regsosek.telemetry.failures", fault)


_emitter: ContextVar[Emitter | None] = ContextVar("lineage", default=None)


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a transport."""
    if environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    named = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
    return any(value for name, value in environ.items() if name in named or name.startswith("OPENLINEAGE__TRANSPORT"))


@contextmanager
def emitting(environ: Mapping[str, str], parent: ParentRun) -> Iterator[None]:
    """Events of the inside are sent; the last ones are waited for some seconds and no more."""
    from openlineage.client import OpenLineageClient  # noqa: PLC0415 - a third of a second that few processes need

    try:
        emitter = Emitter(OpenLineageClient(), environ.get("OPENLINEAGE_NAMESPACE") or "regsosek", parent)
    except Exception as error:  # noqa: BLE001 - a malformed configuration of the client
        telemetry_failed(KIND)
        log.warning("no lineage: the client's configuration is refused (%s)", type(error).__name__)
        yield
        return
    token = _emitter.set(emitter)
    try:
        yield
    finally:
        emitter.close(LAST_SECONDS)
        _emitter.reset(token)


def current_emitter() -> Emitter | None:
    """What sends events here; None where nobody wants them."""
    return _emitter.get()
