"""Records of the log with their fields: JSON lines or a person's text on the command line, and Airflow's own in tasks.

In a task Airflow merges the fields of :mod:`regsosek.telemetry.context` into every record by itself (structlog); the
guard is put before its last processor.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from rich.console import Console
from rich.logging import RichHandler
from structlog.stdlib import ProcessorFormatter

from regsosek.faults import without_words
from regsosek.telemetry.context import FIELDS
from regsosek.telemetry.guard import masked, masked_value
from regsosek.telemetry.measures import values_masked

LogFormat = Literal["text", "json"]


class GuardedRecord(logging.LogRecord):
    """A record of the standard library's log that no error of a database reaches with its words."""

    def __init__(self, *values: Any, **named: Any) -> None:
        """See :class:`logging.LogRecord`."""
        super().__init__(*values, **named)
        if isinstance(self.args, tuple):
            self.args = tuple(without_words(each) if isinstance(each, BaseException) else each for each in self.args)
        if isinstance(self.msg, BaseException):
            self.msg = without_words(self.msg)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_info = _exc_info(without_words(self.exc_info[1]))


def _exc_info(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    return type(error), error, error.__traceback__


def withhold(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog, the first: errors of databases go on without their words, as in a record."""
    given = event.get("exc_info")
    if given is True:
        given = sys.exc_info()[1]
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exc_info"] = _exc_info(without_words(error))
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = without_words(value)
    return event


def guard(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: the record without values that look personal; ``masked`` says how many there were."""
    if event.get("exc_info"):  # a renderer of text would write it out after the guard
        event = structlog.processors.format_exc_info(_logger, _method, event)
    guarded, taken = masked_value({name: value for name, value in event.items() if not name.startswith("_")})
    if not taken:
        return event
    values_masked(taken)
    event.update(guarded, masked=taken)
    return event


class GuardedText(logging.Formatter):
    """A person's line: the message, the fields but for the run, and an exception; guarded."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that the base class gives it
        """See :class:`logging.Formatter`."""
        known = structlog.contextvars.get_contextvars()
        fields = " ".join(f"{name}={known[name]}" for name in FIELDS if name in known and name != "run")
        text = super().formatMessage(record)
        return f"{text} [{fields}]" if fields else text

    def format(self, record: logging.LogRecord) -> str:
        """See :class:`logging.Formatter`."""
        text, taken = masked(super().format(record))
        if taken:
            values_masked(taken)
        return text


def text_handler(console: Console) -> logging.Handler:
    """Writes what a person reads."""
    handler = RichHandler(console=console, show_path=False, markup=False)
    handler.setFormatter(GuardedText("%(message)s"))
    return handler


def json_handler(stream: TextIO) -> logging.Handler:
    """Writes one JSON object a line: ``timestamp`` (UTC), ``level``, ``logger``, ``event``, fields, ``exception``."""
    formatter = ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            guard,
            structlog.processors.JSONRenderer(default=str),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    return handler


def guard_records() -> None:
    """Guards every record of the standard library's log, whoever writes it and whichever handler takes it."""
    logging.setLogRecordFactory(GuardedRecord)


def guard_structlog() -> None:
    """Puts the guard before the last processor of whatever structlog and its handlers are set up with, once."""
    chain = structlog.get_config()["processors"]
    if withhold not in chain:
        chain.insert(0, withhold)
    if guard not in chain:
        # In place: loggers that were bound before hold the same list.
        chain.insert(len(chain) - 1, guard)
    for formatter in _structlog_formatters():
        if guard not in formatter.processors:
            formatter.processors = (*formatter.processors[:-1], guard, formatter.processors[-1])


def _structlog_formatters() -> Iterator[ProcessorFormatter]:
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, ProcessorFormatter):
            yield handler.formatter
