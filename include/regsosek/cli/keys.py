"""The commands that change keys: `regsosek keys rotate ...`."""

from typing import Annotated

import typer

from regsosek.cli.at_hand import console, house, operator
from regsosek.cli.options import ApplyOption, ByOption, ProvincesOption
from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen

commands = typer.Typer(name="keys", help="Change a key that is old, or that somebody may know.", no_args_is_help=True)
rotating = typer.Typer(help="Go over to a new key.", no_args_is_help=True)
commands.add_typer(rotating, name="rotate")


@rotating.command()
def hmac(
    province: ProvincesOption = None,
    apply: ApplyOption = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept with your account. No personal data.")] = "",
    by: ByOption = "",
) -> None:
    """Bring the hashes of provinces to the newest key of REGSOSEK_HMAC_KEY; without --apply, tell how they stand."""
    from regsosek.night.rotating import rotate, standing

    codes = chosen(province)
    if apply and not reason:
        raise ConfigurationError("say why with --reason: it is kept with the rotation")
    with house() as opened:
        found = rotate(opened, codes, by=operator(by), reason=reason) if apply else standing(opened, codes)
        left = 0
        for each in found:
            left += not each.done
            console.print(str(each), highlight=False)
    console.print(f"Provinces left: {left}." if left else "Every hash is made with the newest key.")
