"""What every command has at hand: the terminal, the house, the night that is meant, and who asks."""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from ulid import ULID

from regsosek.faults import edge
from regsosek.geography.calendar import default_night
from regsosek.night.run_request import refuse_future
from regsosek.telemetry.context import current

if TYPE_CHECKING:
    from regsosek.night.house import House

EXIT_FAILED = 1
# How a command ends itself, and how it refuses an argument.
ENDS = (typer.Exit, typer.Abort, typer.BadParameter)
# A pipe or a log has no width of its own; the tables need a hundred columns.
console = Console(width=None if sys.stdout.isatty() else 110)


@contextmanager
def house() -> Iterator["House"]:
    """Settings, warehouse and object storage; what fails while they are open leaves typed."""
    from regsosek.night.house import open_house
    from regsosek.settings import load_settings
    from regsosek.telemetry.telling import telling

    with (
        telling("regsosek", current("run") or str(ULID()), os.environ),
        edge("warehouse", passing=ENDS),
        open_house(load_settings()) as opened,
    ):
        yield opened


def night_of(given: datetime | None) -> date:
    """The night asked for, else the one that the schedule would take now."""
    now = datetime.now(UTC)
    if given is None:
        return default_night(now)
    refuse_future(given.date(), now)
    return given.date()


def operator() -> str:
    """The account that this process runs under: who decided, for the record."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
