"""The commands for work lists from the streams: `regsosek gaps` and `regsosek appointments`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from regsosek.geography.calendar import FieldWindow
    from regsosek.night.house import House
    from regsosek.night.stream_lists import WorkList

    ListedBy = Callable[[Connection, str, date, FieldWindow], WorkList]

ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code.")]
NightOption = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="As of this night, YYYY-MM-DD; default: yesterday in Jakarta."),
]
OutputOption = Annotated[Path | None, typer.Option(help="Write CSV here instead of a table.")]


def add_stream_commands(
    app: typer.Typer,
    console: Console,
    house: Callable[[], AbstractContextManager["House"]],
    night_of: Callable[[datetime | None], date],
) -> None:
    """Adds the commands to ``app``; they write to ``console``, work in ``house``, and ``night_of`` is their night."""

    @app.command()
    def gaps(province: ProvinceOption, night: NightOption = None, output: OutputOption = None) -> None:
        """List where the streams of a province contradict each other, by sub-SLS; codes, no persons."""
        from regsosek.night.stream_lists import gap_list

        tell(gap_list, province, night, output)

    @app.command()
    def appointments(province: ProvinceOption, night: NightOption = None, output: OutputOption = None) -> None:
        """List SLS without a verified list, with the days on which their heads are at home; codes, no persons."""
        from regsosek.night.stream_lists import appointment_list

        tell(appointment_list, province, night, output)

    def tell(listed_by: "ListedBy", province: str, night: datetime | None, output: Path | None) -> None:
        from regsosek.geography.planning import planning
        from regsosek.geography.provinces import province as province_of
        from regsosek.night.stream_lists import work_table, write_work_list

        code = province_of(province).code
        day = night_of(night)
        with house() as opened, opened.engine.connect() as connection:
            listed = listed_by(connection, code, day, planning(opened.settings).windows[code])
        if output:
            write_work_list(listed, output)
            console.print(f"{len(listed.rows)} rows written to {output}")
        else:
            console.print(work_table(code, listed))
