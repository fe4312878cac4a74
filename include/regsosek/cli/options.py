"""The options that mean the same to commands of several groups, each with its one wording."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

DAY = ["%Y-%m-%d"]
DateOption = Annotated[
    datetime | None,
    typer.Option("--date", formats=DAY, help="Night D, YYYY-MM-DD; default: yesterday in Jakarta."),
]
ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code, e.g. 64.")]
ProvincesOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: all.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded under your account. No personal data.")]
ByOption = Annotated[
    str, typer.Option("--by", help="Who decides; default: your login. Needed where a service's account runs this.")
]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Do it; without this, only tell what would be done.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document in place of text.")]
CsvOption = Annotated[Path | None, typer.Option("--output", help="Write CSV here instead of a table.")]
ReaderOption = Annotated[
    str,
    typer.Option(
        "--by",
        help="Who reads, for the trail of access; default: your login. Needed where a service's account runs this.",
    ),
]
