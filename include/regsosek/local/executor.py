"""Airflow's LocalExecutor with the heavy libraries imported once, before its workers fork.

Every task then finds them in memory that it shares with its siblings, instead of importing them for seconds on its own.
An executor is the one place that only the scheduler instantiates and that runs right before the fork. The workers are
forked with Airflow's own ``gc.freeze``, which keeps the shared pages shared.
"""

import importlib
import logging
import time

from airflow.executors.local_executor import LocalExecutor

from regsosek.local.preloading import PRELOADED

log = logging.getLogger(__name__)


class PreloadingLocalExecutor(LocalExecutor):  # type: ignore[misc]  # Airflow is not followed by mypy
    """Imports ``PRELOADED``, then starts as LocalExecutor does."""

    def start(self) -> None:
        """Imports, then forks the workers."""
        started = time.monotonic()
        for module in PRELOADED:
            importlib.import_module(module)
        log.info("imported %d modules before the workers fork, in %.1f s", len(PRELOADED), time.monotonic() - started)
        super().start()
