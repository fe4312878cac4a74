"""Key pairs on the command line: a secret key goes into a file of its own, a public one is told or read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.common import console
from regsosek.errors import ConfigurationError

if TYPE_CHECKING:
    from regsosek.minisign import PublicKey

SecretOption = Annotated[Path, typer.Option(help="Write the secret key here, readable by its owner alone.")]


def write_secret(path: Path, text: str) -> None:
    """A new file of mode 0600; a key that is there already is never lost to a second call."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already; name another file") from None
    path.write_text(text + "\n", encoding="ascii")


def new_pair(secret: Path, advice: str) -> None:
    """Makes a key pair: the secret key into a new file, told with ``advice``, the public key onto the terminal."""
    from regsosek.minisign import Signer

    signer = Signer.new()
    write_secret(secret, signer.secret_text)
    console.print(f"Secret key: {secret} ({advice})")
    console.print(f"Key id:     {signer.public.id}\nPublic key: {signer.public.text}", highlight=False)


def public_key(given: str) -> "PublicKey":
    """The key that is given, or that the file given by its name holds."""
    from regsosek.minisign import PublicKey

    path = Path(given)
    return PublicKey.read(path.read_text(encoding="utf-8") if path.is_file() else given)
