"""The commands that publish a release, roll it back, thin old ones out, and check any: `regsosek release ...`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console, night_of, operator, resources
from regsosek.cli.key_files import SecretOption, new_pair, public_key
from regsosek.cli.options import ByOption, DateOption, ReasonOption
from regsosek.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regsosek.landing.store import Store
    from regsosek.minisign import PublicKey
    from regsosek.release.lifecycle.key_list import KeyList
    from regsosek.release.lifecycle.verification import Read
    from regsosek.release.publish import Published

SourceArgument = Annotated[
    str, typer.Argument(help="A folder, or s3://bucket/prefix/; without one the release that readers see now.")
]
KeyOption = Annotated[
    list[str] | None,
    typer.Option("--key", help="A public key that is trusted, or the file that holds it; repeat it for several."),
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", help="The list of former keys (kunci.json, its signature beside it); of a bucket its own."),
]
UnsignedOption = Annotated[bool, typer.Option("--unsigned", help="Check hashes and completeness alone.")]
DaysOption = Annotated[int, typer.Option(min=7, help="Nights of which every release stays whole.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Delete nothing, only tell.")]
# By itself it publishes a night.
commands = typer.Typer(
    name="release", help="Publish the release of a night again; check one; make keys.", invoke_without_command=True
)


@commands.callback()
def release(context: typer.Context, date_: DateOption = None) -> None:
    """Build, audit and publish the release of a night again; or, with a command, what that does."""
    from regsosek.night import nightly

    if context.invoked_subcommand is None:
        with resources() as opened:
            tell_release(nightly.release(opened, night_of(date_)))


@commands.command()
def rollback(reason: ReasonOption, by: ByOption = "") -> None:
    """Lead readers one release back; a later night, or other content of this one, leads them forward again."""
    from regsosek.release.lifecycle.rollback import roll_back

    with resources() as opened:
        bucket = opened.settings.release_bucket
        left, now = roll_back(opened.publisher, opened.store, bucket, by=operator(by), reason=reason)
    console.print(f"Release {left.release_id} is rolled back; readers see {now.release_id} again.")


@commands.command()
def withdraw(
    release_id: Annotated[str, typer.Argument(metavar="RELEASE", help="Its id; it was rolled back before.")],
    reason: ReasonOption,
    by: ByOption = "",
) -> None:
    """Take away the files of a rolled back release that told too much; the same content is not published again."""
    from regsosek.release.lifecycle import withdrawal

    with resources() as opened:
        bucket = opened.settings.release_bucket
        gone = withdrawal.withdraw(opened.publisher, opened.store, bucket, release_id, by=operator(by), reason=reason)
    console.print(f"Release {release_id} is withdrawn, files deleted: {gone}.")
    console.print("Start the API server again: it keeps tables that it has read.")


@commands.command()
def repoint(reason: ReasonOption, by: ByOption = "") -> None:
    """Write a lost or outdated pointer anew: readers see the newest release of the warehouse not rolled back."""
    from regsosek.release.lifecycle import rollback

    with resources() as opened:
        bucket = opened.settings.release_bucket
        now = rollback.repoint(opened.publisher, opened.store, bucket, by=operator(by), reason=reason)
    console.print(f"Readers see release {now.release_id} (night {now.night}, revision {now.revision}).")


@commands.command()
def retain(days: DaysOption, dry_run: DryRunOption = False) -> None:
    """Thin out old releases: manifest, signature and region tables in Parquet stay; so do month ends, whole."""
    from regsosek.release.lifecycle.thinning import thin_out

    with resources() as opened:
        bucket = opened.settings.release_bucket
        thinned = thin_out(opened.publisher, opened.store, bucket, days, dry_run=dry_run)
    for each in thinned:
        console.print(f"{each.release_id}: files {each.files}, bytes {each.bytes:,}", highlight=False)
    console.print(f"Releases that {'would be' if dry_run else 'are'} thinned out: {len(thinned)}.")


@commands.command()
def verify(
    source: SourceArgument = "", key: KeyOption = None, keys: KeysOption = None, unsigned: UnsignedOption = False
) -> None:
    """Check signature, hashes and completeness of a release; ends with 1 if anything does not hold."""
    from regsosek.release.lifecycle import verification

    if bool(key) == unsigned:
        raise ConfigurationError("name the public keys that you trust by --key, or check hashes alone: --unsigned")
    trusted = [public_key(each) for each in key] if key else None
    found = verification.verify(_reader(source), trusted, _list_of_keys(source, keys, trusted or []))
    for fault in found.faults:
        console.print(f"[red]{fault}", highlight=False)
    if found.faults:
        raise typer.Exit(EXIT_FAILED)
    signed = f"signed by key {found.signed_by}" if found.signed_by else "NO SIGNATURE WAS CHECKED"
    console.print(f"Release {found.release_id}: whole and as published, files: {found.files}; {signed}")


@commands.command("new-key")
def new_key(secret: SecretOption) -> None:
    """Make a key pair: the secret key into a new file, the public key onto the terminal."""
    new_pair(secret, "name it in REGSOSEK_RELEASE_SIGNING_KEY_FILE; never publish it")


def tell_release(published: "Published") -> None:
    """Which release it is and where; that readers do not see it, or that nobody signed it, if so."""
    console.print(f"Release {published.release_id}: {published.page}")
    if not published.current:
        console.print("[yellow]Readers see another: a newer night, or this one was rolled back.")
    if published.signed_by is None:
        console.print("[yellow]It is not signed: set REGSOSEK_RELEASE_SIGNING_KEY_FILE (docs/release.md).")


def _list_of_keys(source: str, file: Path | None, trusted: "Sequence[PublicKey]") -> "KeyList | None":
    """The list that is named, else that of the bucket; one that no trusted key signed says nothing."""
    from regsosek.errors import SignatureError
    from regsosek.minisign import SIGNATURE_SUFFIX
    from regsosek.release.lifecycle.key_list import KEY_LIST, MAX_LIST_BYTES, read_list
    from regsosek.release.lifecycle.verification import in_folder

    if file is not None:
        beside = in_folder(file.parent)
        document, signature = (beside(name, MAX_LIST_BYTES) for name in (file.name, file.name + SIGNATURE_SUFFIX))
        if document is None:
            raise ConfigurationError(f"{file} is not there")
        return read_list(document, signature, trusted)
    if not trusted or (source and not source.startswith("s3://")):
        return None
    store, bucket = _bucket_of(source)
    document, signature = (
        store.get_bytes(bucket, name, max_bytes=MAX_LIST_BYTES) for name in (KEY_LIST, KEY_LIST + SIGNATURE_SUFFIX)
    )
    try:
        return read_list(document, signature, trusted) if document else None
    except SignatureError as error:
        console.print(f"[yellow]The bucket's list of keys is not believed: {error}", highlight=False)
        return None


def _bucket_of(source: str) -> "tuple[Store, str]":
    from regsosek.landing.object_store import ObjectStore
    from regsosek.settings import load_settings

    settings = load_settings()
    named = source.removeprefix("s3://").partition("/")[0]
    return ObjectStore.connect(settings), named or settings.release_bucket


def _reader(source: str) -> "Read":
    from regsosek.landing.object_store import ObjectStore
    from regsosek.release.lifecycle.verification import in_bucket, in_folder
    from regsosek.release.publish import current_prefix
    from regsosek.settings import load_settings

    if source and not source.startswith("s3://"):
        return in_folder(Path(source))
    settings = load_settings()
    store = ObjectStore.connect(settings)
    if source:
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        return in_bucket(store, bucket, prefix.rstrip("/") + "/")
    prefix_now = current_prefix(store, settings)
    if prefix_now is None:
        raise ConfigurationError("nothing is published yet")
    return in_bucket(store, settings.release_bucket, prefix_now)
