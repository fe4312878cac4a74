"""Work folders: private whatever the umask, kept while their process lives, gone with the next run after it died."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from regsosek import scratch
from regsosek.scratch import ABANDONED_SECONDS, TERMINATED, Holder, open_private, sweep, work_folder, work_folders
from regsosek.settings import Settings
from regsosek.watchdog import dag_round
from regsosek.watchdog.rounds import Round

NAME = "REGSOSEK_TEST_FAMILY"
# Works in a folder until it is told otherwise; what it wrote is what a delivery would be.
WORKER = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from regsosek.scratch import work_folder
with work_folder(Path(sys.argv[1]), "prov65") as folder:
    (folder / "keluarga-00001.csv.gz").write_text("{name}")
    if "fork" not in sys.argv or not os.fork():
        print("works", os.getpid(), flush=True)
    time.sleep(60)
""".replace("{name}", NAME)
pytestmark = pytest.mark.timeout(60)


@contextmanager
def worker(root: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A process that works in a folder; it is killed at the end of the block."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(root), *more], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    return next(line.split() for line in process.stdout if line.startswith(word))


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.fixture
def no_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    assert os.umask(former) == 0, "a work folder left its umask behind"


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def test_folders_and_files_are_private_whatever_the_umask(tmp_path: Path, no_umask: None) -> None:
    with work_folder(tmp_path, "prov65") as folder:
        (folder / "keluarga.csv").write_text(NAME)
        with work_folder(tmp_path, "manifest"):
            pass
        (folder / "anggota.csv").write_text(NAME)
        (folder / "spill").mkdir()
        assert modes(tmp_path) == {0o600, 0o700}
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_names_families_is_private(tmp_path: Path, no_umask: None) -> None:
    with open_private(tmp_path / "cases.csv") as file:
        file.write("id_dokumen\n")
    assert modes(tmp_path) == {0o600}


def test_the_next_run_deletes_what_a_killed_one_left(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        said(process, "works")
        process.kill()
        process.wait()
    assert "keluarga-00001.csv.gz" in left(tmp_path)
    with work_folder(tmp_path, "audit") as own:
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [own]
    assert list(tmp_path.iterdir()) == []


def test_a_living_run_keeps_its_folder(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        said(process, "works")
        assert sweep(tmp_path) == 0
        assert "keluarga-00001.csv.gz" in left(tmp_path)
        assert [each.holder for each in work_folders(tmp_path)] == [Holder.LIVING]
        assert sweep(tmp_path) == 0, "looking must not take the lock from its holder"


def test_a_fork_that_outlives_its_parent_keeps_no_folder(tmp_path: Path) -> None:
    with worker(tmp_path, "fork") as process:
        child = int(said(process, "works")[1])
        try:
            process.kill()
            process.wait()
            assert sweep(tmp_path) == 1
            assert left(tmp_path) == []
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_run_that_is_refused_memory_cleans_up(tmp_path: Path) -> None:
    """What the kernel kills for its memory leaves what SIGKILL leaves: the next run deletes it."""
    limited = (
        "import resource, sys\nfrom pathlib import Path\nfrom regsosek.scratch import work_folder\n"
        "with work_folder(Path(sys.argv[1]), 'prov65') as folder:\n"
        f"    (folder / 'keluarga-00001.csv.gz').write_text({NAME!r})\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "    bytearray(2 << 30)\n"
    )
    ended = subprocess.run([sys.executable, "-c", limited, str(tmp_path)], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "MemoryError" in ended.stderr
    assert left(tmp_path) == []


def test_sigterm_cleans_up(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        said(process, "works")
        process.terminate()
        assert process.wait() == TERMINATED
    assert list(tmp_path.iterdir()) == []


def test_sigterm_is_as_before_once_no_folder_is_open(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with work_folder(tmp_path, "audit"):
        assert signal.getsignal(signal.SIGTERM) is not before
        with work_folder(tmp_path, "suites"):
            pass
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_handler_that_stood_there_is_called_too(tmp_path: Path) -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: called.append(number))
    try:
        with pytest.raises(SystemExit), work_folder(tmp_path, "audit"):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert called == [signal.SIGTERM]
    assert list(tmp_path.iterdir()) == []


def aged(path: Path, seconds: float) -> None:
    at = time.time() - seconds
    for each in (*path.rglob("*"), path):
        os.utime(each, (at, at))


def legacy(root: Path, age: float, name: str = "audit-7x_k29ab") -> Path:
    """A folder as versions without locks left it."""
    folder = root / name
    folder.mkdir(mode=0o700)
    (folder / "keluarga-00001.csv.gz").write_text(NAME)
    aged(folder, age)
    return folder


@pytest.mark.parametrize(("age", "kept"), [(ABANDONED_SECONDS - 60, True), (ABANDONED_SECONDS + 60, False)])
def test_a_folder_without_lock_goes_when_no_task_can_be_at_work(tmp_path: Path, age: float, kept: bool) -> None:
    folder = legacy(tmp_path, age)
    assert sweep(tmp_path) == (not kept)
    assert folder.exists() == kept


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    others = [legacy(tmp_path, 10 * ABANDONED_SECONDS, name) for name in ("home", "prov65", "data-7x_k29ab")]
    sweep(tmp_path)
    assert all(each.exists() for each in others)


@pytest.mark.parametrize(
    ("kernel", "shared", "age", "kept"),
    [
        ("another", True, 60, True),
        ("another", True, ABANDONED_SECONDS + 60, False),
        ("another", False, 60, False),
        ("own", True, 60, False),
    ],
    ids=["another machine at work", "another machine's of yesterday", "before the reboot", "own on a shared disk"],
)
def test_a_free_lock_proves_death_on_its_own_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: str, shared: bool, age: float, kept: bool
) -> None:
    folder = legacy(tmp_path, age, "prov65-0123456789abcdef")
    lock = folder.with_name(folder.name + scratch.LOCK)
    lock.write_text(scratch._kernel() if kernel == "own" else "another")
    os.utime(lock, (time.time() - age,) * 2)
    monkeypatch.setattr(scratch, "_of_one_machine", lambda _: not shared)
    assert [each.holder for each in work_folders(tmp_path)] == [Holder.UNKNOWN if kept else Holder.DEAD]
    sweep(tmp_path)
    assert folder.exists() == kept
    assert lock.exists() == kept


def test_many_that_make_and_sweep_at_once_lose_no_folder(tmp_path: Path) -> None:
    def work(number: int) -> bool:
        whole = True
        for _ in range(40):
            with work_folder(tmp_path, f"prov{number:02d}") as folder:
                (folder / "part").write_text(NAME)
                sweep(tmp_path)
                whole = whole and (folder / "part").exists()
        return whole

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(11, 19)))
    assert list(tmp_path.iterdir()) == []


def test_a_round_of_the_watchdogs_dag_clears_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(*_: object, **__: object) -> Round:
        return Round(datetime.now(UTC), (), frozenset(), (), {}, None)

    legacy(tmp_path, ABANDONED_SECONDS + 60)
    monkeypatch.setattr(dag_round, "load_settings", lambda: Settings.model_construct(work_dir=tmp_path))
    monkeypatch.setattr(dag_round, "watch", watch)
    assert dag_round.watch_once(scheduled=False) == {}
    assert left(tmp_path) == []


def test_what_cannot_be_deleted_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(scratch.shutil, "rmtree", refuse)
        with work_folder(tmp_path, "prov65"):
            pass
    assert "Read-only file system; it may hold personal data" in caplog.text
    assert sweep(tmp_path) == 1


SPENT = """
import os, signal, sys
from pathlib import Path
from regsosek.scratch import work_folder
signal.alarm(5)
root = Path(sys.argv[1])
if "account" in sys.argv and os.geteuid() == 0:
    os.seteuid(65534)
try:
    with work_folder(root, "prov65"):
        print("made")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("which", ["no right to write", "gone"])
def test_a_work_directory_that_takes_no_folder_is_said_at_once(which: str) -> None:
    with TemporaryDirectory() as place:  # below pytest's own directory another account could not look
        Path(place).chmod(0o755)
        root = Path(place, "work")
        if which == "no right to write":
            root.mkdir(mode=0o555)
        command = [sys.executable, "-c", SPENT, str(root), "account" if root.exists() else "self"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, "it went on for ever, and the alarm ended it"
    assert ended.stdout.strip() == ("PermissionError" if which == "no right to write" else "FileNotFoundError")


def test_a_folder_that_cannot_be_made_keeps_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    held = set(scratch._HELD)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        with pytest.raises(OSError, match="No space"), work_folder(tmp_path, "prov65"):
            pass
    assert list(tmp_path.iterdir()) == []
    assert held == scratch._HELD


@pytest.mark.parametrize("whole", [True, False], ids=["the folder", "a folder in it"])
def test_looking_survives_a_folder_that_vanishes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    folder = legacy(tmp_path, 60)
    (folder / "spill").mkdir()
    look, vanishes = os.scandir, folder if whole else folder / "spill"

    def vanishing(path: os.PathLike[str] | str) -> object:
        if Path(path) == vanishes:
            subprocess.run(["rm", "-rf", path], check=True)
        return look(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert [each.path for each in work_folders(tmp_path)] == ([] if whole else [folder])
    assert not vanishes.exists()
