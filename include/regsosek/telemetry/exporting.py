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


@contextmanager
def exporting(environ: Mapping[str, str]) -> Iterator[None]:
    """Exports what is measured inside, every minute and at the end, which is waited for some seconds and no more.

    A provider that stands already, such as Airflow's, is left alone.
    """
    if isinstance(metrics.get_meter_provider(), MeterProvider):
        yield
        return
    provider = _provider(environ)
    metrics.set_meter_provider(provider)
    try:
        yield
    finally:
        in_time(provider.force_flush, FLUSH_SECONDS, "the last measures")


def _provider(environ: Mapping[str, str]) -> MeterProvider:
    timeout = None if any(environ.get(name) for name in TIMEOUTS) else TIMEOUT_SECONDS
    return MeterProvider(
        resource=Resource.create({SERVICE_NAME: environ.get("OTEL_SERVICE_NAME") or "regsosek"}),
        metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(timeout=timeout))],
        views=[View(instrument_type=metrics.Histogram, aggregation=ExponentialBucketHistogramAggregation())],
        shutdown_on_exit=False,
    )
