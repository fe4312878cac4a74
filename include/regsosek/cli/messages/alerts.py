"""The commands for conditions: `regsosek alerts list`, `ack`, `snooze`, `wake`."""

from datetime import date, datetime
from typing import Annotated

import typer

from regsosek.cli.common import console, operator, resources
from regsosek.cli.messages import outbox
from regsosek.cli.options import DAY, ByOption, ProvincesOption, ReasonOption
from regsosek.night.run_request import chosen

NameArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Condition, as `alerts list` shows it: 64/BEHIND/6403.")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(formats=DAY, help="The last night that it is for; default: until it is gone."),
]
EndOption = Annotated[datetime, typer.Option("--until", formats=DAY, help="The last night that it is for.")]
PartsOption = Annotated[bool, typer.Option("--parts", help="With the sub-SLS and officers behind them.")]
commands = typer.Typer(
    name="alerts",
    help="Alerts: which conditions stand, who has them in hand, who was told what, and what waits.",
    no_args_is_help=True,
)
commands.add_typer(outbox.commands)


@commands.command("list")
def list_conditions(province: ProvincesOption = None, parts: PartsOption = False) -> None:
    """List what stands after the newest night of each province, and faults of ours; the journal below."""
    from regsosek.asking.tables.alert_tables import acts_table, conditions_table

    with resources() as opened, opened.alerter.connect() as connection:
        codes = chosen(province)
        console.print(conditions_table(connection, codes, parts=parts, ours=province is None))
        console.print(acts_table(connection, codes, ours=province is None))


@commands.command()
def ack(name: NameArgument, reason: ReasonOption, until: UntilOption = None, by: ByOption = "") -> None:
    """Say that somebody has a condition in hand: it is not told and not escalated until it is gone."""
    _act("ack", name, reason, until.date() if until else None, by)


@commands.command()
def snooze(name: NameArgument, reason: ReasonOption, until: EndOption, by: ByOption = "") -> None:
    """Keep a condition, and all in its place, silent up to a night; then it is told again."""
    _act("snooze", name, reason, until.date(), by)


@commands.command()
def wake(name: NameArgument, reason: ReasonOption, by: ByOption = "") -> None:
    """End an acknowledgement or a snooze: the condition is told again with the next night."""
    _act("wake", name, reason, None, by)


def _act(verb: str, name: str, reason: str, until: date | None, by: str) -> None:
    from regsosek.alerts.conditions.operator_actions import Verb
    from regsosek.alerts.persistence.operating import take

    with resources() as opened, opened.alerter.begin() as connection:
        taken = take(connection, name, Verb(verb), by=operator(by), reason=reason, until=until)
    end = f" up to night {taken.until}" if taken.until else ""
    console.print(f"{name}: {verb} by {taken.by}{end}, in force from the night after {taken.night}.")
