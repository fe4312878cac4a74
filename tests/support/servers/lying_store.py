"""A real S3 server behind a proxy that lies on demand: a gateway's page, half a body, a missing object, once or always.

What it is asked conditionally it answers as a store does that knows conditions, or as one that never heard of them.
"""

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from regsosek.landing.object_store import ObjectStore, RetryPolicy
from support.worlds.field_world import FieldWorld

# The same rules as in production, in a hurry.
HASTE = RetryPolicy(
    connect_timeout=2, read_timeout=2, request_attempts=1, operation_attempts=3, first_wait=0.01, longest_wait=0.02
)
ALWAYS = 10_000
_HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "date", "server"}


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Lie:
    """What becomes of the next ``times`` true answers to requests of that method whose address matches."""

    method: str
    address: str
    told: Callable[[Answer], Answer]
    times: int = 1
    after: int = 0

    def concerns(self, method: str, address: str) -> bool:
        """Whether it is this request's turn; counts those that come before."""
        if not self.times or method != self.method or not re.search(self.address, address):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class LyingStore:
    """The proxy's port, the lies to come, and every request so far as ``METHOD address``."""

    port: int
    honest: ObjectStore
    lies: list[Lie] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    conditions: str = "ignored"
    before: tuple[str, Callable[[], None]] | None = None

    def lie(self, method: str, address: str, told: Callable[[Answer], Answer], times: int = 1, after: int = 0) -> None:
        """Lies ``times`` times, once ``after`` such requests have been answered truly."""
        self.lies.append(Lie(method, address, told, times, after))


def page(answer: Answer) -> Answer:
    """A gateway's page; well-formed, as XML readers want it."""
    del answer
    return Answer(200, {"Content-Type": "text/html"}, b"<html><body><p>Please log in.</p></body></html>")


def broken_page(answer: Answer) -> Answer:
    """A gateway's page as most are: no XML."""
    return replace(page(answer), body=b"<!doctype html><html><br>Service unavailable</html>")


def nothing(answer: Answer) -> Answer:
    """Success, and no body."""
    del answer
    return Answer(200, {}, b"")


def half(answer: Answer) -> Answer:
    """Half of the body, said to be all of it."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def half_without_length(answer: Answer) -> Answer:
    """Half of the body, in chunks and with a proper end: nothing in the answer tells its length."""
    return _chunked(answer, answer.body[: len(answer.body) // 2])


def twice_without_length(answer: Answer) -> Answer:
    """More than the object, in chunks, as a proxy sends it that unpacks what is packed."""
    return _chunked(answer, 2 * answer.body)


def _chunked(answer: Answer, body: bytes) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-md5"}
    return Answer(
        answer.status, headers | {"Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    )


def missing(answer: Answer) -> Answer:
    """No such object."""
    del answer
    return Answer(
        404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"
    )


def no_entries(answer: Answer) -> Answer:
    """A proper listing of nothing."""
    body = re.sub(rb"<KeyCount>\d+<", b"<KeyCount>0<", answer.body)
    return replace(answer, body=re.sub(rb"<Contents>.*</Contents>", b"", body, flags=re.DOTALL))


def no_entries_of(tag: bytes) -> Callable[[Answer], Answer]:
    """A proper listing of nothing, meant for whoever asked for another ``tag``."""
    other = re.compile(b"<%b>[^<]*</%b>" % (tag, tag))
    return lambda answer: replace(
        no_entries(answer), body=other.sub(b"<%b>other</%b>" % (tag, tag), no_entries(answer).body)
    )


def uncounted(answer: Answer) -> Answer:
    """A listing that counts entries and bears none."""
    return replace(answer, body=re.sub(rb"<Contents>.*</Contents>", b"", answer.body, flags=re.DOTALL))


def lower_case(answer: Answer) -> Answer:
    """A listing whose entries no reader finds."""
    return replace(answer, body=answer.body.replace(b"Contents>", b"contents>"))


def word(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    """The same answer with other words."""
    return lambda answer: replace(answer, body=answer.body.replace(old, new))


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: tuple[str, int]
    store: LyingStore
    one_at_a_time: threading.Lock

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = unquote(self.path)
        self.store.asked.append(f"{self.command} {address}")
        self.let_others_in(f"{self.command} {address}")
        with self.one_at_a_time:
            answer = self.refused() or self.ask(self.command, body)
            for lie in self.store.lies:
                if lie.concerns(self.command, address):
                    answer = lie.told(answer)
                    break
        self.send(answer)

    def let_others_in(self, request: str) -> None:
        """What somebody else does right before the first such request."""
        if self.store.before is not None and re.search(self.store.before[0], request):
            (_, act), self.store.before = self.store.before, None
            act()

    def ask(self, method: str, body: bytes = b"") -> Answer:
        connection = http.client.HTTPConnection(*self.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request(method, self.path, body, headers)
        response = connection.getresponse()
        kept = {n: v for n, v in response.getheaders() if n.lower() not in _HOP_BY_HOP}
        if method == "HEAD":
            kept["Content-Length"] = response.headers["Content-Length"] or "0"
        return Answer(response.status, kept, response.read())

    def refused(self) -> Answer | None:
        """What a conditional write is answered if it is not to be."""
        if self.command != "PUT" or self.store.conditions == "ignored":
            return None
        none_match, match = self.headers["If-None-Match"], self.headers["If-Match"]
        if none_match is None and match is None:
            return None
        if self.store.conditions == "refused":
            return _error(501, "NotImplemented")
        etag = self.stored_etag()
        met = etag is None if none_match == "*" else match is not None and etag == match.strip('"')
        return None if met else _error(412, "PreconditionFailed")

    def stored_etag(self) -> str | None:
        _, bucket, key = unquote(urlsplit(self.path).path).split("/", 2)
        return next((each.etag for each in self.store.honest.list_objects(bucket, key) if each.key == key), None)

    def send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if not {"Content-Length", "Transfer-Encoding"} & answer.headers.keys():
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        try:
            self.wfile.write(b"" if self.command == "HEAD" else answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has read enough

    def log_message(self, *_: object) -> None:
        """Keeps the test's output readable."""


for _method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
    setattr(_Proxy, f"do_{_method}", _Proxy.pass_on)


def _error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    return Answer(status, {"Content-Type": "application/xml"}, body)


@contextmanager
def lying_store(world: FieldWorld) -> Iterator[LyingStore]:
    """Puts the proxy between ``world`` and its store until the end of the context."""
    honest = world.resources
    upstream = urlsplit(honest.settings.s3_endpoint_url or "")
    handler = type("Proxy", (_Proxy,), {"upstream": (upstream.hostname, upstream.port)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.store = told = LyingStore(server.server_port, honest.store)
        handler.one_at_a_time = threading.Lock()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings = honest.settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{server.server_port}"})
        world.resources = replace(honest, settings=settings, store=ObjectStore.connect(settings, HASTE))
        try:
            yield told
        finally:
            world.resources = honest
            server.shutdown()
