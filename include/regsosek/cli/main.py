"""The ``regsosek`` command: the night and its tools without Airflow, on the same code."""

import logging
import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from ulid import ULID

from local_services.processes import LocalServiceError
from regsosek.cli.common import EXIT_FAILED, console
from regsosek.cli.delivering import contract, simulation
from regsosek.cli.machine import doctor, generate, keys, local, store, warehouse_logins
from regsosek.cli.messages import alerts, digest, watchdog
from regsosek.cli.nights import deliveries, figures, forecast, night, release, status, stream_lists
from regsosek.cli.persons import breach, privacy, retention
from regsosek.errors import DefectError, RegsosekError
from regsosek.faults import typed
from regsosek.telemetry import logs
from regsosek.telemetry.context import within

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
# In the order of the help. A group without a name adds its commands to those of the root.
GROUPS = (
    digest.commands,
    doctor.commands,
    figures.commands,
    stream_lists.commands,
    status.commands,
    watchdog.commands,
    night.commands,
    simulation.commands,
    contract.commands,
    generate.commands,
    local.commands,
    forecast.commands,
    alerts.commands,
    deliveries.commands,
    release.commands,
    privacy.commands,
    breach.commands,
    store.commands,
    keys.commands,
    retention.commands,
    warehouse_logins.commands,
)
for group in GROUPS:
    app.add_typer(group)


@app.callback()
def start(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the log of every step.")] = False,
) -> None:
    """Sets up logging for all commands."""
    logs.guard_records()
    if _log_format() == "json":
        logging.basicConfig(level=logging.WARNING, handlers=[logs.json_handler(sys.stderr)])
        logging.getLogger("regsosek").setLevel(logging.DEBUG if verbose else logging.INFO)
    else:
        logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[logs.text_handler(console)])


def _log_format() -> str:
    return os.environ.get("REGSOSEK_LOG_FORMAT", "text")


def _tell_error(error: RegsosekError | LocalServiceError) -> None:
    """In one line, whatever the format; a defect of ours with its traceback."""
    if isinstance(error, DefectError):
        logging.getLogger(__name__).error("report this with the command", exc_info=error)
    if _log_format() == "json":
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
    else:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False)


def main() -> None:
    """Entry point: what fails is told in one line and ends with 1."""
    code = 0
    with within(run=str(ULID())):
        try:
            app()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else EXIT_FAILED
        except (RegsosekError, LocalServiceError) as error:
            _tell_error(error)
            code = EXIT_FAILED
        except Exception as error:  # noqa: BLE001 - told by kind and place: its words may quote values
            told = typed("regsosek", error)
            told.__cause__ = error
            _tell_error(told)
            code = EXIT_FAILED
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Great Expectations and duckdb-engine keep DuckDB's bindings alive to the end of the interpreter, which would then
    # print a page about leaks over the answer.
    os._exit(code)
