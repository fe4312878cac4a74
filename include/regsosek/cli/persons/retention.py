"""The command that ends what is over its time: `regsosek retention`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from regsosek.cli.common import console, operator, resources
from regsosek.cli.options import ApplyOption, ByOption
from regsosek.errors import ConfigurationError
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regsosek.privacy.retention import Due, RetentionRule

commands = typer.Typer()


@commands.command()
def retention(
    apply: ApplyOption = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept with your account. No personal data.")] = "",
    by: ByOption = "",
    lifecycle: Annotated[
        Path | None, typer.Option(help="Write the rules of the landing bucket here, as S3 stores take them.")
    ] = None,
) -> None:
    """Tell by class how long data are kept, what of them is over its time, and who ends it; --apply ends ours."""
    from regsosek.geography.calendar import NIGHT_ZONE, field_windows
    from regsosek.privacy.retention import due, end, rules
    from regsosek.privacy.retention import lifecycle as rules_of_landing

    if apply and not reason:
        raise ConfigurationError("say why with --reason: it is kept with what was ended")
    with resources() as opened:
        classes = rules(opened.settings.retention_file)
        if lifecycle:
            lifecycle.write_text(json.dumps(rules_of_landing(classes), indent=2) + "\n", encoding="utf-8")
            console.print(f"Rules of the landing bucket: {lifecycle}", highlight=False)
            return
        windows, today = field_windows(opened.settings.calendar_file), datetime.now(UTC).astimezone(NIGHT_ZONE).date()
        owner = opened.account("owner")
        if apply:
            found = list(end(owner, windows, classes, today, by=operator(by), reason=reason))
        else:
            with owner.connect() as connection:
                found = list(due(connection, windows, classes, today))
    console.print(_table(classes, found, "ended" if apply else "over its time"))


def _table(classes: "Sequence[RetentionRule]", found: "Sequence[Due]", word: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("Class", "Kept", "From", f"Rows {word}", "Bytes", "Oldest", "Ended by"):
        table.add_column(column, overflow="fold")
    for each in classes:
        own = [line for line in found if line.rule.name == each.name]
        kept = "for ever" if each.kept_days is None else counted(each.kept_days, "day", "days")
        oldest = min((str(line.oldest) for line in own if line.oldest), default="")
        rows, size = (f"{sum(values):,}" if own else "" for values in zip(*_sizes(own), strict=True))
        ends = "this command" if each.ends_by == "retention" else each.how
        table.add_row(each.name, kept, each.counted_from, rows, size, oldest, ends)
    return table


def _sizes(own: "Sequence[Due]") -> list[tuple[int, int]]:
    return [(0, 0), *((line.rows, line.bytes) for line in own)]
