"""What a browser looks at: two published nights of a few provinces, and the site of the release as files."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from regsosek.local.stack import Stack
from regsosek.settings import Settings

# Two provinces deliver two nights, one the first night only, all others never.
NIGHTS = ("2022-10-21", "2022-10-22")
EVERY_NIGHT, FIRST_NIGHT_ONLY = ("34", "64"), "65"


def run_nights(services: Stack) -> None:
    """Delivers and runs both nights with the commands that an operator has."""
    first, second = NIGHTS
    provinces = [argument for code in EVERY_NIGHT for argument in ("-p", code)]
    regsosek(services, "migrate")
    regsosek(services, "simulate", "--from", first, "--nights", "1", *provinces, "-p", FIRST_NIGHT_ONLY)
    regsosek(services, "reference")
    regsosek(services, "night", "--date", first, "--no-alerts")
    regsosek(services, "simulate", "--from", second, "--nights", "1", *provinces)
    regsosek(services, "night", "--date", second, "--no-alerts")


def regsosek(services: Stack, *arguments: str) -> None:
    """Runs a command of the project on running services."""
    environment = {**os.environ, "REGSOSEK_ENV_FILE": str(services.environment_file)}
    command = [str(Path(sys.executable).with_name("regsosek")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"regsosek {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def released(services: Stack) -> Path:
    """The folder of the newest release of the last night."""
    bucket = services.root / "s3" / str(Settings.model_fields["release_bucket"].default)
    return max((bucket / "rilis").glob(f"{NIGHTS[-1]}-*"))


@dataclass(frozen=True)
class Site:
    """A published release in ``folder``, served at ``origin``."""

    folder: Path
    origin: str

    @property
    def pages(self) -> list[str]:
        """One page of each kind: the first of each folder, those of the top folder all."""
        found = sorted(path.relative_to(self.folder) for path in self.folder.rglob("*.html"))
        kinds = {path.parent: path for path in reversed(found)}
        return sorted({str(path) for path in found if path.parent == Path()} | {str(path) for path in kinds.values()})

    def weight(self) -> int:
        """Bytes of the first page alone."""
        return (self.folder / "index.html").stat().st_size
