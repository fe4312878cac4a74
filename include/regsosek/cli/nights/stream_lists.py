"""The commands for work lists from the streams: `regsosek gaps` and `regsosek appointments`."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from regsosek.cli.common import console, night_of, resources
from regsosek.cli.options import CsvOption, DateOption, ProvinceOption
from regsosek.geography.provinces import province as province_of
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from regsosek.asking.stream_lists import WorkList
    from regsosek.geography.calendar import FieldWindow

    ListedBy = Callable[[Connection, str, date, FieldWindow], WorkList]

commands = typer.Typer()


@commands.command()
def gaps(province: ProvinceOption, night: DateOption = None, output: CsvOption = None) -> None:
    """List where the streams of a province contradict each other, by sub-SLS; codes, no persons."""
    from regsosek.asking.stream_lists import gap_list

    _tell(gap_list, province, night, output)


@commands.command()
def appointments(province: ProvinceOption, night: DateOption = None, output: CsvOption = None) -> None:
    """List SLS without a verified list, with the days on which their heads are at home; codes, no persons."""
    from regsosek.asking.stream_lists import appointment_list

    _tell(appointment_list, province, night, output)


def _tell(listed_by: "ListedBy", province: str, night: datetime | None, output: Path | None) -> None:
    from regsosek.asking.stream_lists import work_table, write_work_list
    from regsosek.geography.planning import planning

    code = province_of(province).code
    day = night_of(night)
    with resources() as opened, opened.engine.connect() as connection:
        listed = listed_by(connection, code, day, planning(opened.settings).windows[code])
    if output:
        write_work_list(listed, output)
        console.print(f"{counted(len(listed.rows), 'row', 'rows')} written to {output}")
    else:
        console.print(work_table(code, listed))
