"""A round as the DAG's task calls it: settings from the environment in, counts out."""

from collections import Counter
from datetime import UTC, datetime

from regsosek.settings import load_settings
from regsosek.watchdog.rounds import watch


def watch_once(*, scheduled: bool) -> dict[str, int]:
    """Findings by kind.

    Args:
        scheduled: a run asked for by hand looks alone; only the schedule's own proves that the scheduler works.
    """
    found = watch(load_settings(), datetime.now(UTC), "dag", tell=scheduled)
    return dict(Counter(str(each.kind) for each in found.findings))
