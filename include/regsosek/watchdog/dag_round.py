"""A round as the DAG's task calls it: settings from the environment in, counts out."""

from collections import Counter
from datetime import UTC, datetime

from regsosek.scratch import sweep
from regsosek.settings import load_settings
from regsosek.watchdog.rounds import watch


def watch_once(*, scheduled: bool) -> dict[str, int]:
    """Findings by kind; deletes what killed tasks left on this machine's disk.

    Args:
        scheduled: a run asked for by hand looks alone; only the schedule's own proves that the scheduler works.
    """
    settings = load_settings()
    sweep(settings.work_dir)
    found = watch(settings, datetime.now(UTC), "dag", tell=scheduled)
    return dict(Counter(str(each.kind) for each in found.findings))
