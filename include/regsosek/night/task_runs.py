"""What the scheduler calls this process, from the environment of every task: noted, so that logs are found."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION
from regsosek.night.receiving.stopwatch import Stopwatch
from regsosek.resources import Resources
from regsosek.warehouse.nights import task_runs
from regsosek.warehouse.nights.task_runs import TaskRun, note_ended, note_started

NOT_MAPPED = -1
DAG_VARIABLE, RUN_VARIABLE = "AIRFLOW_CTX_DAG_ID", "AIRFLOW_CTX_DAG_RUN_ID"
_NAMED = (DAG_VARIABLE, RUN_VARIABLE, "AIRFLOW_CTX_TASK_ID")


def map_index_of(province: str) -> int:
    """Which of the instances mapped over all provinces works on ``province``: they are mapped in order of code."""
    return [each.code for each in provinces()].index(province)


def this_task(night: date, province: str, environ: Mapping[str, str]) -> TaskRun | None:
    """The task instance that this process is; none outside of a scheduler."""
    if not all(variable in environ for variable in _NAMED):
        return None
    dag_id, run_id, task_id = (environ[variable] for variable in _NAMED)
    map_index = NOT_MAPPED if province == NATION else map_index_of(province)
    return TaskRun(
        province, night, dag_id, run_id, task_id, map_index, try_number=int(environ.get("AIRFLOW_CTX_TRY_NUMBER", "1"))
    )


@contextmanager
def noted(resources: Resources, night: date, province: str = NATION) -> Iterator[None]:
    """Notes which task instance works on ``night`` of ``province`` (default: of the nation), and what it took."""
    run, watch = this_task(night, province, os.environ), Stopwatch()
    if run is None:
        yield
        return
    with resources.loader.begin() as connection:
        note_started(connection, run)
    try:
        with watch.step(run.task_id):
            yield
    finally:
        with resources.loader.begin() as connection:
            note_ended(connection, run, watch.spent[run.task_id])


def note_conclusion(resources: Resources, night: date, sentence: str) -> None:
    """Notes what this task says of the whole run, for the run's note."""
    run = this_task(night, NATION, os.environ)
    if run is not None:
        with resources.loader.begin() as connection:
            task_runs.note_sentence(connection, run, sentence)
