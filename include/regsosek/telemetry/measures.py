"""What is measured of a night, by ``measures.csv``, through OpenTelemetry: Airflow's exporter, else the environment's.

Where neither Airflow (``[metrics] otel_on``) nor ``OTEL_EXPORTER_OTLP_ENDPOINT`` names a receiver, nothing is imported,
kept or sent.
"""

import csv
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import Meter, MeterProvider

from regsosek.telemetry.context import current

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
NATION = "00"


@dataclass(frozen=True)
class Metric:
    """One line of ``measures.csv``: ``kind`` counter, gauge or histogram; unit in UCUM."""

    name: str
    kind: str
    unit: str
    attributes: tuple[str, ...]
    meaning: str


@cache
def measures() -> Mapping[str, Metric]:
    """All measures by name."""
    text = (files("regsosek.telemetry") / "measures.csv").read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines())
    return {line["name"]: Metric(**line | {"attributes": tuple(line["attributes"].split())}) for line in lines}


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a receiver of OTLP over HTTP."""
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environ.get(name) for name in ENDPOINTS)


def step_taken(step: str, seconds: float, peak_rss_bytes: int) -> None:
    """A step has ended, of the province that the context names."""
    own = {"province": current("province") or NATION, "step": step}
    record("regsosek.step.seconds", seconds, **own)
    record("regsosek.step.peak_memory", peak_rss_bytes, **own)


def delivery_decided(province: str, instrument: str, state: str, rows: Mapping[str, Mapping[str, int]]) -> None:
    """A delivery was decided; ``rows`` by dataset and what became of them."""
    record("regsosek.deliveries", 1, province=province, instrument=instrument, state=state)
    for dataset, counts in rows.items():
        for row_state, amount in counts.items():
            record("regsosek.rows", amount, province=province, dataset=dataset, state=row_state)


def bytes_fetched(province: str, instrument: str, amount: int) -> None:
    """Files of a delivery were fetched and verified."""
    record("regsosek.bytes", amount, province=province, instrument=instrument)


def error_share(province: str, dataset: str, judged: int, in_error: int) -> None:
    """Of the night's rows of a dataset so many were judged and so many are in error."""
    own = {"province": province, "dataset": dataset}
    record("regsosek.rows.judged", judged, **own)
    record("regsosek.rows.in_error", in_error, **own)
    if judged:
        record("regsosek.error_share", in_error / judged, **own)


def night_concluded(began: float, by_state: Mapping[str, int]) -> None:
    """A night is over: ``began`` its first second since 1970, provinces by how it left them, ``whole`` among them."""
    asked = sum(by_state.values())
    record("regsosek.night.newest", began)
    record("regsosek.night.asked", asked)
    for state, amount in by_state.items():
        record("regsosek.night.provinces", amount, state=state)
    if asked:
        record("regsosek.night.completeness", by_state["whole"] / asked)


def values_masked(amount: int) -> None:
    """The guard of the log took values out of a record."""
    record("regsosek.log.masked", amount)


def telemetry_failed(kind: str) -> None:
    """Lineage or a measure could not be made or sent."""
    record("regsosek.telemetry.failures", 1, kind=kind)


def record(name: str, value: float, **attributes: str) -> None:
    """Records one value of a measure; whatever goes wrong, the night goes on."""
    try:
        _recorder(metrics.get_meter_provider(), name)(value, attributes=attributes)
    except Exception as error:  # noqa: BLE001 - a measure that fails is a measure less
        log.debug("measure %s is not recorded: %s", name, type(error).__name__)


@lru_cache(maxsize=64)
def _recorder(provider: MeterProvider, name: str) -> Callable[..., Any]:
    """What takes values of a measure, with a provider: Airflow and the tests put another one in place."""
    meter: Meter = provider.get_meter("regsosek")
    measure = measures()[name]
    if measure.kind == "counter":
        return meter.create_counter(name, measure.unit, measure.meaning).add
    if measure.kind == "gauge":
        return meter.create_gauge(name, measure.unit, measure.meaning).set
    return meter.create_histogram(name, measure.unit, measure.meaning).record
