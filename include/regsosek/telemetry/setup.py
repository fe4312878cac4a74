"""All that a process says of itself while it works on a run: opened at the edge, by the command line and by tasks."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from regsosek.telemetry import lineage, measures
from regsosek.telemetry.context import within
from regsosek.telemetry.logs import guard_records, guard_structlog

log = logging.getLogger(__name__)


@contextmanager
def telling(job: str, run: str, environ: Mapping[str, str]) -> Iterator[None]:
    """What a process says while it works on a ``run`` of ``job``: of the scheduler's, or a command.

    Records inside carry the run and are guarded; measures and lineage leave for where ``environ`` says, if anywhere.
    Nothing that goes wrong with telemetry is raised, and it holds the end of the process for seconds at most.
    """
    guard_records()
    guard_structlog()
    with ExitStack() as stack:
        stack.enter_context(within(run=run))
        if measures.wanted(environ):
            _try_exporting(stack, environ)
        if lineage.wanted(environ):
            stack.enter_context(lineage.emitting(environ, lineage.ParentRun.of(job, run)))
        yield


def _try_exporting(stack: ExitStack, environ: Mapping[str, str]) -> None:
    from regsosek.telemetry.exporting import exporting  # noqa: PLC0415 - imports protobuf and requests

    try:
        stack.enter_context(exporting(environ))
    except Exception as error:  # noqa: BLE001 - malformed variables of the exporter
        log.warning("no measures are sent: the exporter refuses its configuration (%s)", type(error).__name__)
