"""Where the watchdogs keep what they remember: a file of each, and one object that they share.

Either may be gone: a lost file is made good from the object, and a dead store leaves each watchdog with its own file.
"""

import os
from collections.abc import Callable
from pathlib import Path

from regsosek.errors import ObjectStoreError
from regsosek.landing.store import Store
from regsosek.settings import Settings
from regsosek.watchdog.observing.observed import Unreachable
from regsosek.watchdog.observing.store_view import fault_of
from regsosek.watchdog.state import Memory, merged, read, written

OBJECT = "watchdog/memory.json"
MAX_BYTES = 1 << 20


def remembered(store: Store, settings: Settings) -> Memory:
    """What file and object know together; nothing where neither can be read."""
    contents = (_tried(lambda: _file(settings.watchdog_state_file)), _tried(lambda: _object(store, settings)))
    known = [read(each) for each in contents if isinstance(each, bytes)]
    return merged(each for each in known if each is not None)


def keep(store: Store, settings: Settings, memory: Memory) -> Unreachable | None:
    """Writes both places; says why where neither took it."""
    content = written(memory)
    faults = [
        _tried(lambda: _write_file(settings.watchdog_state_file, content)),
        _tried(lambda: store.put_bytes(settings.archive_bucket, OBJECT, content)),
    ]
    refused = [each.why for each in faults if isinstance(each, Unreachable)]
    return Unreachable("; ".join(refused)) if len(refused) == len(faults) else None


def _tried(do: "Callable[[], bytes | None]") -> bytes | Unreachable | None:
    try:
        return do()
    except ObjectStoreError as error:
        return Unreachable(fault_of(error))
    except OSError as error:
        return Unreachable(f"REGSOSEK_WATCHDOG_STATE_FILE: {type(error).__name__}")


def _file(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _object(store: Store, settings: Settings) -> bytes | None:
    return store.get_bytes(settings.archive_bucket, OBJECT, max_bytes=MAX_BYTES)


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)
