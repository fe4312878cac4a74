"""``regsosek watchdog``: a round from outside of Airflow, for cron, systemd or a container of its own."""

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from regsosek.cli.common import console
from regsosek.errors import RegsosekError

if TYPE_CHECKING:
    from regsosek.watchdog.rounds import Round

EXIT_GOOD, EXIT_FAULT, EXIT_BLIND = 0, 1, 2
log = logging.getLogger(__name__)
commands = typer.Typer()


@commands.command()
def watchdog(
    tell: Annotated[bool, typer.Option(help="Mail, ping and remember; without it, only look.")] = True,
    every: Annotated[int, typer.Option(min=0, help="Seconds between rounds; 0: one round.")] = 0,
) -> None:
    """Look at the nights from outside: ends with 0 if all is well, 1 on a fault, 2 if the round could not run."""
    while every:
        _round(tell=tell)
        time.sleep(every)
    raise typer.Exit(_round(tell=tell))


def _round(*, tell: bool) -> int:
    """A round and its exit code; a round that cannot run pings nobody, so that the dead-man's switch goes off."""
    from regsosek.settings import load_settings
    from regsosek.watchdog.rounds import watch

    try:
        found = watch(load_settings(), datetime.now(UTC), "command", tell=tell)
    except Exception as error:  # noqa: BLE001 - whatever it was: the round did not run, and 2 says so
        why = str(error) if isinstance(error, RegsosekError) else "a fault of the watchdog itself"
        log.error("the watchdog's round did not run: %s: %s", type(error).__name__, why)  # noqa: TRY400 - in one line
        return EXIT_BLIND
    show_round(found)
    return EXIT_FAULT if found.at_fault else EXIT_GOOD


def show_round(found: "Round") -> None:
    """The findings of a round, a line each, what it told, and whom it could not reach."""
    show_findings(found)
    for told in found.told:
        console.print(f"told that it {told.why}: {told.finding.key}", highlight=False)
    for way, why in found.unreached.items():
        console.print(f"[red]not reached: {way}: {why}[/]", highlight=False)
    if found.objective:
        console.print(found.objective.words, highlight=False)


def show_findings(found: "Round") -> None:
    """What the watchdog finds now, a line each."""
    from regsosek.watchdog.message import words_of

    for each in found.findings:
        silenced = " (silenced)" if each.key in found.silenced else ""
        line = escape(words_of(each)) + silenced
        console.print(line, style="red" if each.at_fault else "yellow", highlight=False)
    if not found.findings:
        console.print("Watchdog: nothing is wrong.")
