"""The command that writes what follows from the codebook: `regsosek generate`."""

from typing import Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console
from regsosek.settings import PROJECT_ROOT

commands = typer.Typer()


@commands.command()
def generate(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; end with 1 if a file is stale.")] = False,
    publish: Annotated[
        str, typer.Option(metavar="INSTRUMENT/VERSION", help="Fix this version: its form never changes again.")
    ] = "",
) -> None:
    """Write the files that follow from the codebook: generated suites and documentation."""
    from regsosek.cli.commands_page import commands_page
    from regsosek.generated import check_rules, publish_version, stale_files, unpublished_versions

    if publish:
        console.print(f"written: {publish_version(publish)}")
    stale = stale_files(besides=commands_page(PROJECT_ROOT, context.find_root().command))
    for path, content in stale.items():
        console.print(f"{'stale' if check else 'written'}: {path}")
        if not check:
            path.write_text(content, encoding="utf-8")
    if stale and check:
        console.print("Run `make fix`.")
        raise typer.Exit(EXIT_FAILED)
    check_rules()
    for version in unpublished_versions():
        console.print(f"{version} is not published: run `regsosek generate --publish {version}` when it is final.")
        if check:
            raise typer.Exit(EXIT_FAILED)
