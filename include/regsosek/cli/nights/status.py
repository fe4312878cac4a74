"""``regsosek status``: how was last night, on one screen, as JSON, and as an exit code."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from regsosek.cli.common import console, resources
from regsosek.cli.messages.watchdog import EXIT_BLIND, EXIT_FAULT, EXIT_GOOD, show_findings
from regsosek.cli.options import DAY
from regsosek.errors import EngineFaultError, NoNightError
from regsosek.geography.planning import windows_of

if TYPE_CHECKING:
    from regsosek.asking.last_night import LastNight
    from regsosek.release.lifecycle.current_release import StandingRelease
    from regsosek.watchdog.rounds import Round

SCHEMA = 1  # of the JSON; docs/status.md says what may change without another number
commands = typer.Typer()


@commands.command()
def status(
    date_: Annotated[
        datetime | None,
        typer.Option("--date", formats=DAY, help="Night D, YYYY-MM-DD; default: the last processed one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON (docs/status.md).")] = False,
) -> None:
    """Show how a night went: ends with 0 if all is well, 1 if something of ours failed, 2 if nobody can tell."""
    from regsosek.settings import load_settings
    from regsosek.watchdog.rounds import watch

    found = watch(load_settings(), datetime.now(UTC), "command", tell=False)
    try:
        night, standing, table = _night(date_)
    except (EngineFaultError, NoNightError) as error:
        _tell_blind(error, found, as_json=as_json)
        raise typer.Exit(EXIT_BLIND) from None
    code = EXIT_FAULT if night.problems or found.at_fault else EXIT_GOOD
    if as_json:
        _write(_document(night, found, code))
    else:
        _show(night, standing, table, found)
    raise typer.Exit(code)


def _night(given: datetime | None) -> tuple["LastNight", "StandingRelease | None", Table]:
    from regsosek.asking.last_night import last_night, newest_night
    from regsosek.asking.night_history import province_lines, scale_of_reference
    from regsosek.asking.tables.night_tables import night_table
    from regsosek.watchdog.observing.store_view import open_store

    with resources() as opened, opened.engine.connect() as connection:
        settings = opened.settings
        when = given.date() if given else newest_night(connection)
        windows = windows_of(settings)
        night, standing = last_night(connection, open_store(settings), settings.release_bucket, when, windows)
        lines, scale = province_lines(connection, when), scale_of_reference(connection)
    return night, standing, night_table(when, lines, scale, windows)


def _show(night: "LastNight", standing: "StandingRelease | None", table: Table, found: "Round") -> None:
    from regsosek.asking.tables.night_tables import night_words

    console.print(table)
    for line in night_words(night):
        console.print(line, highlight=False)
    console.print(standing.release_words if standing else "Readers see no release.", highlight=False)
    if standing:
        console.print(standing.forecast_words, highlight=False)
    if found.objective:
        console.print(found.objective.words, highlight=False)
    for problem in night.problems:
        console.print(escape(problem), style="red", highlight=False)
    show_findings(found)


def _tell_blind(error: Exception, found: "Round", *, as_json: bool) -> None:
    if as_json:
        _write({"schema": SCHEMA, "night": None, "exit_code": EXIT_BLIND, "problems": [str(error)], **_looked(found)})
        return
    console.print(escape(f"Nobody can tell: {error}"), style="red", highlight=False)
    show_findings(found)


def _document(night: "LastNight", found: "Round", code: int) -> dict[str, Any]:
    told = {"schema": SCHEMA, "exit_code": code, "problems": list(night.problems)}
    return told | night.model_dump(mode="json") | _looked(found)


def _looked(found: "Round") -> dict[str, Any]:
    objective = found.objective
    return {
        "objective": objective
        and {
            "due": objective.due, "in_time": objective.in_time, "missed": [str(each) for each in objective.missed],
            "days": objective.days, "percent": objective.percent, "met": objective.met,
        },
        "watchdog": {
            "findings": [
                {
                    "kind": each.kind, "subject": each.subject, "detail": each.detail,
                    "severity": each.traits.severity, "silenced": each.key in found.silenced,
                    "since": found.since[each.key].isoformat() if each.key in found.since else None,
                }
                for each in found.findings
            ],
            "last_rounds": {name: at.isoformat() for name, at in found.watchers.items()},
        },
    }  # fmt: skip


def _write(document: dict[str, Any]) -> None:
    """Plain, whatever the terminal: programs read it."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
