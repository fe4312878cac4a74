"""A TCP proxy on loopback between the runs and PostgreSQL: passes on, drags, goes dark, or cuts every connection."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from local_services.loopback import HOST

CHUNK = 1 << 16
DRAG_SECONDS = 0.01
RESET = struct.pack("ii", 1, 0)


class Way(Enum):
    """DARK: nothing is passed on and nobody is told, as when a cable is pulled."""

    OPEN = "open"
    SLOW = "slow"
    DARK = "dark"


class TcpProxy:
    """Listens on ``port``; what ``way`` says holds for all connections."""

    def __init__(self, upstream: int) -> None:
        self.upstream, self.way, self.port = upstream, Way.OPEN, 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Resets every connection on both sides."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in list(self._writers):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, to_server}
        try:
            await asyncio.gather(self._pump(reader, to_server), self._pump(from_server, writer))
        except OSError:
            pass
        finally:
            for each in (writer, to_server):
                each.transport.abort()
            self._writers -= {writer, to_server}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await asyncio.sleep(DRAG_SECONDS if self.way is Way.SLOW else 0)
            await self._while_dark()
            writer.write(data)
            await writer.drain()
        await self._while_dark()
        raise ConnectionResetError

    async def _while_dark(self) -> None:
        while self.way is Way.DARK:
            await asyncio.sleep(0.05)

    async def _run(self, ready: threading.Event, over: asyncio.Event) -> None:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        self._cut()
        server.close()

    @contextmanager
    def serving(self) -> Iterator["TcpProxy"]:
        """Serves in a thread of its own until the block ends."""
        ready, over = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run(ready, over)), daemon=True)
        thread.start()
        ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(over.set)
            thread.join(10)
