"""The commands of the nights: receive and publish one, build it again, prove it, list what to correct."""

from datetime import datetime
from typing import Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console, night_of, resources
from regsosek.cli.nights.release import tell_release
from regsosek.cli.options import DAY, CsvOption, DateOption, ProvinceOption, ProvincesOption, ReaderOption
from regsosek.cli.shown_cases import access_of, enter_shown
from regsosek.contract.codebook import STREAMS
from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import province as province_of
from regsosek.night.run_request import chosen
from regsosek.wording.nouns import counted

commands = typer.Typer()


@commands.command()
def migrate() -> None:
    """Bring the warehouse to the newest schema and grant the roles."""
    from regsosek.warehouse import migration

    with resources() as opened:
        added = migration.migrate(opened.account("owner"), opened.settings.hash_keys)
    for column in added:
        console.print(f"added from the codebook: {column}")
    console.print("The warehouse is at the newest schema.")


@commands.command()
def reference() -> None:
    """Load regions, sub-SLS frame and its changes, officers and targets (what the DAG regsosek_reference does)."""
    from regsosek.night.reference import load_reference

    with resources() as opened, console.status("Loading reference data..."):
        loaded = load_reference(opened)
    for each in loaded:
        left = f"; left out or doubtful: {each.faults}" if each.faults else ""
        missing = f"; provinces without a file: {', '.join(each.missing_provinces)}" if each.missing_provinces else ""
        console.print(f"{each.dataset} {each.version}: {counted(f'{each.rows:,}', 'row', 'rows')}{left}{missing}")


@commands.command()
def night(
    date_: DateOption = None,
    province: ProvincesOption = None,
    alerts: Annotated[bool, typer.Option(help="Send the digests.")] = True,
    reopen: Annotated[str, typer.Option(help="Reason for discovering a sealed night again.")] = "",
) -> None:
    """Receive, publish and tell: one whole night. Ends with 1 if something of ours failed."""
    from regsosek.cli.nights.progress import receiving
    from regsosek.night.nightly import run_night
    from regsosek.night.replaying import reopen as reopen_night

    codes, when = chosen(province), night_of(date_)
    with resources() as opened, receiving(console, len(codes)) as announce:
        if reopen:
            for code in codes:
                reopen_night(opened, code, when, reopen)
        report = run_night(opened, when, codes, alerts=alerts, announce=announce)
    found = report.outcome
    for waiting in found.held:
        console.print(f"[yellow]{waiting}")
    if report.published is not None:
        tell_release(report.published)
    if not found.whole:
        console.print(f"[red]provinces that failed: {len(found.failed)}; publication: {found.publication or 'done'}")
        raise typer.Exit(EXIT_FAILED)


@commands.command()
def replay(
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="First night to build again.")],
    province: ProvincesOption = None,
) -> None:
    """Forget nights and build them again from the archive; nothing is published, nobody is told."""
    from regsosek.night import replaying

    with resources() as opened:
        replaying.replay(opened, first.date(), chosen(province), announce=console.print)


@commands.command()
def audit(
    full: Annotated[bool, typer.Option("--full", help="Audit now; without it, show the last audit.")] = False,
    province: ProvincesOption = None,
) -> None:
    """Prove the newest release again from the whole log and all archived files (what the DAG regsosek_audit does)."""
    from regsosek.night import auditing

    with resources() as opened:
        if full:
            for code in chosen(province):
                with console.status(f"Auditing province {code}..."):
                    auditing.audit(opened, code)
            auditing.conclude(opened, chosen(province))
        standing, found = auditing.results(opened)
    for code, faults in found.items():
        for line in faults or (f"province {code} holds",):
            console.print(line)
    console.print(f"Release {standing.release_id}: {len(found)} audited, the nation counted as one.")
    if any(found.values()):
        raise typer.Exit(EXIT_FAILED)


@commands.command()
def quarantine(
    province: ProvinceOption,
    rule: Annotated[str, typer.Option(help="Only cases that break this rule.")] = "",
    dataset: Annotated[str, typer.Option(help=f"keluarga, or a stream: {', '.join(STREAMS)}.")] = "keluarga",
    output: CsvOption = None,
    by: ReaderOption = "",
) -> None:
    """List the families, or messages of a stream, that a province must correct: keys and rules, no answers."""
    from regsosek.asking.quarantine import QUARANTINED, quarantined_cases
    from regsosek.asking.tables.night_tables import SHOWN_CASES, quarantine_table, write_quarantine

    code = province_of(province).code
    if dataset not in QUARANTINED:
        raise ConfigurationError(f"dataset {dataset!r} is none; write one of {', '.join(QUARANTINED)}")
    access = access_of("command_quarantine_file" if output else "command_quarantine", by, dataset)
    with resources() as opened, opened.engine.connect() as connection:
        cases = list(quarantined_cases(connection, code, rule, dataset=dataset))
        shown = cases if output else cases[:SHOWN_CASES]
        enter_shown(opened, access, code, (case.case_id for case in shown))
    if output:
        write_quarantine(cases, output)
        console.print(f"{counted(len(cases), 'case', 'cases')} written to {output}")
    else:
        console.print(quarantine_table(code, cases))
