"""Background processes that outlive their launcher: started in their own session, recognised later, stopped whole.

By hand on ``psutil``: honcho and its like stay in the foreground and end with their terminal.
"""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_services.loopback import is_listening, wait_until
from local_services.private_files import open_private_log, read_record, write_record

# A process id is used again some day; id and start time together are not. psutil derives the start time
# from the boot time, which clock adjustments move a little.
START_TIME_TOLERANCE_SECONDS = 2.0


class LocalServiceError(Exception):
    """A service of this machine did not start, stop or answer; the message names its log file."""


@dataclass(frozen=True)
class BackgroundProcess:
    """One service process and all that it forks, remembered in ``<folder>/<name>.process.json``."""

    name: str
    folder: Path

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.folder / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether the process that we started lives."""
        leader = self._leader()
        return leader is not None and _alive(leader)

    @property
    def members(self) -> list[psutil.Process]:
        """The process and its descendants, also those that a dead leader left behind or that changed their group."""
        record = read_record(self._record_file)
        if record is None or not self._is_ours(record["pid"], record["started"]):
            return []
        in_session = (pid for pid in psutil.pids() if _session(pid) == record["pid"])
        return [process for process in map(_lookup, in_session) if process is not None and _alive(process)]

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Starts ``command`` unless it runs; what a dead leader left behind is ended first."""
        if self.running:
            return
        self.stop(patience_seconds=0.0, grace_seconds=1.0)
        log = open_private_log(self.log_file)
        try:
            child = subprocess.Popen(
                command,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,  # deliveries, messages and task logs are nobody else's business
            )
        finally:
            os.close(log)
        record = {"pid": child.pid, "started": psutil.Process(child.pid).create_time(), "command": command[0]}
        write_record(self._record_file, record)

    def await_listening(self, port: int, *, seconds: float = 20.0) -> None:
        """Waits until the process accepts connections on ``port``.

        Raises:
            LocalServiceError: it ended, or it does not listen after ``seconds``.
        """
        wait_until(lambda: is_listening(port) or not self.running, seconds=seconds)
        if not self.running or not is_listening(port):
            raise self.failure(f"does not listen on port {port}")

    def ask_to_end(self) -> None:
        """Sends SIGTERM to the process, which is to end its descendants, and does not wait."""
        leader = self._leader()
        if leader is not None:
            _send([leader], signal.SIGTERM)

    def stop(self, *, patience_seconds: float = 3.0, grace_seconds: float = 5.0) -> None:
        """Asks the process to end, then also its descendants, then kills what still lives.

        Args:
            patience_seconds: between the first and the second request; some leaders (Airflow's triggerer) wait for a
                child that does not listen to them.
            grace_seconds: between the second request and the kill.
        """
        self.ask_to_end()
        self._await_end(seconds=patience_seconds)
        _send(self.members, signal.SIGTERM)
        self._await_end(seconds=grace_seconds)
        _send(self.members, signal.SIGKILL)
        self._await_end(seconds=grace_seconds)
        self._record_file.unlink(missing_ok=True)

    def failure(self, what: str) -> LocalServiceError:
        """The error that says ``what`` went wrong and where to read on."""
        return LocalServiceError(f"{self.name} {what}; read {self.log_file}, then stop and start it again")

    @property
    def _record_file(self) -> Path:
        return self.folder / f"{self.name}.process.json"

    def _await_end(self, *, seconds: float) -> None:
        wait_until(lambda: not self.members, seconds=seconds)

    def _leader(self) -> psutil.Process | None:
        record = read_record(self._record_file)
        process = None if record is None else _lookup(record["pid"])
        if record is None or process is None or not _started_at(process, record["started"]):
            return None
        return process

    def _is_ours(self, pid: int, started: float) -> bool:
        # The system gives no process the id of a session that still has members.
        process = _lookup(pid)
        return process is None or _started_at(process, started)


def _lookup(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _alive(process: psutil.Process) -> bool:
    """False also for a zombie: it has ended and only waits for its parent to notice."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _started_at(process: psutil.Process, started: float) -> bool:
    try:
        return abs(float(process.create_time()) - started) < START_TIME_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _send(processes: Iterable[psutil.Process], signal_number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal_number)
