"""The commands for who runs the warehouse: `regsosek warehouse login`, `close-login`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regsosek.cli.common import console, operator, resources
from regsosek.cli.key_files import write_secret
from regsosek.cli.options import DAY, ByOption, ReasonOption

commands = typer.Typer(name="warehouse", help="Logins of persons who ask the warehouse in SQL.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="As the server knows it, e.g. statistik_kaltim.")]


@commands.command()
def login(
    name: NameArgument,
    reason: ReasonOption,
    province: Annotated[list[str], typer.Option("--province", "-p", help="Whose rows; 00: all. Repeat it.")],
    valid_until: Annotated[datetime, typer.Option(formats=DAY, help="Its last day, 400 days ahead at most.")],
    role: Annotated[list[str], typer.Option(help="What it reads: analyst, health, small_area. Repeat it.")],
    secret: Annotated[
        Path | None, typer.Option(help="Write the password here, readable by you alone, not onto the terminal.")
    ] = None,
    new_password: Annotated[bool, typer.Option(help="Give a login that is there another password.")] = False,
    by: ByOption = "",
) -> None:
    """Give a person a login that reads rows of its provinces; again: bring it to what is asked now."""
    from regsosek.geography.calendar import NIGHT_ZONE
    from regsosek.warehouse.logins import Login, give

    asked = Login(name, frozenset(role), frozenset(province), valid_until.date())
    today = datetime.now(UTC).astimezone(NIGHT_ZONE).date()
    with resources() as opened, opened.account("owner").begin() as connection:
        password = give(connection, asked, today=today, by=operator(by), reason=reason, anew=new_password)
        if password and secret:
            write_secret(secret, password)
    console.print(f"{name} reads {', '.join(sorted(asked.groups))} until {asked.valid_until}.", highlight=False)
    if password:
        console.print(f"Password: {secret or password} (it is told once)", highlight=False, markup=False)


@commands.command("close-login")
def close_login(name: NameArgument, reason: ReasonOption, by: ByOption = "") -> None:
    """Close a login: at once, sessions that it has open included."""
    from regsosek.geography.calendar import NIGHT_ZONE
    from regsosek.warehouse.logins import close

    today = datetime.now(UTC).astimezone(NIGHT_ZONE).date()
    with resources() as opened, opened.account("owner").begin() as connection:
        close(connection, name, today=today, by=operator(by), reason=reason)
    console.print(f"{name} is closed.", highlight=False)
