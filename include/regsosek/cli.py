"""The ``regsosek`` command: the night and its tools without Airflow, on the same code."""

import logging
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from ulid import ULID

from regsosek.cli_alerts import add_alert_commands
from regsosek.cli_deliveries import add_delivery_commands
from regsosek.cli_digest import add_digest_command
from regsosek.cli_doctor import add_doctor_command
from regsosek.cli_figures import add_figure_commands
from regsosek.cli_forecast import add_forecast_commands
from regsosek.cli_outbox import add_outbox_commands
from regsosek.cli_release import add_release_commands, tell_release
from regsosek.cli_status import add_status_command
from regsosek.cli_streams import add_stream_commands
from regsosek.cli_watchdog import add_watchdog_commands
from regsosek.errors import ConfigurationError, RegsosekError
from regsosek.geography.calendar import default_night
from regsosek.geography.provinces import province as province_of
from regsosek.night.run_request import chosen, refuse_future
from regsosek.telemetry import logs
from regsosek.telemetry.context import current, within

if TYPE_CHECKING:
    from regsosek.night.house import House

EXIT_FAILED = 1
# A pipe or a log has no width of its own; the tables need a hundred columns.
console = Console(width=None if sys.stdout.isatty() else 110)
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

NightOption = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="Night D, YYYY-MM-DD; default: yesterday in Jakarta."),
]
ProvinceOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: all 34.")
]


def night_of(given: datetime | None) -> date:
    """The night asked for, else the one that the schedule would take now."""
    now = datetime.now(UTC)
    if given is None:
        return default_night(now)
    refuse_future(given.date(), now)
    return given.date()


@contextmanager
def house() -> Iterator["House"]:
    """Settings, warehouse and object storage."""
    from regsosek.night.house import open_house
    from regsosek.night.nightly import without_values
    from regsosek.settings import load_settings
    from regsosek.telemetry.telling import telling

    with (
        telling("regsosek", current("run") or str(ULID()), os.environ),
        without_values("warehouse"),
        open_house(load_settings()) as opened,
    ):
        yield opened


add_digest_command(app, console, house, night_of)
add_doctor_command(app, console)
add_figure_commands(app, console, house)
add_forecast_commands(app, console, house, night_of)
add_stream_commands(app, console, house, night_of)
add_status_command(app, console, house)
add_watchdog_commands(app, console)


@app.callback()
def start(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the log of every step.")] = False,
) -> None:
    """Sets up logging for all commands."""
    if _log_format() == "json":
        logging.basicConfig(level=logging.WARNING, handlers=[logs.json_handler(sys.stderr)])
        logging.getLogger("regsosek").setLevel(logging.DEBUG if verbose else logging.INFO)
    else:
        logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[logs.text_handler(console)])


def _log_format() -> str:
    return os.environ.get("REGSOSEK_LOG_FORMAT", "text")


@app.command()
def migrate() -> None:
    """Bring the warehouse to the newest schema and grant the roles."""
    from regsosek.warehouse import migration

    with house() as opened:
        added = migration.migrate(opened.engine)
        migration.grant_roles(opened.engine)
    for column in added:
        console.print(f"added from the codebook: {column}")
    console.print("The warehouse is at the newest schema.")


@app.command()
def reference() -> None:
    """Load regions, sub-SLS frame and its changes, officers and targets (what the DAG regsosek_reference does)."""
    from regsosek.night.reference import load_reference

    with house() as opened, console.status("Loading reference data..."):
        loaded = load_reference(opened)
    for each in loaded:
        left = f"; left out or doubtful: {each.faults}" if each.faults else ""
        missing = f"; provinces without a file: {', '.join(each.missing_provinces)}" if each.missing_provinces else ""
        console.print(f"{each.dataset} {each.version}: {each.rows:,} rows{left}{missing}")


@app.command()
def simulate(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First night.")] = datetime(
        2022, 10, 21, tzinfo=UTC
    ),
    nights: Annotated[int, typer.Option(min=1, max=60, help="How many nights.")] = 3,
    province: ProvinceOption = None,
    scale: Annotated[float, typer.Option(help="Share of the sub-SLS, over 0 and at most 1.")] = 1 / 2000,
    seed: Annotated[int, typer.Option(help="Equal seeds deliver equal bytes.")] = 20221015,
    streams: Annotated[bool, typer.Option("--streams", help="Daily counts, geotags and recaps beside K.")] = False,
) -> None:
    """Let a simulated field campaign deliver into the landing bucket."""
    from regsosek.night.house import open_house
    from regsosek.settings import load_settings
    from regsosek.simulation.delivering import deliver_campaign

    settings = load_settings()
    with open_house(settings) as opened:
        report = deliver_campaign(
            opened,
            first.date(),
            nights,
            chosen(province),
            scale=scale,
            seed=seed,
            labels=settings.scratch.parent,
            streams=streams,
        )
    console.print(
        f"{len(report.deliveries) + len(report.streams)} deliveries, {report.families:,} families, "
        f"{report.persons:,} persons at scale {report.scale:g}"
    )


@app.command()
def simulate_day(
    date_: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The field day.")] = datetime(
        2022, 10, 29, tzinfo=UTC
    ),
    families: Annotated[int, typer.Option(min=1, help="Of the nation, split by the provinces' targets.")] = 2_960_000,
    province: ProvinceOption = None,
    into: Annotated[Path | None, typer.Option(help="A directory in place of the landing bucket.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="At once; the bytes are the same with any number.")] = 2,
    seed: Annotated[int, typer.Option(help="Equal seeds deliver equal bytes.")] = 20221015,
    labels: Annotated[Path | None, typer.Option(help="Write the planted defects here as CSV.")] = None,
) -> None:
    """Let the whole nation deliver one simulated field day at full scale, to measure with."""
    from functools import partial

    from regsosek.settings import load_settings
    from regsosek.simulation.delivering import deliver_national_day, landing_sink
    from regsosek.simulation.sinks import DirectorySink

    open_sink = partial(DirectorySink, into) if into else partial(landing_sink, load_settings())
    report = deliver_national_day(
        open_sink,
        date_.date(),
        chosen(province),
        families=families,
        processes=processes,
        seed=seed,
        labels=labels,
    )
    console.print(f"{len(report.deliveries)} deliveries, {report.families:,} families, {report.persons:,} persons")


@app.command()
def night(
    date_: NightOption = None,
    province: ProvinceOption = None,
    alerts: Annotated[bool, typer.Option(help="Send the digests.")] = True,
    reopen: Annotated[str, typer.Option(help="Reason for discovering a sealed night again.")] = "",
) -> None:
    """Receive, publish and tell: one whole night. Ends with 1 if something of ours failed."""
    from regsosek.night.nightly import run_night
    from regsosek.night.progress import receiving
    from regsosek.night.replaying import reopen as reopen_night

    codes, when = chosen(province), night_of(date_)
    with house() as opened, receiving(console, len(codes)) as announce:
        if reopen:
            for code in codes:
                reopen_night(opened, code, when, reopen)
        report = run_night(opened, when, codes, alerts=alerts, announce=announce)
    for waiting in report.held:
        console.print(f"[yellow]{waiting}")
    if report.published is not None:
        tell_release(console, report.published)
    if not report.whole:
        console.print(f"[red]{len(report.failed)} provinces failed; publication: {report.publication or 'done'}")
        raise typer.Exit(EXIT_FAILED)


@app.command()
def replay(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First night to build again.")],
    province: ProvinceOption = None,
) -> None:
    """Forget nights and build them again from the archive; nothing is published, nobody is told."""
    from regsosek.night import replaying

    with house() as opened:
        replaying.replay(opened, first.date(), chosen(province), announce=console.print)


@app.command()
def audit(
    full: Annotated[bool, typer.Option("--full", help="Audit now; without it, show the last audit.")] = False,
    province: ProvinceOption = None,
) -> None:
    """Prove the newest release again from the whole log and all archived files (what the DAG regsosek_audit does)."""
    from regsosek.night import auditing

    with house() as opened:
        if full:
            for code in chosen(province):
                with console.status(f"Auditing province {code}..."):
                    auditing.audit_one(opened, code)
            auditing.conclude_audit(opened, chosen(province))
        standing, found = auditing.results(opened)
    for code, faults in found.items():
        for line in faults or (f"province {code} holds",):
            console.print(line)
    console.print(f"Release {standing.release_id}: {len(found)} audited, the nation counted as one.")
    if any(found.values()):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def quarantine(
    province: Annotated[str, typer.Option("--province", "-p", help="Province code.")],
    rule: Annotated[str, typer.Option(help="Only cases that break this rule.")] = "",
    dataset: Annotated[str, typer.Option(help="keluarga, or a stream: progres, geotag, rekap_vk.")] = "keluarga",
    output: Annotated[Path | None, typer.Option(help="Write CSV here instead of a table.")] = None,
) -> None:
    """List the families, or messages of a stream, that a province must correct: keys and rules, no answers."""
    from regsosek.night.quarantine import QUARANTINED, quarantined_cases
    from regsosek.night.summary import quarantine_table, write_quarantine

    code = province_of(province).code
    if dataset not in QUARANTINED:
        raise ConfigurationError(f"dataset {dataset!r} is none; write one of {', '.join(QUARANTINED)}")
    with house() as opened, opened.engine.connect() as connection:
        cases = list(quarantined_cases(connection, code, rule, dataset=dataset))
    if output:
        write_quarantine(cases, output)
        console.print(f"{len(cases)} cases written to {output}")
    else:
        console.print(quarantine_table(code, cases))


def operator() -> str:
    """The account that this process runs under: who decided, for the record."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


add_outbox_commands(add_alert_commands(app, console, house, operator), console, house)
add_delivery_commands(app, console, house, operator)
add_release_commands(app, console, house, night_of, operator)


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; end with 1 if a file is stale.")] = False,
) -> None:
    """Write the files that follow from the codebook: generated suites and documentation."""
    from regsosek.generated import check_rules, stale_files

    stale = stale_files()
    for path, content in stale.items():
        console.print(f"{'stale' if check else 'written'}: {path}")
        if not check:
            path.write_text(content, encoding="utf-8")
    if stale and check:
        console.print("Run `make fix`.")
        raise typer.Exit(EXIT_FAILED)
    check_rules()


@app.command()
def up() -> None:
    """Start PostgreSQL, object storage, mail sink and Airflow here, and print where they are."""
    from regsosek.local.demo import start_everything

    start_everything(console)


@app.command()
def down() -> None:
    """Stop everything that `up` started; data are kept."""
    from regsosek.local import stack

    stack.down()
    console.print("Everything is stopped; the data are kept in var/.")


@app.command()
def clean() -> None:
    """Stop everything and delete the local data."""
    from regsosek.local import stack

    stack.clean()
    console.print("The local data are gone.")


@app.command()
def demo(
    scale: Annotated[float, typer.Option(envvar="SCALE", help="Share of the sub-SLS.")] = 1 / 2000,
) -> None:
    """Three simulated nights of all 34 provinces through real Airflow, ending with a summary."""
    from regsosek.local.demo import run_demo

    if not run_demo(console, scale):
        raise typer.Exit(EXIT_FAILED)


def _tell_error(error: RegsosekError) -> None:
    """In one line, whatever the format."""
    if _log_format() == "json":
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
    else:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False)


def main() -> None:
    """Entry point: errors of ours are told in one line and end with 1."""
    code = 0
    with within(run=str(ULID())):
        try:
            app()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else EXIT_FAILED
        except RegsosekError as error:
            _tell_error(error)
            code = EXIT_FAILED
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Great Expectations and duckdb-engine keep DuckDB's bindings alive to the end of the interpreter, which would then
    # print a page about leaks over the answer.
    os._exit(code)
