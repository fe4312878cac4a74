"""What every command has at hand: the terminal, the resources, the night that is meant, and who asks."""

import os
import pwd
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from ulid import ULID

from regsosek.errors import DecisionError
from regsosek.faults import edge
from regsosek.geography.calendar import default_night
from regsosek.night.run_request import refuse_future
from regsosek.telemetry.context import current

if TYPE_CHECKING:
    from regsosek.resources import Resources

EXIT_FAILED = 1
# How a command ends itself, and how it refuses an argument.
# Where a person would have a shell; and 16 digits would be a NIK.
_NO_LOGIN = frozenset({"nologin", "false"})
_NAME = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9._@-]{1,60}")
ENDS = (typer.Exit, typer.Abort, typer.BadParameter)
# A pipe or a log has no width of its own; the tables need a hundred columns.
console = Console(width=None if sys.stdout.isatty() else 110)


@contextmanager
def resources() -> Iterator["Resources"]:
    """Settings, warehouse and object storage; what fails while they are open leaves typed."""
    from regsosek.resources import open_resources
    from regsosek.settings import load_settings
    from regsosek.telemetry.setup import telling

    with (
        telling("regsosek", current("run") or str(ULID()), os.environ),
        edge("warehouse", passing=ENDS),
        open_resources(load_settings()) as opened,
    ):
        yield opened


def night_of(given: datetime | None) -> date:
    """The night asked for, else the one that the schedule would take now."""
    now = datetime.now(UTC)
    if given is None:
        return default_night(now)
    refuse_future(given.date(), now)
    return given.date()


def operator(named: str) -> str:
    """Who decides, for the record: who is named, and the account that this process runs under.

    Raises:
        DecisionError: nobody is named and the account is a service's, or what is named is no name of an account.
    """
    account, person = _account()
    if not named and not person:
        raise DecisionError(f"{account} is the account of a service, and a person decides: say who, with --by")
    if named and not _NAME.fullmatch(named):
        raise DecisionError("--by takes the name of an account: letters, digits, . _ @ and -, up to 60")
    return f"{named} as {account}" if named and named != account else account


def _account() -> tuple[str, bool]:
    """The account of this process, and whether a person logs in to it."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return f"uid {os.getuid()}", False
    return entry.pw_name, Path(entry.pw_shell).name not in _NO_LOGIN
