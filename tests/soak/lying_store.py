"""An HTTP proxy before the object store that now and then answers what a store or a box on the way has answered.

Each key is lied about at most once a run: a second question gets the truth.
"""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from local_services.loopback import HOST

PAGE = b"<html><body>Under maintenance</body></html>"
NO_SUCH_KEY = b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>not here</Message></Error>'
# What may be said instead of the truth, by method. ``silence``: done, and never answered.
LIES = {
    "GET": ("page", "empty", "cut", "short", "missing", "missing_page", "error", "busy"),
    "HEAD": ("missing_page", "error", "busy"),
    "PUT": ("error", "busy", "silence"),
    "POST": ("error", "busy"),
    "DELETE": ("error", "busy", "silence"),
}
STATUS = {"page": 200, "empty": 200, "missing": 404, "missing_page": 404, "error": 500, "busy": 503}
BODY = {"page": PAGE, "missing": NO_SUCH_KEY, "missing_page": PAGE}
OF_THE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Answer(NamedTuple):
    """What the store said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Liar:
    """Decides; ``told`` counts the lies of all runs by kind."""

    chance: random.Random
    share: float = 0.0
    told: Counter[str] = field(default_factory=Counter)
    _asked: set[tuple[str, str]] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, share: float) -> None:
        """From here on ``share`` of the requests are lied to; 0: none."""
        with self._guard:
            self.share = share
            self._asked.clear()

    def lie(self, method: str, path: str) -> str | None:
        """What to say instead of the truth, if anything."""
        with self._guard:
            if (method, path) in self._asked or self.chance.random() >= self.share:
                return None
            self._asked.add((method, path))
            kind = self.chance.choice(LIES[method])
            self.told[kind] += 1
            return kind


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    liar: Liar
    upstream: int

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        lie = self.liar.lie(self.command, self.path)
        if lie in STATUS:
            self._send(Answer(STATUS[lie], [("Content-Type", "text/html")], BODY.get(lie, b"")))
            return
        try:
            answer = self._ask(sent)
        except (OSError, HTTPException):  # the store is being killed
            self.close_connection = True
            return
        if lie == "silence":
            self.close_connection = True
            return
        half = answer.body[: len(answer.body) // 2]
        if lie == "short":
            answer = answer._replace(body=half)
        self._send(answer, cut=half if lie == "cut" else None)

    def _ask(self, sent: bytes) -> Answer:
        connection = HTTPConnection(HOST, self.upstream, timeout=30)
        try:
            own = {name: value for name, value in self.headers.items() if name.lower() not in {"expect", "connection"}}
            connection.request(self.command, self.path, sent, own)
            got = connection.getresponse()
            headers = [each for each in got.getheaders() if each[0].lower() not in OF_THE_HOP]
            if self.command == "HEAD":
                headers.append(("Content-Length", got.getheader("Content-Length", "0")))
            return Answer(got.status, headers, got.read())
        finally:
            connection.close()

    def _send(self, answer: Answer, *, cut: bytes | None = None) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        elif not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if cut is None else cut)
        if cut is not None:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that were killed in the middle of an answer are no news."""


@contextmanager
def lying_store(upstream: int, liar: Liar) -> Iterator[int]:
    """Serves before the store on port ``upstream`` until the block ends; yields its own port."""
    handler = type("Handler", (_Handler,), {"liar": liar, "upstream": upstream})
    server = _Server((HOST, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
