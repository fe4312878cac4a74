"""The commands for everything on this machine: `regsosek up`, `down`, `clean`, `demo`."""

from typing import Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console

commands = typer.Typer()


@commands.command()
def up() -> None:
    """Start PostgreSQL, object storage, mail sink and Airflow here, and print where they are."""
    from regsosek.local.demo import start_everything

    start_everything(console)


@commands.command()
def down() -> None:
    """Stop everything that `up` started; data are kept."""
    from regsosek.local import stack

    stack.down()
    console.print("Everything is stopped; the data are kept in var/.")


@commands.command()
def clean() -> None:
    """Stop everything and delete the local data."""
    from regsosek.local import stack

    stack.clean()
    console.print("The local data are gone.")


@commands.command()
def demo(
    scale: Annotated[float, typer.Option(envvar="SCALE", help="Share of the sub-SLS.")] = 1 / 2000,
) -> None:
    """Three simulated nights of all provinces through real Airflow, ending with a summary."""
    from regsosek.local.demo import run_demo

    if not run_demo(console, scale):
        raise typer.Exit(EXIT_FAILED)
