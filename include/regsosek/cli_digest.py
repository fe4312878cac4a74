"""The command that shows a message: `regsosek digest`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from regsosek.night.house import House


class DigestLanguage(StrEnum):
    """A language that a digest is written in."""

    INDONESIAN = "id"
    ENGLISH = "en"


ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code, e.g. 64.")]
DateOption = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Night; default: yesterday in Jakarta.")
]
LanguageOption = Annotated[DigestLanguage, typer.Option(help="In which language.")]
IntoOption = Annotated[Path | None, typer.Option(help="Write HTML and work list into this directory as well.")]


def add_digest_command(
    app: typer.Typer,
    console: Console,
    house: Callable[[], AbstractContextManager["House"]],
    night_of: Callable[[datetime | None], date],
) -> None:
    """Adds the command to ``app``; it writes to ``console`` and works in ``house``."""

    @app.command()
    def digest(
        province: ProvinceOption,
        date_: DateOption = None,
        language: LanguageOption = DigestLanguage.INDONESIAN,
        into: IntoOption = None,
    ) -> None:
        """Show the digest of a province's night as it reads now; nothing is sent."""
        from regsosek.alerts.nightly import read_digest

        with house() as opened:
            message = read_digest(opened.engine, opened.settings, night_of(date_), province, language.value)
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            (into / "digest.html").write_text(message.html, encoding="utf-8")
            for each in message.attachments:
                (into / each.name).write_bytes(each.content)
        console.print(f"{message.subject}\n\n{message.body}", markup=False, highlight=False, soft_wrap=True)
