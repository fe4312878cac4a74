"""The commands that take a published figure back: `regsosek figure` and `regsosek trace`."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from regsosek.night.asked_figure import AskedFigure
    from regsosek.night.house import House

_DAY = ["%Y-%m-%d"]
RegionOption = Annotated[str, typer.Option(help="Code of the region, e.g. 3578; 00 is Indonesia.")]
MeasureOption = Annotated[str, typer.Option(help="Figure, by its name or its published column (docs/glossary.md).")]
NightOption = Annotated[datetime, typer.Option(formats=_DAY, help="The release: the last one published of this night.")]
DayOption = Annotated[
    datetime | None, typer.Option(formats=_DAY, help="Only what was enumerated on this day (nation and provinces).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON in place of tables.")]
OutputOption = Annotated[Path | None, typer.Option(help="Write JSON to this file.")]
CasesOption = Annotated[
    Path | None, typer.Option(help="Write the keys of every case counted to this file (CSV; not for publication).")
]


def add_figure_commands(
    app: typer.Typer, console: Console, house: Callable[[], AbstractContextManager["House"]]
) -> None:
    """Adds the commands to ``app``; they write to ``console`` and work in ``house``."""

    @app.command()
    def figure(
        region: RegionOption,
        measure: MeasureOption,
        night: NightOption,
        day: DayOption = None,
        json_: JsonOption = False,
    ) -> None:
        """Show a figure as published on a night and as known for it now, with the difference by cause."""
        from regsosek.night.figure_tables import restated_document, restated_report
        from regsosek.night.restated_figure import restated_figure

        with _asked(house, region, measure, night, day) as (opened, connection, asked):
            restated = restated_figure(connection, asked, _reference(opened))
        if json_:
            typer.echo(_json(restated_document(restated)))
        else:
            console.print(restated_report(restated))

    @app.command()
    def trace(
        region: RegionOption,
        measure: MeasureOption,
        night: NightOption,
        day: DayOption = None,
        output: OutputOption = None,
        cases: CasesOption = None,
    ) -> None:
        """Take a published figure back to the deliveries that it is made of."""
        from regsosek.night.figure_tables import trace_document, trace_report
        from regsosek.night.tracing import trace as traced_figure
        from regsosek.night.tracing import write_cases

        with _asked(house, region, measure, night, day) as (opened, connection, asked):
            traced = traced_figure(connection, opened.store, opened.settings.archive_bucket, asked)
            listed = write_cases(connection, asked, cases) if cases else None
        console.print(trace_report(traced))
        if output:
            output.write_text(_json(trace_document(traced)) + "\n", encoding="utf-8")
        if cases:
            console.print(f"Cases that count {listed:,} are listed in {cases}: keys only, and not for publication.")


@contextmanager
def _asked(
    house: Callable[[], AbstractContextManager["House"]],
    region: str,
    measure: str,
    night: datetime,
    day: datetime | None,
) -> Iterator[tuple["House", "Connection", "AskedFigure"]]:
    """One picture of the warehouse: a night that ends meanwhile is not half in it."""
    from regsosek.night.asked_figure import asked_figure

    of_day = None if day is None else day.date()
    with house() as opened, opened.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        bucket = opened.settings.release_bucket
        yield opened, connection, asked_figure(connection, opened.store, bucket, region, measure, night.date(), of_day)


def _reference(opened: "House") -> Any:
    from regsosek.geography.calendar import planned_windows
    from regsosek.geography.plan import plans
    from regsosek.geography.region_targets import region_targets
    from regsosek.night.restated_figure import Reference

    settings = opened.settings
    windows = planned_windows(settings.calendar_file, settings.plan_file)
    return Reference(windows, plans(settings.plan_file), region_targets(settings.region_targets_file))


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
