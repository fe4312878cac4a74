"""Background processes: descendants are ended with their leader, strangers are left alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_services.loopback import free_port, wait_until
from local_services.private_files import read_record, write_record
from local_services.processes import BackgroundProcess, LocalServiceError

# A leader with a child that has left the process group and does not listen to SIGTERM, as a task of Airflow may.
LEADER_WITH_DEAF_CHILD = """
import os, signal, time
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""


@pytest.fixture
def background(tmp_path: Path) -> Iterator[BackgroundProcess]:
    background = BackgroundProcess("background", tmp_path)
    yield background
    background.stop(patience_seconds=0.1, grace_seconds=0.3)


def start_with_child(background: BackgroundProcess) -> list[psutil.Process]:
    background.start([sys.executable, "-c", LEADER_WITH_DEAF_CHILD], {})
    assert wait_until(lambda: len(background.members) == 2, seconds=10)
    assert wait_until(lambda: any(b"Ign" in _signals(process) for process in background.members), seconds=10)
    return background.members


def _signals(process: psutil.Process) -> bytes:
    ignored = Path(f"/proc/{process.pid}/status").read_text().split("SigIgn:\t")[1].split()[0]
    return b"Ign" if int(ignored, 16) & (1 << 14) else b""


def dead(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_stop_ends_a_child_that_is_deaf_and_left_the_group(background: BackgroundProcess) -> None:
    members = start_with_child(background)
    background.stop(patience_seconds=0.1, grace_seconds=0.3)
    assert all(dead(process) for process in members)


def test_stop_ends_what_a_killed_leader_left_behind(background: BackgroundProcess) -> None:
    members = start_with_child(background)
    record = read_record(background.folder / "background.process.json")
    assert record is not None
    psutil.Process(record["pid"]).kill()
    assert wait_until(lambda: not background.running, seconds=5)
    background.stop(patience_seconds=0.1, grace_seconds=0.3)
    assert all(dead(process) for process in members)


def test_start_twice_starts_once(background: BackgroundProcess) -> None:
    members = start_with_child(background)
    background.start([sys.executable, "-c", LEADER_WITH_DEAF_CHILD], {})
    assert background.members == members


def test_a_stranger_with_the_same_id_is_left_alone(background: BackgroundProcess) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as stranger:
        try:
            started = psutil.Process(stranger.pid).create_time() - 3600
            write_record(background.folder / "background.process.json", {"pid": stranger.pid, "started": started})
            assert not background.running
            background.stop()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_failure_to_listen_names_the_log(background: BackgroundProcess) -> None:
    background.start([sys.executable, "-c", "raise SystemExit(3)"], {})
    with pytest.raises(LocalServiceError, match=r"background\.log"):
        background.await_listening(free_port())
