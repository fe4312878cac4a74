"""The key that releases are signed with: ours alone, it stands in the environment."""

from regsosek.errors import ConfigurationError
from regsosek.minisign import Signer
from regsosek.settings import Settings, variable


def signer_of(settings: Settings) -> Signer | None:
    """The key that releases are signed with; ``None`` where the environment has none.

    Raises:
        ConfigurationError: what it has is no key.
    """
    if settings.release_signing_key is not None:
        return _read("release_signing_key", settings.release_signing_key.get_secret_value())
    if settings.release_signing_key_file is not None:
        return _read("release_signing_key_file", settings.release_signing_key_file.read_text(encoding="ascii"))
    return None


def _read(field: str, text: str) -> Signer:
    try:
        return Signer.read(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{variable(field)} is {error}") from None
