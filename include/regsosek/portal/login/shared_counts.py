"""Counts of failed logins that all processes of one machine share: a small file of SQLite among temporary files.

It holds hashes and numbers, no names. Each count is one statement on a connection of its own, which outlives no fork.
"""

import logging
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from limits.storage import MemoryStorage, Storage

log = logging.getLogger(__name__)

BUSY_SECONDS = 1.0
_TABLE = "CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, amount INTEGER, ends REAL) WITHOUT ROWID"
_ADD = """
INSERT INTO counts VALUES (:key, max(:amount, 0), :ends) ON CONFLICT (key) DO UPDATE SET
    amount = max(CASE WHEN ends <= :now THEN 0 ELSE amount END + :amount, 0),
    ends = CASE WHEN ends <= :now THEN excluded.ends ELSE ends END
RETURNING amount
"""


class SharedCounts(Storage):
    """A storage of the library ``limits`` on a file; a machine without room for it counts by process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a count may fail with."""
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1, **_: Any) -> int:
        """Adds to a count, which begins anew once its time is over."""
        now = time.time()
        return int(self._ask(_ADD, key, amount=amount, now=now, ends=now + expiry) or 0)

    def decr(self, key: str) -> int:
        """Takes one back."""
        return self.incr(key, 0, -1)

    def get(self, key: str) -> int:
        """The count as it stands."""
        return int(self._ask("SELECT amount FROM counts WHERE key = :key AND ends > :now", key, now=time.time()) or 0)

    def get_expiry(self, key: str) -> float:
        """When it begins anew."""
        return float(self._ask("SELECT ends FROM counts WHERE key = :key", key) or time.time())

    def check(self) -> bool:
        """Whether counts can be kept."""
        self.get("")
        return True

    def reset(self) -> int | None:
        """Forgets all counts."""
        self._ask("DELETE FROM counts WHERE key <> :key", "")
        return None

    def clear(self, key: str) -> None:
        """Forgets one count, and those that are over."""
        self._ask("DELETE FROM counts WHERE key = :key OR ends <= :now", key, now=time.time())

    def _ask(self, statement: str, key: str, **values: float) -> Any:
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as connection, connection:
            connection.execute(_TABLE)
            row = connection.execute(statement, {"key": sha256(key.encode()).hexdigest(), **values}).fetchone()
        return row[0] if row else None


def counts_at_hand() -> SharedCounts | MemoryStorage:
    """The counts of this Airflow on this machine; of this process where no file can be had that is ours alone."""
    airflow = sha256(os.environ.get("AIRFLOW_HOME", "").encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"regsosek-logins-{os.getuid()}-{airflow}.sqlite"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        standing = path.lstat()
        if standing.st_uid != os.getuid() or standing.st_mode & 0o077:
            raise PermissionError
        counts = SharedCounts(path)
        counts.check()
    except (OSError, sqlite3.Error) as error:
        log.warning("failed logins are counted by each process for itself: %s", type(error).__name__)
        return MemoryStorage()
    return counts
