"""Asks the session that holds a lock again and again whether it lives, so that a dark network is noticed on both sides.

The operating system notices a peer that is gone (``database.py``), but not a proxy that still answers for one. Here the
server itself must answer; and the server ends the session that stays silent, for a lock must not outlive its holder.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from weakref import WeakSet

import psycopg

BEAT_SECONDS = 10.0
ANSWER_SECONDS = 20.0  # without an answer, after which the network is given up
LEASE_SECONDS = 50  # without a question, after which the server ends the session


class Heartbeat:
    """The pulse of one session."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.silent = False
        self._work, self._noting = WeakSet[psycopg.Connection](), threading.Lock()
        self._session, self._over = session, threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat of a lock", daemon=True)

    def cuts(self, connection: psycopg.Connection) -> None:
        """Notes a connection that waits for the same server, to be cut when the pulse stops."""
        with self._noting:
            self._work.add(connection)

    @contextmanager
    def beating(self) -> Iterator["Heartbeat"]:
        """Beats inside; the session belongs to the heartbeat there."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            # A session that was ended is seen by the next transaction's look at its lock.
            with suppress(psycopg.Error):
                if self._answered():
                    continue
                self.silent = True
                self._cut()
            return

    def _answered(self) -> bool:
        wire, until = self._session.pgconn, time.monotonic() + ANSWER_SECONDS
        wire.send_query(b"SELECT 1")
        wire.flush()
        while wire.is_busy():
            if not select([wire.socket], [], [], max(until - time.monotonic(), 0))[0]:
                return False
            wire.consume_input()
        while wire.get_result() is not None:
            pass
        return True

    def _cut(self) -> None:
        """Ends the waiting for answers that will not come; whoever waits sees a closed connection."""
        with self._noting:
            waiting = list(self._work)
        for each in waiting:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(each.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)
