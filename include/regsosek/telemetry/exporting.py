"""Measures on their way to a receiver that the environment names, for processes whose Airflow exports none."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import SERVICE_NAME, Resource

log = logging.getLogger(__name__)

TIMEOUTS = ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
TIMEOUT_SECONDS = 3.0
FLUSH_SECONDS = 4.0
# OpenTelemetry takes one provider for the life of a process: the one made here, where it is not Airflow's.
_own: list[MeterProvider] = []


@contextmanager
def exporting(environ: Mapping[str, str]) -> Iterator[None]:
    """Exports what is measured inside, every minute and at the end, which is waited for some seconds and no more.

    A provider that stands already, such as Airflow's, is left alone.
    """
    standing = metrics.get_meter_provider()
    if not isinstance(standing, MeterProvider):
        standing = _provider(environ)
        metrics.set_meter_provider(standing)
        _own.append(standing)
    try:
        yield
    finally:
        if standing in _own:
            in_time(standing.force_flush, FLUSH_SECONDS, "the last measures")


def _provider(environ: Mapping[str, str]) -> MeterProvider:
    timeout = None if any(environ.get(name) for name in TIMEOUTS) else TIMEOUT_SECONDS
    return MeterProvider(
        resource=Resource.create({SERVICE_NAME: environ.get("OTEL_SERVICE_NAME") or "regsosek"}),
        metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(timeout=timeout))],
        views=[View(instrument_type=metrics.Histogram, aggregation=ExponentialBucketHistogramAggregation())],
        shutdown_on_exit=False,
    )


def in_time(do: Callable[[], object], seconds: float, what: str) -> bool:
    """Runs ``do`` in a thread of its own and waits ``seconds`` at most; whether it succeeded by then."""
    done = threading.Event()

    def run() -> None:
        try:
            do()
            done.set()
        except Exception as error:  # noqa: BLE001 - whatever a receiver's library raises
            log.warning("%s could not be sent: %s", what, type(error).__name__)

    thread = threading.Thread(target=run, daemon=True, name="telemetry")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.warning("%s did not leave within %g s and are not waited for", what, seconds)
    return done.is_set()
