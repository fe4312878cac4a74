"""The commands of the forecast: `regsosek forecast what-if` and `regsosek forecast backtest`."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from regsosek.cli.common import console, night_of, resources
from regsosek.cli.options import DateOption
from regsosek.wording.nouns import counted

RegionOption = Annotated[str, typer.Option(help="Code of the province or kab/kota, e.g. 3578.")]
DaysOption = Annotated[int, typer.Option(min=0, max=60, help="The window is extended by so many days.")]
OfficersOption = Annotated[int, typer.Option(min=0, help="So many more officers work every day from tomorrow on.")]
commands = typer.Typer(
    name="forecast", help="Where regions are going, and what more time or officers would change.", no_args_is_help=True
)


@commands.command("what-if")
def what_if(
    region: RegionOption, extend_days: DaysOption = 0, more_officers: OfficersOption = 0, date_: DateOption = None
) -> None:
    """Show the forecast of a region, and what an extension or more officers would change."""
    from regsosek.asking.figures.forecast import asked_forecast, forecast_lines
    from regsosek.statistics.forecast.table import Case

    case = Case(extend_days, more_officers)
    with resources() as opened, opened.engine.connect() as connection:
        asked = asked_forecast(connection, opened.settings, region, night_of(date_), case)
    console.print(_table(f"{asked.code} {asked.name} as of {asked.night}", forecast_lines(asked.forecast)))
    if asked.case:
        days = counted(extend_days, "more day", "more days")
        officers = counted(more_officers, "more officer", "more officers")
        console.print(_table(f"With {days} and {officers} a day", forecast_lines(asked.case)))


@commands.command()
def backtest() -> None:
    """Tune and prove the forecast on simulated campaigns, and write the figures of docs/statistics.md; a minute."""
    from regsosek.settings import PROJECT_ROOT
    from regsosek.simulation.proof.forecast_proof import documents, write_backtest

    write_backtest()
    for path, content in documents(PROJECT_ROOT).items():
        path.write_text(content, encoding="utf-8")
        console.print(f"written: {path}")


def _table(title: str, lines: list[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    for line in lines:
        table.add_row(*line)
    return table
