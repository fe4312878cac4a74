"""The proxies of the soak do what they say: a fault that never strikes would prove nothing."""

import random
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local_services.loopback import HOST
from soak.lying_store import LIES, PAGE, Liar, lying_store
from soak.rates import Rates
from soak.tcp_proxy import TcpProxy, Way

TRUTH = b"0123456789"
pytestmark = pytest.mark.timeout(60)


class _Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(TRUTH)))
        self.end_headers()
        self.wfile.write(TRUTH)

    def do_PUT(self) -> None:
        self.server.stored.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def store() -> Iterator[HTTPServer]:
    server = HTTPServer((HOST, 0), _Store)
    server.stored = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def only(kind: str) -> Liar:
    """A liar that knows one lie."""
    chance = random.Random(1)
    chance.choice = lambda _: kind  # type: ignore[method-assign, assignment]
    liar = Liar(chance)
    liar.arm(1.0)
    return liar


def asked(port: int, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, "/bucket/key", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("page", 200, PAGE),
        ("empty", 200, b""),
        ("short", 200, TRUTH[:5]),
        ("missing_page", 404, PAGE),
        ("error", 500, b""),
        ("busy", 503, b""),
    ],
)
def test_a_lie_is_told_once_and_then_the_truth(store: HTTPServer, kind: str, status: int, body: bytes) -> None:
    liar = only(kind)
    with lying_store(store.server_address[1], liar) as port:
        assert asked(port) == (status, body)
        assert asked(port) == (200, TRUTH)
    assert liar.told == {kind: 1}


def test_a_missing_key_is_told_as_a_store_does(store: HTTPServer) -> None:
    with lying_store(store.server_address[1], only("missing")) as port:
        status, body = asked(port)
    assert status == 404
    assert b"<Code>NoSuchKey</Code>" in body


def test_a_body_that_is_cut_ends_before_its_length(store: HTTPServer) -> None:
    with lying_store(store.server_address[1], only("cut")) as port, pytest.raises(HTTPException):
        asked(port)


def test_silence_has_done_what_was_asked(store: HTTPServer) -> None:
    with lying_store(store.server_address[1], only("silence")) as port, pytest.raises((HTTPException, OSError)):
        asked(port, "PUT", b"content")
    assert store.stored == [b"content"]  # type: ignore[attr-defined]


def test_nothing_is_lied_about_unless_asked_to(store: HTTPServer) -> None:
    with lying_store(store.server_address[1], Liar(random.Random(1))) as port:
        assert {asked(port) for _ in range(20)} == {(200, TRUTH)}


def test_no_write_is_answered_well_that_was_not_done() -> None:
    assert not {"page", "empty"} & set(LIES["PUT"])


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what comes."""
    server = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(100):
                    connection.sendall(data)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


def test_an_open_way_passes_on_and_a_dark_one_waits(echo: int) -> None:
    with TcpProxy(echo).serving() as proxy, socket.create_connection((HOST, proxy.port), timeout=0.5) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        proxy.way = Way.DARK
        connection.sendall(b"b")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        proxy.way = Way.OPEN
        connection.settimeout(5)
        assert connection.recv(1) == b"b"


def test_a_cut_resets_every_connection(echo: int) -> None:
    with TcpProxy(echo).serving() as proxy, socket.create_connection((HOST, proxy.port), timeout=5) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_the_same_seed_draws_the_same_faults_and_all_kinds_come() -> None:
    rates = Rates.read()
    drawn = [rates.kinds(random.Random(seed)) for seed in range(300)]
    assert drawn == [rates.kinds(random.Random(seed)) for seed in range(300)]
    assert {kind for kinds in drawn for kind in kinds} == set(rates.faults)
    assert max(map(len, drawn)) == rates.tries["most"]
