"""The commands for conditions: `regsosek alerts list`, `ack`, `snooze`, `wake`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from regsosek.night.run_request import chosen

if TYPE_CHECKING:
    from regsosek.night.house import House

    OpenHouse = Callable[[], AbstractContextManager[House]]

NameArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Condition, as `alerts list` shows it: 64/BEHIND/6403.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded under your account. No personal data.")]
ProvinceOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: all 34.")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="The last night that it is for; default: until it is gone."),
]
EndOption = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last night that it is for.")]
PartsOption = Annotated[bool, typer.Option("--parts", help="With the sub-SLS and officers behind them.")]


def add_alert_commands(
    app: typer.Typer, console: Console, house: "OpenHouse", operator: Callable[[], str]
) -> typer.Typer:
    """Adds the group to ``app`` and returns it; they write to ``console`` and are signed by ``operator``."""
    alerts = typer.Typer(
        help="Alerts: which conditions stand, who has them in hand, who was told what, and what waits."
    )
    app.add_typer(alerts, name="alerts", no_args_is_help=True)

    @alerts.command("list")
    def list_conditions(province: ProvinceOption = None, parts: PartsOption = False) -> None:
        """List what stands after the newest night of each province, and faults of ours; the journal below."""
        from regsosek.night.alert_lists import acts_table, conditions_table

        with house() as opened, opened.engine.connect() as connection:
            codes = chosen(province)
            console.print(conditions_table(connection, codes, parts=parts, ours=province is None))
            console.print(acts_table(connection, codes, ours=province is None))

    @alerts.command()
    def ack(name: NameArgument, reason: ReasonOption, until: UntilOption = None) -> None:
        """Say that somebody has a condition in hand: it is not told and not escalated until it is gone."""
        act("ack", name, reason, until.date() if until else None)

    @alerts.command()
    def snooze(name: NameArgument, reason: ReasonOption, until: EndOption) -> None:
        """Keep a condition, and all in its place, silent up to a night; then it is told again."""
        act("snooze", name, reason, until.date())

    @alerts.command()
    def wake(name: NameArgument, reason: ReasonOption) -> None:
        """End an acknowledgement or a snooze: the condition is told again with the next night."""
        act("wake", name, reason, None)

    def act(verb: str, name: str, reason: str, until: date | None) -> None:
        from regsosek.alerts.acting import take
        from regsosek.alerts.acts import Verb

        with house() as opened, opened.engine.begin() as connection:
            taken = take(connection, name, Verb(verb), by=operator(), reason=reason, until=until)
        end = f" up to night {taken.until}" if taken.until else ""
        console.print(f"{name}: {verb} by {taken.by}{end}, in force from the night after {taken.night}.")

    return alerts
