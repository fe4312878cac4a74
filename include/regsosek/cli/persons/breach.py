"""The commands for an incident with personal data: `regsosek breach template`, `regsosek breach report`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from regsosek.cli.common import console, resources
from regsosek.cli.options import ReaderOption
from regsosek.cli.shown_cases import access_of, enter_looked_up, enter_shown
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from regsosek.privacy.records.incident import Incident
    from regsosek.resources import Resources

IncidentOption = Annotated[
    Path, typer.Option("--incident", help="What is known, as TOML; `breach template` gives one.")
]
LanguageOption = Annotated[Literal["id", "en"], typer.Option("--lang", help="Of the report.")]
FileOption = Annotated[Path | None, typer.Option("--output", help="Write the report here, readable by you alone.")]
CasesOption = Annotated[
    Path | None, typer.Option("--cases", help="Write the keys of the cases here (CSV, readable by you alone).")
]
commands = typer.Typer(
    name="breach", help="An incident with personal data: what the law wants told.", no_args_is_help=True
)


@commands.command()
def template() -> None:
    """Print an incident file to fill in."""
    from regsosek.privacy.records.incident import incident_template

    typer.echo(incident_template(), nl=False)


@commands.command()
def report(
    incident: IncidentOption,
    language: LanguageOption = "id",
    output: FileOption = None,
    cases: CasesOption = None,
    by: ReaderOption = "",
) -> None:
    """Tell which data of whom were exposed, when and how, and what is done: in counts, without personal data."""
    from regsosek.privacy.records.affected import find_affected
    from regsosek.privacy.records.breach import breach_report, reports_made
    from regsosek.privacy.records.incident import read_incident
    from regsosek.privacy.trail.person_trail import require_reader
    from regsosek.scratch import open_private

    known = read_incident(incident)
    access = access_of("command_breach", by, known.reference)
    with resources() as opened, opened.account("owner").begin() as connection:
        require_reader(connection)
        affected = find_affected(connection, opened.settings.trail_secrets, known)
        made = reports_made(connection, known.reference)
        enter_looked_up(opened, access)
        listed = _write_cases(opened, connection, known, cases, by) if cases else 0
    told = breach_report(known, affected, made, datetime.now(UTC), language)
    if output:
        with open_private(output) as file:
            file.write(told)
        console.print(f"The report: {output}")
    else:
        typer.echo(told)
    if cases:
        console.print(f"{counted(f'{listed:,}', 'case', 'cases')}, for those who tell the persons: {cases}")


def _write_cases(opened: "Resources", connection: "Connection", known: "Incident", path: Path, by: str) -> int:
    """Writes the cases, province by province, each entered in the trail before."""
    from regsosek.privacy.records.affected import listed_by_province
    from regsosek.scratch import open_private
    from regsosek.wording.spreadsheet import Spreadsheet

    access, listed = access_of("command_breach_file", by, known.reference), 0
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(("province", "id_dokumen", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "state"))
        for province, rows in listed_by_province(connection):
            enter_shown(opened, access, province, [row.case_id for row in rows])
            writer.writerows(rows)
            listed += len(rows)
    return listed
