"""What the steps of a night take: time, and memory of the process that works; also recorded as measures."""

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from regsosek.telemetry.context import within
from regsosek.telemetry.measures import step_taken
from regsosek.warehouse.nights.ledger import Spent

# The kernels do not agree on the unit of ru_maxrss.
_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_rss_bytes() -> int:
    """The most memory that this process has held so far; it never falls, so that a later step shows an earlier peak."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


@dataclass
class Stopwatch:
    """What each step took, by its name."""

    spent: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Adds the time inside to ``name``, and notes the peak of memory at its end."""
        start = time.monotonic()
        try:
            with within(step=name):
                yield
        finally:
            seconds, peak = time.monotonic() - start, peak_rss_bytes()
            self.spent[name].seconds += seconds
            self.spent[name].peak_rss_bytes = peak
            step_taken(name, seconds, peak)
