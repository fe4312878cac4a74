"""The commands for who runs the object store: `regsosek store policies`, `rights`, `encrypt-archive`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console, resources
from regsosek.cli.options import ProvinceOption

if TYPE_CHECKING:
    from regsosek.landing.policies import Buckets
    from regsosek.settings import Settings

commands = typer.Typer(name="store", help="For who runs the object store: which key may do what.", no_args_is_help=True)
# The first two commands never ask the warehouse; `policies` asks nothing at all.
_UNUSED = {"REGSOSEK_WAREHOUSE_URL": "none", "REGSOSEK_HMAC_KEY": "-" * 32}
_NO_KEYS = {"REGSOSEK_S3_ACCESS_KEY_ID": "none", "REGSOSEK_S3_SECRET_ACCESS_KEY": "none"}


@commands.command("policies")
def write_policies(
    directory: Annotated[Path, typer.Argument(help="Made if need be.", metavar="DIR")],
) -> None:
    """Write the policy of every key as a file: one per province, the pipeline's, the reference files'."""
    from regsosek.landing.policies import policies
    from regsosek.settings import load_settings

    directory.mkdir(parents=True, exist_ok=True)
    written = dict(policies(_buckets(load_settings(beneath=_UNUSED | _NO_KEYS))))
    for name, policy in written.items():
        (directory / f"{name}.json").write_text(json.dumps(policy, indent=2) + "\n", encoding="utf-8")
    console.print(f"{len(written)} policies: {directory}", highlight=False)


@commands.command()
def rights(province: ProvinceOption) -> None:
    """Try on the store what the key in REGSOSEK_S3_* may do; it must be that of the province. Ends with 1 if not."""
    from regsosek.geography.provinces import provinces
    from regsosek.landing.object_store import ObjectStore
    from regsosek.landing.rights import try_rights
    from regsosek.settings import load_settings

    settings = load_settings(beneath=_UNUSED)
    other = next(each.code for each in provinces() if each.code != province)
    tried = list(try_rights(ObjectStore.connect(settings), _buckets(settings), province, other))
    for each in tried:
        word = "allowed" if each.allowed else "refused"
        console.print(f"[{'green' if each.sound else 'red'}]{word}[/]  {each.what}", highlight=False)
    if not all(each.sound for each in tried):
        console.print("[red]The key has other rights than a province's: apply the policy of `store policies`.")
        raise typer.Exit(EXIT_FAILED)


@commands.command("encrypt-archive")
def encrypt_archive() -> None:
    """Encrypt delivered files that an earlier version archived in clear; may be interrupted and run again."""
    from regsosek.night.archive_conversion import encrypt_archive

    with resources() as opened:
        done = encrypt_archive(opened)
    console.print(
        f"{done.encrypted:,} of {done.files:,} archived files were in clear and are encrypted now "
        f"({done.encrypted_bytes / 1_000_000:,.1f} MB)."
    )


def _buckets(settings: "Settings") -> "Buckets":
    from regsosek.landing.policies import Buckets

    return Buckets(settings.landing_bucket, settings.archive_bucket, settings.release_bucket)
