"""Measures on their way to a receiver that the environment names, for processes whose Airflow exports none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from regsosek.telemetry.patience import in_time

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
