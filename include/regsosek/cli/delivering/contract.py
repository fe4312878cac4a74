"""The commands for those who deliver: `regsosek contract check`, `sign`, `new-key`."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from regsosek.cli.common import EXIT_FAILED, console
from regsosek.cli.key_files import SecretOption, new_pair, public_key
from regsosek.cli.options import DAY, JsonOption
from regsosek.errors import ConfigurationError

if TYPE_CHECKING:
    from regsosek.night.checking.contract_check import Asked

commands = typer.Typer()
contract = typer.Typer(help="For those who deliver: would a delivery be received?", no_args_is_help=True)
commands.add_typer(contract, name="contract")

# A check needs neither warehouse nor object store, so nobody has to configure them.
_NO_SERVICES = {
    "REGSOSEK_WAREHOUSE_URL": "none",
    "REGSOSEK_S3_ACCESS_KEY_ID": "none",
    "REGSOSEK_S3_SECRET_ACCESS_KEY": "none",
    "REGSOSEK_HMAC_KEY": "-" * 32,
}


@contract.command()
def check(
    directory: Annotated[Path, typer.Argument(help="A delivery: manifest.json and its files.", metavar="DIR")],
    language: Annotated[Literal["id", "en"], typer.Option("--lang", help="Indonesian or English.")] = "id",
    reference: Annotated[
        Path | None, typer.Option(help="Reference files (docs/reference-files.md): judges the rules on the frame.")
    ] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=DAY, help="Day of delivery; default: the folder's, else the manifest's.")
    ] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Write rows that break rules here, as CSV: keys, no values.")
    ] = None,
    key: Annotated[
        str, typer.Option(help="Public key, or a file of it: the manifest must be signed with it.", metavar="KEY")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell what the night would say of a delivery, without sending it; ends with 1 unless it would be accepted."""
    from regsosek.night.checking import check_report
    from regsosek.night.checking.contract_check import check_delivery, nowhere

    asked = _asked(directory, reference, day, key)
    with ExitStack() as stack:
        sink = stack.enter_context(check_report.written_cases(cases, asked.suites, language)) if cases else nowhere
        checked = check_delivery(asked, cases=sink)
    if as_json:
        typer.echo(json.dumps(check_report.as_json(checked, asked.suites, language), ensure_ascii=False, indent=2))
    else:
        console.print(check_report.as_text(checked, asked.suites, language), highlight=False)
    if checked.verdict != "accepted":
        raise typer.Exit(EXIT_FAILED)


@contract.command()
def sign(
    directory: Annotated[Path, typer.Argument(help="A delivery: manifest.json and its files.", metavar="DIR")],
    key: Annotated[Path, typer.Option(help="File of the secret key that `contract new-key` made.")],
) -> None:
    """Sign the manifest of a delivery: upload the signature before the manifest."""
    from regsosek.contract.manifest import MANIFEST_NAME, SIGNATURE_NAME
    from regsosek.minisign import Signer

    manifest = directory / MANIFEST_NAME
    if not manifest.is_file():
        raise ConfigurationError(f"{manifest} is not there; name the folder of a delivery")
    signer = Signer.read(key.read_text(encoding="ascii"))
    (directory / SIGNATURE_NAME).write_bytes(signer.sign(manifest.read_bytes(), directory.resolve().name))
    console.print(f"{directory / SIGNATURE_NAME}: signed with key {signer.public.id}", highlight=False)


@contract.command("new-key")
def new_key(secret: SecretOption) -> None:
    """Make the key pair of a province: the secret key into a new file, the public key onto the terminal."""
    new_pair(secret, "it stays with the office; never send it")


def _asked(directory: Path, reference: Path | None, day: datetime | None, key: str) -> "Asked":
    from regsosek.geography.calendar import NIGHT_ZONE
    from regsosek.night.checking.contract_check import Asked
    from regsosek.quality.rules import load_suites
    from regsosek.settings import load_settings

    for each in filter(None, (directory, reference)):
        if not each.is_dir():
            raise ConfigurationError(f"{each} is no directory; name the folder that holds the files")
    settings = load_settings(beneath=_NO_SERVICES)
    return Asked(
        directory=directory,
        settings=settings,
        suites=load_suites(settings.expectations_dir),
        night=datetime.now(UTC).astimezone(NIGHT_ZONE).date(),
        day=day.date() if day else None,
        reference=reference,
        trusted=(public_key(key),) if key else None,
    )
