"""The commands that change keys: `regsosek keys rotate ...`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from regsosek.cli.common import console, operator, resources
from regsosek.cli.options import ApplyOption, ByOption, ProvincesOption
from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen

commands = typer.Typer(name="keys", help="Change a key that is old, or that somebody may know.", no_args_is_help=True)
rotating = typer.Typer(help="Go over to a new key.", no_args_is_help=True)
commands.add_typer(rotating, name="rotate")


@rotating.command()
def release(apply: ApplyOption = False) -> None:
    """Publish which keys releases were and are signed with, by REGSOSEK_RELEASE_KEYS_FILE, signed by that of today."""
    from regsosek.geography.calendar import NIGHT_ZONE
    from regsosek.release.lifecycle.key_list import list_of, offer, release_keys, require_signer
    from regsosek.release.lifecycle.signing import signer_of

    with resources() as opened:
        settings = opened.settings
        if settings.release_keys_file is None:
            raise ConfigurationError("name the table of keys in REGSOSEK_RELEASE_KEYS_FILE (docs/release.md)")
        keys = release_keys(settings.release_keys_file)
        signer = require_signer(keys, signer_of(settings), datetime.now(UTC).astimezone(NIGHT_ZONE).date())
        with opened.publisher.connect() as connection:
            listed = list_of(connection, keys)
        if apply:
            offer(opened.store, settings.release_bucket, listed, signer)
    for each in keys:
        state = f"revoked on {each.revoked_on}" if each.revoked_on else f"{each.valid_from} to {each.valid_to}"
        now = ", signs now" if each.key.id == signer.public.id else ""
        console.print(f"{each.key.id}: {state}{now}", highlight=False)
    word = "is published" if apply else "would be published (--apply)"
    console.print(
        f"The list {word}; keys: {len(keys)}; releases of revoked ones that it vouches for: {len(listed.vouched)}."
    )


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
    with resources() as opened:
        found = rotate(opened, codes, by=operator(by), reason=reason) if apply else standing(opened, codes)
        left = 0
        for each in found:
            left += not each.done
            console.print(str(each), highlight=False)
    console.print(f"Provinces left: {left}." if left else "Every hash is made with the newest key.")
