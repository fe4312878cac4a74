"""Dockerfile and .dockerignore: unprivileged, from the lock, and without anything that was not named."""

import re
import subprocess
from fnmatch import fnmatch

import pytest

from regsosek.settings import PROJECT_ROOT

DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
SECRETS_FILE = ".env"


def ignored_by_docker(path: str) -> bool:
    """Whether the last pattern of .dockerignore that fits ``path`` excludes it."""
    ignored = False
    for line in (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().rstrip("/")
        if not pattern or pattern.startswith("#"):
            continue
        keeps, pattern = pattern.startswith("!"), pattern.removeprefix("!").removeprefix("**/")
        if fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
            ignored = not keeps
    return ignored


def test_last_user_is_not_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in {"root", "0"}
    assert f"{users[-1]}\n" in DOCKERFILE[DOCKERFILE.index("useradd") :]


def test_dependencies_come_hashed_from_the_lock() -> None:
    installs = re.findall(r"(?:uv pip sync|pip install).*?(?=&&|\nRUN|\nCOPY|\nFROM|\nUSER)", DOCKERFILE, re.DOTALL)
    assert len(installs) >= 2
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


@pytest.mark.parametrize("folder", ["include", "expectations", "dags", "plugins"])
def test_the_project_is_in_the_image(folder: str) -> None:
    assert f"COPY {folder}/ {folder}/" in DOCKERFILE
    assert not ignored_by_docker(f"{folder}/anything.json")


@pytest.mark.parametrize("path", [SECRETS_FILE, "var/local.env", ".git/config", "tests/conftest.py", "docker/.env"])
def test_the_image_never_sees(path: str) -> None:
    assert ignored_by_docker(path)


@pytest.mark.parametrize("path", ["docker/init.sh", "docker/accounts.csv"])
def test_what_services_start_with_is_in_the_image(path: str) -> None:
    assert not ignored_by_docker(path)


def test_git_ignores_the_secrets() -> None:
    asked = subprocess.run(["git", "check-ignore", "--quiet", SECRETS_FILE], cwd=PROJECT_ROOT, check=False)
    assert asked.returncode == 0
