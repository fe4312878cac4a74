"""What the command line reads its settings from, for tests that run commands."""

from pydantic import SecretStr

from regsosek.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """The variables that say ``settings``, but for the place of the suites: that is the product's own."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in values.items()}
    spelled = {name: ",".join(v) if isinstance(v, tuple) else str(v) for name, v in plain.items() if v is not None}
    return {f"REGSOSEK_{name.upper()}": value for name, value in spelled.items() if name != "expectations_dir"}
