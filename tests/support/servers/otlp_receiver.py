"""A receiver of OTLP over HTTP on the loopback that understands what it gets, or takes it and never answers."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

Point = tuple[str, dict[str, str], float]


@dataclass
class Receiver:
    """What arrived, raw; ``answering`` cleared: every request hangs until the receiver is closed."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def services(self) -> set[str]:
        """Who sent it, by ``service.name``."""
        return {
            attribute.value.string_value
            for body in self.bodies
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }

    def points(self) -> list[Point]:
        """Name, attributes and value (of a histogram: its count) of the newest point of each series."""
        newest: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        for body in self.bodies:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        attributes = tuple((each.key, each.value.string_value) for each in point.attributes)
                        newest[metric.name, attributes] = _value(point)
        return [(name, dict(attributes), value) for (name, attributes), value in newest.items()]


def _value(point: object) -> float:
    kind = getattr(point, "WhichOneof", lambda _: None)
    if hasattr(point, "as_double"):
        return float(getattr(point, str(kind("value"))))
    return float(point.count)  # type: ignore[attr-defined]


@contextmanager
def receiving(*, hanging: bool = False) -> Iterator[Receiver]:
    """A receiver at ``Receiver.url``, for measures and, as it takes whatever is posted, for lineage."""
    receiver = Receiver()
    if not hanging:
        receiver.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            receiver.answering.wait()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
            """The output of tests is theirs."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.answering.set()
        server.shutdown()
        server.server_close()
