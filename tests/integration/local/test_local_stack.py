"""The services together: up twice, down, clean; the settings file that they leave for everybody else."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local_services.postgres_files import remembered_place
from regsosek.local import stack
from regsosek.local.warehouse_accounts import account_url
from regsosek.settings import Settings, load_settings


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "var"
    yield root
    stack.clean(root)


def settings_of(root: Path) -> Settings:
    return load_settings({"REGSOSEK_ENV_FILE": str(stack.Stack(root).environment_file)})


def running_names(root: Path) -> set[str]:
    return {service.name for service in stack.status(root) if service.running}


def processes_below(*places: Path) -> list[list[str]]:
    """Command lines of all living processes that name one of ``places``."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if any(str(place) in part for place in places for part in line)]


def test_services_leave_a_private_file_that_settings_read(root: Path) -> None:
    services = stack.services_up(root)
    assert stat.S_IMODE(services.environment_file.stat().st_mode) == 0o600
    settings = settings_of(root)
    assert settings.warehouse_url.get_secret_value() == account_url(services.postgres, "regsosek", "loader")
    assert settings.smtp_port == services.mail.port
    assert {folder.name for folder in services.object_store.data.iterdir()} == {
        settings.landing_bucket,
        settings.archive_bucket,
        settings.release_bucket,
    }


def test_status_of_nothing_makes_nothing(root: Path) -> None:
    assert running_names(root) == set()
    stack.down(root)
    stack.clean(root)
    assert not root.exists()


def test_second_start_finds_all_running_even_at_the_same_time(root: Path) -> None:
    with ThreadPoolExecutor(2) as callers:
        first, second = callers.map(stack.services_up, [root, root])
    assert first.environment() == second.environment()
    members = [*first.object_store.process.members, *first.mail.process.members]
    stack.services_up(root)
    assert [*first.object_store.process.members, *first.mail.process.members] == members


def test_down_leaves_no_process_and_keeps_secrets_and_data(root: Path) -> None:
    before = settings_of(stack.services_up(root).root)
    place = remembered_place(root / "postgres")
    assert place is not None
    stack.down(root)
    assert running_names(root) == set()
    assert processes_below(root, place.home) == []
    stack.services_up(root)
    assert settings_of(root) == before


def test_clean_removes_everything_also_outside_of_the_root(root: Path) -> None:
    stack.services_up(root)
    place = remembered_place(root / "postgres")
    assert place is not None
    stack.clean(root)
    assert not root.exists()
    assert not place.home.exists()
    assert processes_below(root, place.home) == []


def test_nothing_below_the_root_is_open_to_others(root: Path) -> None:
    stack.services_up(root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    secrets = [
        root / "hmac-key",
        root / "archive-key",
        root / "postgres" / "password",
        root / "object-store" / "secret-key",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
