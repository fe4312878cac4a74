"""Which task instance worked on a night of a province, so that whoever looks at the night finds its log."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from regsosek.warehouse.nights.ledger import Spent
from regsosek.warehouse.tables import task_run


@dataclass(frozen=True)
class TaskRun:
    """A task instance, as the scheduler names it, at work on a night of a province (of the nation: ``00``).

    Attributes:
        map_index: which of the mapped instances; -1 of a task that is not mapped.
        seconds: None while it works, and for good if it was killed.
        told: what it says of the whole run, where it does.
    """

    province: str
    night: date
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    started_at: datetime | None = None
    seconds: float | None = None
    peak_rss_bytes: int | None = None
    told: str | None = None


_KEY = ("province", "night", "dag_id", "run_id", "task_id")


def note_started(connection: Connection, run: TaskRun) -> None:
    """Notes that a task instance has begun; a later try of it takes the place of the one before."""
    key = {name: getattr(run, name) for name in _KEY}
    values = {"map_index": run.map_index, "try_number": run.try_number, "started_at": func.now()}
    begun = {**values, "seconds": None, "peak_rss_bytes": None, "told": None}
    statement = insert(task_run).values(**key, **begun)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=begun))


def note_ended(connection: Connection, run: TaskRun, spent: Spent) -> None:
    """Notes what the task instance took, whether or not it came to a good end."""
    connection.execute(update(task_run).where(*_own(run)).values(**vars(spent)))


def note_sentence(connection: Connection, run: TaskRun, sentence: str) -> None:
    """Notes what the task instance says of the whole run."""
    connection.execute(update(task_run).where(*_own(run)).values(told=sentence))


def _own(run: TaskRun) -> list[ColumnElement[bool]]:
    return [task_run.c[name] == getattr(run, name) for name in _KEY]


def task_runs(connection: Connection, nights: list[date], provinces: list[str]) -> list[TaskRun]:
    """The task instances that worked on some nights of some provinces, the latest first."""
    query = (
        select(task_run)
        .where(task_run.c.night.in_(nights), task_run.c.province.in_(provinces))
        .order_by(task_run.c.started_at.desc(), task_run.c.province)
    )
    return [TaskRun(**row._mapping) for row in connection.execute(query)]
