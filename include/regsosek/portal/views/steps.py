"""How long each step of the last nights took and how much memory its process held, by province, the slowest first."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.geography.regions import NATION
from regsosek.night.task_runs import map_index_of
from regsosek.warehouse.nights.ledger import Spent
from regsosek.warehouse.nights.task_runs import TaskRun, task_runs

# The steps of a delivery in the order in which they are taken (night/receiving/reception.py).
STEPS = ("fetch", "compare", "stage", "judge", "recognise", "load", "flip")
RECEIVE = "receive"


@dataclass(frozen=True)
class ProvinceSteps:
    """What a night took of one province.

    Attributes:
        steps: of all its deliveries together, by name of the step; peaks are the highest of any.
        run: the task instance that received it last; None where none is known.
    """

    province: str
    night: date
    steps: Mapping[str, Spent]
    run: TaskRun | None

    @property
    def seconds(self) -> float:
        """Of all steps together."""
        return sum(each.seconds for each in self.steps.values())

    @property
    def whole(self) -> float:
        """Of the task, with what is no step of a delivery, such as the statistics; of the steps where none is known."""
        return self.seconds if self.run is None or self.run.seconds is None else self.run.seconds

    @property
    def peak_rss_bytes(self) -> int | None:
        """The most memory that a process held; None where it was not measured."""
        known = [each.peak_rss_bytes for each in self.steps.values() if each.peak_rss_bytes]
        of_task = self.run.peak_rss_bytes if self.run is not None else None
        return max([*known, *([of_task] if of_task else [])], default=None)


_TIMINGS = """
SELECT d.province, d.night, t.step, sum(t.seconds) AS seconds, max(t.peak_rss_bytes) AS peak_rss_bytes
FROM ledger.step_timing t
JOIN ledger.delivery d ON d.province = t.province AND d.delivery_id = t.delivery_id
     AND d.reason IS DISTINCT FROM 'id_reused'
WHERE d.night = ANY(:nights) AND d.province = ANY(:provinces) GROUP BY d.province, d.night, t.step
"""


def steps_of_nights(
    connection: Connection, nights: Sequence[date], provinces: Collection[str]
) -> tuple[list[ProvinceSteps], list[TaskRun]]:
    """What the nights took by province, the slowest first; and the tasks of the nation, the latest first."""
    asked: dict[str, Any] = {"nights": list(nights), "provinces": list(provinces)}
    spent: defaultdict[tuple[str, date], dict[str, Spent]] = defaultdict(dict)
    for row in connection.execute(text(_TIMINGS), asked):
        spent[row.province, row.night][row.step] = Spent(row.seconds, row.peak_rss_bytes or 0)
    runs = task_runs(connection, list(nights), [NATION, *provinces])
    received = {(run.province, run.night): run for run in reversed(runs) if run.task_id == RECEIVE}
    found = [ProvinceSteps(*key, spent.get(key, {}), received.get(key)) for key in {*spent, *received}]
    ordered = sorted(found, key=lambda each: (-each.whole, each.province, each.night))
    return ordered, [run for run in runs if run.province == NATION]


def receptions(runs: Sequence[TaskRun], province: str) -> dict[date, TaskRun]:
    """Which task instance received ``province``, by night: the latest of ``runs``, which are its own and the nation's.

    A task that could not even note itself is found through its run, in which the nation's tasks came after it.
    """
    own = [run for run in runs if run.province == province and run.task_id == RECEIVE]
    index = map_index_of(province)
    guessed = [
        TaskRun(province, run.night, run.dag_id, run.run_id, RECEIVE, index, run.try_number)
        for run in runs
        if run.province == NATION
    ]
    found: dict[date, TaskRun] = {}
    for run in (*own, *guessed):
        found.setdefault(run.night, run)
    return found
