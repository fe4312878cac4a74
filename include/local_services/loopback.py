"""The loopback interface: which port is free, which one a service had last time, and whether somebody listens."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from local_services.private_files import read_record, write_record

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port that nobody uses at this moment, picked by the operating system."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether a server accepts connections on ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def remembered_port(path: Path) -> int | None:
    """The port that ``claim_port`` noted in ``path``; none before the first time."""
    record = read_record(path)
    return None if record is None else int(record["port"])


def claim_port(path: Path) -> int:
    """The port of last time if it is still free, else a fresh one; noted in ``path``, so that addresses stay valid."""
    port = remembered_port(path)
    if port is None or is_listening(port):
        port = free_port()
        write_record(path, {"port": port})
    return port


def wait_until(ready: Callable[[], bool], *, seconds: float, interval: float = 0.05) -> bool:
    """Asks ``ready`` every ``interval`` seconds until it says yes; False when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True
