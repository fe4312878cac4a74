"""Environment files (``NAME='value'`` lines) that the shell, python-dotenv and systemd read alike; mode 0600."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from local_services.private_files import write_private
from local_services.processes import LocalServiceError


def write_environment(path: Path, variables: Mapping[str, str]) -> None:
    """Replaces ``path`` by ``variables``, sorted by name.

    Raises:
        LocalServiceError: a value has a quote or a line break, which these readers do not treat alike.
    """
    for name, value in variables.items():
        if "'" in value or "\n" in value or "\\" in value:
            raise LocalServiceError(
                f"{name}: quotes, backslashes and line breaks can't stand in {path}; move the project"
            )
    write_private(path, "".join(f"{name}='{value}'\n" for name, value in sorted(variables.items())))


def read_environment(path: Path) -> dict[str, str]:
    """The variables in ``path``; empty where there is no such file."""
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
