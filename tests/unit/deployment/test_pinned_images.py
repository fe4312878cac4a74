"""docker/pin-images.sh: images by their content in .env; what fails leaves .env as it was, and private."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from regsosek.settings import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / "docker" / "pin-images.sh"
IMAGES = {"MAIL_IMAGE", "POSTGRES_IMAGE", "PYTHON_IMAGE", "REDIS_IMAGE"}
# A registry of five lines: the digest of an image is a number, its own or that of the day.
DOCKER = """#!/bin/sh
for last; do :; done
[ "$1" != pull ] || { echo "$last" >>"$ASKED"; [ "$last" != "$BROKEN" ]; exit; }
[ "$last" = "$LOCAL" ] || printf '%s@sha256:%064d\\n' "${last%:*}" "$DAY"
"""


@pytest.fixture
def env(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(DOCKER, encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    file = tmp_path / "env"
    file.write_text("REGSOSEK_HMAC_KEY=kept\nPOSTGRES_IMAGE=mirror.bps.example:5000/postgres:18\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def run(env: Path, *options: str, **given: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": f"{env.parent}:{os.environ['PATH']}", "ENV_FILE": str(env), "ASKED": str(env.parent / "asked")}
    own |= {"DAY": "1", "BROKEN": "", "LOCAL": ""} | given
    return subprocess.run(["bash", str(SCRIPT), *options], env=own, capture_output=True, text=True, check=False)


def values(env: Path) -> dict[str, str]:
    lines = env.read_text(encoding="utf-8").splitlines()
    assert len({line.partition("=")[0] for line in lines}) == len(lines), "a variable stands twice"
    return dict(line.split("=", 1) for line in lines)


def test_every_image_is_named_by_its_content(env: Path) -> None:
    assert run(env, "--check").returncode == 1
    assert run(env).returncode == 0
    written = values(env)
    assert set(written) == IMAGES | {"REGSOSEK_HMAC_KEY"}
    assert written["POSTGRES_IMAGE"] == f"mirror.bps.example:5000/postgres:18@sha256:{1:064d}"
    assert written["REGSOSEK_HMAC_KEY"] == "kept"
    assert run(env, "--check").returncode == 0
    assert stat.S_IMODE(env.stat().st_mode) == 0o600


def test_again_it_takes_what_the_tag_stands_for_then(env: Path) -> None:
    run(env)
    assert run(env, DAY="2").returncode == 0
    assert {value.rpartition("@")[2] for name, value in values(env).items() if name in IMAGES} == {f"sha256:{2:064d}"}
    assert not [asked for asked in (env.parent / "asked").read_text().splitlines() if "@" in asked]


@pytest.mark.parametrize("how", ["BROKEN", "LOCAL"])
def test_what_cannot_be_looked_up_changes_nothing(env: Path, how: str) -> None:
    before = env.read_bytes()
    assert run(env, **{how: "mirror.bps.example:5000/postgres:18"}).returncode != 0
    assert env.read_bytes() == before
    assert [path.name for path in env.parent.glob("env*")] == ["env"]


def test_the_check_names_what_is_open(env: Path) -> None:
    run(env)
    env.write_text(env.read_text().replace(f"redis:8@sha256:{1:064d}", "redis:8@sha256:12"), encoding="utf-8")
    checked = run(env, "--check")
    assert checked.returncode == 1
    [line] = checked.stderr.splitlines()
    assert line.startswith("REDIS_IMAGE is named by a tag alone (redis:8@sha256:12)")


def test_without_a_file_it_says_how_to_make_one(env: Path) -> None:
    env.unlink()
    asked = run(env)
    assert asked.returncode == 2
    assert "make env" in asked.stderr
