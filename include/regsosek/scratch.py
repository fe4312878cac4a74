"""Work folders of tasks: private, locked by the process that works in them, swept when that process is gone.

Beside each folder ``NAME`` lies ``NAME.lock``. The kernel keeps the lock of a living process and drops it with the
process, however that ends; process ids, which are used again, decide nothing.
"""

import fcntl
import logging
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import IO, Any

import psutil

log = logging.getLogger(__name__)

LOCK = ".lock"
TERMINATED = 128 + signal.SIGTERM
# Twelve times the limit of a task: whatever nobody can prove alive is dead by then.
ABANDONED_SECONDS = 24 * 60 * 60
# Purposes of our folders and a random part. Nothing else is touched: an operator may name a shared directory.
_OURS = re.compile(r"(?:prov\d\d|audit(?:\d\d)?|reference|suites|manifest|codebook|contract)-[a-z0-9_]{8,16}")
# No second machine can reach these; any other file system may be shared, and locks may not reach across.
_OF_ONE_MACHINE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "ramfs", "overlay"})
_KERNEL = Path("/proc/sys/kernel/random/boot_id")


class Holder(StrEnum):
    """Who works in a folder; UNKNOWN: perhaps a process of another machine that shares the disk."""

    LIVING = "living"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WorkFolder:
    """A folder in the work directory.

    Attributes:
        touched: seconds since the epoch at which anything in it was written last.
        size: bytes of all files in it.
    """

    path: Path
    holder: Holder
    touched: float
    size: int


@contextmanager
def work_folder(root: Path, purpose: str) -> Iterator[Path]:
    """Makes a folder of mode 0700 under ``root`` for one task and deletes it at the end, also on SIGTERM.

    Files that the process writes meanwhile have mode 0600, whatever its umask. Folders of dead processes go first.
    """
    sweep(root)
    with _PRIVATE, _ended_by_sigterm():
        folder, lock = _claim(root, purpose)
        owner = os.getpid()
        try:
            yield folder
        finally:
            if os.getpid() == owner:  # a fork that unwinds has no say
                _remove(folder)
                _release(folder, lock)


def sweep(root: Path) -> int:
    """Deletes the folders of dead processes under ``root``; returns how many. What cannot be deleted is logged."""
    return sum(_sweep_one(root, name) for name in _names(root))


def work_folders(root: Path) -> list[WorkFolder]:
    """All work folders under ``root``, oldest first; looks only."""
    seen = [_look(root, name) for name in _names(root) if (root / name).is_dir()]
    return sorted((each for each in seen if each.path.is_dir()), key=lambda each: each.touched)


def open_private(path: Path) -> IO[str]:
    """Opens ``path`` for writing text with mode 0600 when new: lists that name families are for their reader alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _names(root: Path) -> list[str]:
    try:
        return sorted({name for each in root.iterdir() if _OURS.fullmatch(name := each.name.removesuffix(LOCK))})
    except (FileNotFoundError, PermissionError):  # nothing was ever made, or it is another account's
        return []


def _claim(root: Path, purpose: str) -> tuple[Path, int]:
    while True:
        folder = root / f"{purpose}-{token_hex(8)}"
        if (lock := _lock(_lock_of(folder), os.O_CREAT)) is not None:
            _HELD.add(lock)
            try:
                os.write(lock, _kernel().encode())
                folder.mkdir(mode=0o700)
            except OSError:
                _release(folder, lock)
                raise
            return folder, lock


def _lock(path: Path, flags: int = 0) -> int | None:
    """A descriptor that holds the lock of ``path``; none where somebody else has it or the file is gone or not ours.

    Raises:
        OSError: the file cannot be made, with ``os.O_CREAT`` among ``flags``; another name would fare no better.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    except (FileNotFoundError, PermissionError):
        if flags & os.O_CREAT:
            raise
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A sweeper may have deleted the file between the two calls: the lock of a deleted file protects nothing.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _sweep_one(root: Path, name: str) -> int:
    folder = root / name
    lock = _lock(_lock_of(folder))
    try:
        if _holder(folder, lock) is not Holder.DEAD:
            return 0
        _remove(folder)
        if folder.exists():
            return 0
        _lock_of(folder).unlink(missing_ok=True)
        log.warning("deleted work folder %s of a process that ended without cleaning up", name)
        return 1
    finally:
        if lock is not None:
            os.close(lock)


def _look(root: Path, name: str) -> WorkFolder:
    folder = root / name
    lock = _lock(_lock_of(folder))
    try:
        return WorkFolder(folder, _holder(folder, lock), _touched(folder), _size(folder))
    finally:
        if lock is not None:
            os.close(lock)


def _holder(folder: Path, lock: int | None) -> Holder:
    """Who works in ``folder``; ``lock``: its lock, if it was free."""
    if lock is None and _lock_of(folder).exists():
        return Holder.LIVING
    if lock is not None and (_of_one_machine(folder.parent) or os.pread(lock, 64, 0).decode() == _kernel()):
        return Holder.DEAD
    return Holder.DEAD if time.time() - _touched(folder) > ABANDONED_SECONDS else Holder.UNKNOWN


def _kernel() -> str:
    """Names the running kernel: among its processes, in whichever container, a lock decides."""
    return _KERNEL.read_text(encoding="ascii").strip() if _KERNEL.exists() else f"{os.uname().nodename}"


def _of_one_machine(directory: Path) -> bool:
    place = directory.resolve()
    mounts = [each for each in psutil.disk_partitions(all=True) if place.is_relative_to(each.mountpoint)]
    return bool(mounts) and max(mounts, key=lambda each: len(each.mountpoint)).fstype in _OF_ONE_MACHINE


def _files(folder: Path) -> Iterator[os.stat_result]:
    # Its task may delete any of it meanwhile; walk passes over a directory that is gone, rglob raises.
    within = (Path(base, name) for base, *names in os.walk(folder) for name in chain.from_iterable(names))
    for path in chain((folder, _lock_of(folder)), within):
        with suppress(FileNotFoundError, PermissionError):
            yield path.lstat()


def _touched(folder: Path) -> float:
    return max((each.st_mtime for each in _files(folder)), default=time.time())


def _size(folder: Path) -> int:
    return sum(each.st_size for each in _files(folder))


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + LOCK)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("work folder %s cannot be deleted: %s; it may hold personal data", folder.name, error.strerror)


def _release(folder: Path, lock: int) -> None:
    # A folder that could not be deleted keeps its lock file, so that the next sweep tries again at once.
    if not folder.exists():
        _lock_of(folder).unlink(missing_ok=True)
    _HELD.discard(lock)
    os.close(lock)


# Forks inherit descriptors, and with them the lock: a child that outlives its parent would keep the folder for ever.
_HELD: set[int] = set()


def _let_go_in_child() -> None:
    for descriptor in _HELD:
        with suppress(OSError):
            os.close(descriptor)
    _HELD.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class _PrivateFiles:
    """Sets the umask of the process to 077 while any thread is inside."""

    def __init__(self) -> None:
        self._guard, self._inside, self._former = threading.Lock(), 0, 0

    def __enter__(self) -> None:
        with self._guard:
            if not self._inside:
                self._former = os.umask(0o077)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._inside -= 1
            if not self._inside:
                os.umask(self._former)


_PRIVATE = _PrivateFiles()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM end the process by an exception, so that what is open is tidied up; only the main thread can."""
    former = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or getattr(former, "ends_by_exception", False):
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        _call(former, number, frame)
        raise SystemExit(TERMINATED)

    end.ends_by_exception = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _call(handler: Any, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
