"""The command that shows a message: `regsosek digest`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from regsosek.cli.common import console, night_of, resources
from regsosek.cli.options import DateOption, ProvinceOption

commands = typer.Typer()


class DigestLanguage(StrEnum):
    """A language that a digest is written in."""

    INDONESIAN = "id"
    ENGLISH = "en"


LanguageOption = Annotated[DigestLanguage, typer.Option(help="In which language.")]
IntoOption = Annotated[Path | None, typer.Option(help="Write HTML and work list into this directory as well.")]


@commands.command()
def digest(
    province: ProvinceOption,
    date_: DateOption = None,
    language: LanguageOption = DigestLanguage.INDONESIAN,
    into: IntoOption = None,
) -> None:
    """Show the digest of a province's night as it reads now; nothing is sent."""
    from regsosek.alerts.nightly import read_digest

    with resources() as opened:
        message = read_digest(opened.alerter, opened.settings, night_of(date_), province, language.value)
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / "digest.html").write_text(message.html, encoding="utf-8")
        for each in message.attachments:
            (into / each.name).write_bytes(each.content)
    console.print(f"{message.subject}\n\n{message.body}", markup=False, highlight=False, soft_wrap=True)
