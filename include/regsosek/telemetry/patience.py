"""Patience with receivers of telemetry: what does not end in time goes on alone, and nobody waits for it."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def in_time(do: Callable[[], object], seconds: float, what: str) -> bool:
    """Does it in a thread of its own; whether it came to a good end within ``seconds``."""
    done = threading.Event()

    def run() -> None:
        try:
            do()
            done.set()
        except Exception as error:  # noqa: BLE001 - whatever a receiver's library raises
            log.warning("%s could not be sent: %s", what, type(error).__name__)

    thread = threading.Thread(target=run, daemon=True, name="telemetry")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.warning("%s did not leave within %g s and are not waited for", what, seconds)
    return done.is_set()
