"""The commands that take a published figure back: `regsosek figure` and `regsosek trace`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regsosek.cli.common import console, resources
from regsosek.cli.options import DAY, JsonOption, ReaderOption
from regsosek.cli.shown_cases import access_of, enter_shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from regsosek.asking.figures.published_figure import AskedFigure
    from regsosek.asking.figures.published_number import AskedNumber
    from regsosek.resources import Resources

RegionOption = Annotated[str, typer.Option(help="Code of the region, e.g. 3578; 00 is Indonesia.")]
MeasureOption = Annotated[str, typer.Option(help="Figure, by its name or its published column (docs/glossary.md).")]
NightOption = Annotated[datetime, typer.Option(formats=DAY, help="The release: the last one published of this night.")]
DayOption = Annotated[
    datetime | None, typer.Option(formats=DAY, help="Only what was enumerated on this day (nation and provinces).")
]
OutputOption = Annotated[Path | None, typer.Option(help="Write JSON to this file.")]
RowOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN=VALUE", help="The row, where a table has several of a region, e.g. sumber_data=..."),
]
CasesOption = Annotated[
    Path | None, typer.Option(help="Write the keys of every case counted to this file (CSV; not for publication).")
]
commands = typer.Typer()


@commands.command()
def trace(
    region: RegionOption,
    measure: MeasureOption,
    night: NightOption,
    day: DayOption = None,
    row: RowOption = None,
    output: OutputOption = None,
    cases: CasesOption = None,
    by: ReaderOption = "",
) -> None:
    """Take any published number back to the deliveries and files that it is made of."""
    from regsosek.asking.figures.origin import origin
    from regsosek.asking.tables.figure_tables import origin_document, origin_report

    with _number(region, measure, night, _row(row, day)) as (opened, connection, asked):
        found = origin(connection, opened.store, opened.settings, asked)
        listed = _write_cases(opened, connection, asked, cases, by) if cases else None
    console.print(origin_report(found))
    if output:
        output.write_text(_json(origin_document(found)) + "\n", encoding="utf-8")
    if cases:
        console.print(f"Cases that count {listed:,} are listed in {cases}: keys only, and not for publication.")


@commands.command()
def figure(
    region: RegionOption, measure: MeasureOption, night: NightOption, day: DayOption = None, as_json: JsonOption = False
) -> None:
    """Show a figure as published on a night and as known for it now, with the difference by cause."""
    from regsosek.asking.figures.restated_figure import restated_figure
    from regsosek.asking.tables.figure_tables import restated_document, restated_report
    from regsosek.geography.planning import planning

    with _asked(region, measure, night, day) as (opened, connection, asked):
        restated = restated_figure(connection, asked, planning(opened.settings))
    if as_json:
        typer.echo(_json(restated_document(restated)))
    else:
        console.print(restated_report(restated))


def _row(named: list[str] | None, day: datetime | None) -> dict[str, str]:
    """What names a row, by column."""
    pairs = [name.partition("=") for name in named or ()]
    if faulty := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"{', '.join(faulty)}: write COLUMN=VALUE", param_hint="--row")
    return {column: value for column, _, value in pairs} | ({"day": day.date().isoformat()} if day else {})


def _write_cases(opened: "Resources", connection: "Connection", asked: "AskedNumber", path: Path, by: str) -> int:
    from regsosek.asking.figures.origin import write_counted_cases

    access = access_of("command_trace_file", by, f"{asked.measure.column} {asked.code} {asked.night}")
    enter = partial(enter_shown, opened, access)
    return write_counted_cases(connection, opened.store, opened.settings, asked, path, enter)


@contextmanager
def _number(
    region: str, measure: str, night: datetime, row: Mapping[str, str]
) -> Iterator[tuple["Resources", "Connection", "AskedNumber"]]:
    from regsosek.asking.figures.published_number import asked_number

    with _one_picture() as (opened, connection):
        bucket = opened.settings.release_bucket
        yield opened, connection, asked_number(connection, opened.store, bucket, region, measure, night.date(), row)


@contextmanager
def _asked(
    region: str, measure: str, night: datetime, day: datetime | None
) -> Iterator[tuple["Resources", "Connection", "AskedFigure"]]:
    from regsosek.asking.figures.published_figure import asked_figure

    of_day = None if day is None else day.date()
    with _one_picture() as (opened, connection):
        bucket = opened.settings.release_bucket
        yield opened, connection, asked_figure(connection, opened.store, bucket, region, measure, night.date(), of_day)


@contextmanager
def _one_picture() -> Iterator[tuple["Resources", "Connection"]]:
    """One picture of the warehouse: a night that ends meanwhile is not half in it."""
    with (
        resources() as opened,
        opened.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
    ):
        yield opened, connection


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
