"""Every measure is told as its line says: kind, unit and exactly its attributes; and nothing else is told."""

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from regsosek.settings import PROJECT_ROOT
from regsosek.telemetry import measures
from regsosek.telemetry.context import within

KINDS = {"counter": "Sum", "gauge": "Gauge", "histogram": "Histogram"}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    own = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[own], shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    return own


def tell_everything() -> None:
    with within(province="64"):
        measures.step_taken("load", 1.5, 1 << 20)
    measures.delivery_decided("64", "REGSOSEK22.K", "accepted", {"keluarga": {"loaded": 7, "quarantined": 2}})
    measures.bytes_fetched("64", "REGSOSEK22.K", 4096)
    measures.error_share("64", "keluarga", 8, 2)
    measures.night_concluded(1666285200, {"whole": 33, "silent": 1})
    measures.values_masked(1)
    measures.telemetry_failed("lineage")


def told(reader: InMemoryMetricReader) -> dict[str, object]:
    data = reader.get_metrics_data()
    assert data is not None
    return {each.name: each for r in data.resource_metrics for scope in r.scope_metrics for each in scope.metrics}


def test_every_measure_is_told_as_its_line_says(reader: InMemoryMetricReader) -> None:
    tell_everything()
    found = told(reader)
    assert set(found) == set(measures.measures())
    for name, measure in measures.measures().items():
        metric = found[name]
        assert (type(metric.data).__name__, metric.unit) == (KINDS[measure.kind], measure.unit), name  # type: ignore[attr-defined]
        for point in metric.data.data_points:  # type: ignore[attr-defined]
            assert set(point.attributes) == set(measure.attributes), name


def test_a_share_is_told_with_its_denominator_and_not_of_nothing(reader: InMemoryMetricReader) -> None:
    measures.error_share("64", "keluarga", 8, 2)
    measures.error_share("31", "keluarga", 0, 0)
    found = told(reader)
    values = {
        name: {p.attributes["province"]: p.value for p in found[name].data.data_points}  # type: ignore[attr-defined]
        for name in ("regsosek.error_share", "regsosek.rows.judged", "regsosek.rows.in_error")
    }
    assert values["regsosek.error_share"] == {"64": 0.25}
    assert values["regsosek.rows.judged"] == {"64": 8, "31": 0}
    assert values["regsosek.rows.in_error"] == {"64": 2, "31": 0}


def test_a_step_of_the_nation_has_its_code(reader: InMemoryMetricReader) -> None:
    measures.step_taken("publish", 1.0, 1)
    [point] = told(reader)["regsosek.step.seconds"].data.data_points  # type: ignore[attr-defined]
    assert dict(point.attributes) == {"province": "00", "step": "publish"}


def test_a_measure_that_cannot_be_recorded_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> MeterProvider:
        raise RuntimeError("no provider")

    monkeypatch.setattr(metrics, "get_meter_provider", broken)
    tell_everything()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_measures_are_sent_only_where_the_environment_names_a_receiver(environ: dict[str, str], expected: bool) -> None:
    assert measures.wanted(environ) is expected


def test_the_page_has_every_measure_as_its_line_says() -> None:
    page = (PROJECT_ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `regsosek.")]
    assert rows == [
        f"| `{each.name}` | {each.kind} | {each.unit} | {', '.join(each.attributes) or '–'} | {each.meaning} |"
        for each in measures.measures().values()
    ]
