"""`make env`: fresh secrets, private from the first moment, and never over an existing file."""

import re
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from dotenv import dotenv_values

from regsosek.settings import PROJECT_ROOT


@pytest.fixture
def make_env(command: Callable[[str], ModuleType]) -> ModuleType:
    return command("docker/make_env.py")


def test_only_the_owner_can_read_it(make_env: ModuleType, tmp_path: Path) -> None:
    make_env.write_env(tmp_path / ".env")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_an_existing_file_stays(make_env: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    existing = tmp_path / ".env"
    existing.write_text("REGSOSEK_HMAC_KEY=in-use\n", encoding="utf-8")
    assert make_env.main(existing) == 1
    assert existing.read_text(encoding="utf-8") == "REGSOSEK_HMAC_KEY=in-use\n"
    assert "stays as it is" in capsys.readouterr().err


def test_it_sets_what_compose_demands(make_env: ModuleType, tmp_path: Path) -> None:
    make_env.write_env(tmp_path / ".env")
    compose = (PROJECT_ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    demanded = set(re.findall(r"\$\{(\w+):\?", compose))
    assert demanded | set(make_env.DEVELOPMENT) == set(dotenv_values(tmp_path / ".env"))
    assert all(f"${{{name}:-}}" in compose for name in make_env.DEVELOPMENT if name != "COMPOSE_PROFILES")


def test_no_two_files_share_a_secret(make_env: ModuleType) -> None:
    first, second = make_env.fresh_values(), make_env.fresh_values()
    # The stand-in of a store knows one key, whoever asks.
    repeated = {name for name in first if name.startswith(("PAGES_S3_", "WATCHDOG_S3_"))}
    secrets = set(first) - set(make_env.DEVELOPMENT) - repeated
    assert all(first[name] != second[name] for name in secrets)
    assert len({first[name] for name in secrets}) == len(secrets)


def test_values_need_no_quoting(make_env: ModuleType) -> None:
    """Compose interpolates ``$``, a URL breaks at ``@ : / #``, and rclone splits its key pair at the comma."""
    assert all(re.fullmatch(r"[A-Za-z0-9_=-]+", value) for value in make_env.fresh_values().values())


def test_it_never_tells_a_secret(make_env: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_env.main(tmp_path / ".env") == 0
    said = "".join(capsys.readouterr())
    written = dotenv_values(tmp_path / ".env")
    assert not any(value in said for name, value in written.items() if value and name not in make_env.DEVELOPMENT)
