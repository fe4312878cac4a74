"""The units of the watchdog: they call a command that exists, with settings that exist, between the DAG's rounds."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from regsosek.cli.main import app
from regsosek.settings import PREFIX, PROJECT_ROOT, Settings

UNITS = PROJECT_ROOT / "deploy" / "systemd"
QUARTERS = {0, 15, 30, 45}


def lines_of(unit: str, key: str) -> list[str]:
    text = (UNITS / unit).read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_the_service_calls_a_command_that_is_there() -> None:
    (started,) = lines_of("regsosek-watchdog.service", "ExecStart")
    program, command = started.split()
    assert program.endswith("/bin/regsosek")
    assert command in get_command(app).commands  # type: ignore[attr-defined]


def test_its_variables_are_settings() -> None:
    names = [each.partition("=")[0] for each in lines_of("regsosek-watchdog.service", "Environment")]
    assert names
    assert {name.removeprefix(PREFIX).lower() for name in names} <= set(Settings.model_fields)


def test_its_rounds_fall_between_those_of_the_dag() -> None:
    (calendar,) = lines_of("regsosek-watchdog.timer", "OnCalendar")
    start, step = map(int, calendar.removeprefix("*:").split("/"))
    minutes = set(range(start, 60, step))
    assert len(minutes) == len(QUARTERS)
    assert min(abs(a - b) for a in minutes for b in QUARTERS) >= 5


def test_every_section_is_one_of_systemd() -> None:
    for unit in UNITS.iterdir():
        parser = configparser.RawConfigParser(strict=False)
        parser.read(unit, encoding="utf-8")
        assert set(parser.sections()) <= {"Unit", "Service", "Timer", "Install"}, unit.name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = tmp_path / "regsosek"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/regsosek/.venv/bin/regsosek", str(program))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / unit.name) for unit in UNITS.iterdir()]
    verified = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
