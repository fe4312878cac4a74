"""Where personal data is looked for after a night: the log, every table that is not restricted, what was released."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import getLogRecordFactory

from regsosek.telemetry.logs import guard_records
from support.worlds.field_world import FieldWorld


@dataclass
class Remembered(logging.Handler):
    """Keeps every line of the log, tracebacks included."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))

    __hash__ = logging.Handler.__hash__


@contextmanager
def remembered() -> Iterator[Remembered]:
    """Keeps the log while it is entered, guarded as commands and tasks have it: of ours all, of others from INFO on."""
    handler, loggers, factory = (
        Remembered(),
        (logging.getLogger(), logging.getLogger("regsosek")),
        getLogRecordFactory(),
    )
    guard_records()
    former = [each.level for each in loggers]
    loggers[0].addHandler(handler)
    loggers[0].setLevel(logging.INFO)
    loggers[1].setLevel(logging.DEBUG)
    yield handler
    logging.setLogRecordFactory(factory)
    loggers[0].removeHandler(handler)
    for each, level in zip(loggers, former, strict=True):
        each.setLevel(level)


def open_tables(world: FieldWorld) -> dict[str, str]:
    """Every value of every table that is not restricted, by table."""
    tables = world.rows(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN "
        "('ledger', 'core', 'stream', 'quality', 'mart', 'release', 'alert') AND tablename <> 'alembic_version'"
    )
    return {
        name: "\n".join(row for (row,) in world.rows(f"SELECT to_jsonb(t)::text FROM {name} t")) for (name,) in tables
    }


def released(world: FieldWorld) -> dict[str, bytes]:
    """Every object of the release bucket."""
    bucket, store = world.resources.settings.release_bucket, world.resources.store
    keys = [found.key for found in store.list_objects(bucket, "")]
    return {key: store.get_bytes(bucket, key, max_bytes=10**8) or b"" for key in keys}
