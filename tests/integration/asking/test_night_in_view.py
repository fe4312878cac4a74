"""A small real night from the command line, and all that it says of itself: records, measures, lineage."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import attr
import pytest
from openlineage.client import event_v2, facet_v2
from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider

from hostile.draft import AT, NIGHT, SECRETS, household
from regsosek.night.discovery import applicable_rules
from regsosek.night.nightly import receive
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.telemetry.context import FIELDS
from regsosek.telemetry.lineage import LAST_SECONDS
from regsosek.telemetry.measures import measures
from regsosek.telemetry.setup import telling
from support.checks.command_line import environment
from support.deliveries.families import PROVINCE
from support.servers.otlp_receiver import Point, Receiver, receiving
from support.worlds.field_world import FEW_RULES, CompiledJudge, FieldWorld

NIK = "6471035203850002"
DAY_BEFORE = NIGHT - timedelta(days=1)
STATES = {"accepted": 1, "rejected": 2}
STEPS = {"receive", "fetch", "stage", "judge", "recognise", "load", "flip", "publish", "tell"}
PERSONAL = (*SECRETS, NIK, "117.1537")


@dataclass
class Told:
    """What the command wrote and sent; ``rows`` and ``rules``: what the ledger says of the same."""

    out: str
    err: str
    points: Sequence[Point]
    bodies: bytes
    events: Sequence[Mapping[str, Any]]
    rows: Mapping[tuple[str, str], int]
    rules: Mapping[tuple[str, str, str], int]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.splitlines()]

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """Values of a measure by its attributes without the province."""
        own = measures()[name].attributes
        return {
            tuple(attributes[each] for each in own if each != "province"): value
            for found, attributes, value in self.points
            if found == name
        }


@pytest.fixture(scope="module")
def expectations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few rules of each suite: what the others say is tested elsewhere."""
    directory = tmp_path_factory.mktemp("expectations")
    for path in (PROJECT_ROOT / "expectations").glob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        suite["expectations"] = [each for each in suite["expectations"] if each["meta"]["id"] in FEW_RULES]
        (directory / path.name).write_text(json.dumps(suite), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def field(services_env: Settings, expectations: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    work = tmp_path_factory.mktemp("work")
    with open_resources(
        services_env.model_copy(update={"expectations_dir": expectations, "work_dir": work})
    ) as resources:
        own = FieldWorld(resources, load_suites(expectations))
        own.prepare(tmp_path_factory.mktemp("reference"))
        yield own


def deliver(world: FieldWorld) -> None:
    """One delivery of two parts with an error and personal data throughout, and two that are rejected: a false total,
    and the folder of the first again, under a later day.
    """
    world.fresh()
    families = [household(1, place, bujur="117.1537") for place in range(1, 4)]
    wrong = household(1, 4, r303_lantai="0", r302_luas_lantai=NIK, r107_alamat=f"JALAN TERTUTUP {NIK}")
    first = world.deliver(DAY_BEFORE, [families, [wrong]], produced_at=AT)
    bucket, store = world.resources.settings.landing_bucket, world.resources.store
    for found in list(store.list_objects(bucket, f"landing/prov={PROVINCE}/tanggal={DAY_BEFORE}/{first}/")):
        again = store.get_bytes(bucket, found.key, max_bytes=10**6) or b""
        store.put_bytes(bucket, found.key.replace(f"tanggal={DAY_BEFORE}", f"tanggal={NIGHT}"), again)
    short = [household(1, 9)]
    world.deliver(NIGHT, short, produced_at=AT.replace(hour=13), spoil={"totals": {"keluarga": 99, "anggota": 2}})


@pytest.fixture(scope="module")
def told(field: FieldWorld, expectations: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    deliver(field)
    lineage = tmp_path_factory.mktemp("lineage") / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(lineage), "append": True}
    command = [str(Path(sys.executable).parent / "regsosek"), "night", "--date", str(NIGHT), "-p", PROVINCE]
    with receiving() as receiver:
        own = {
            "REGSOSEK_ENV_FILE": "/nonexistent",
            "REGSOSEK_EXPECTATIONS_DIR": str(expectations),
            "REGSOSEK_LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
        }
        env = environment(field.resources.settings) | own
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    states = "VALUES ('loaded', c.loaded), ('quarantined', c.quarantined), ('rejected', c.rejected)"
    rows = field.rows(
        f"SELECT dataset, s, sum(n) FROM ledger.delivery_count c, LATERAL ({states}) v (s, n) GROUP BY 1, 2"
    )
    rules = field.rows("SELECT delivery_id, dataset, rule_id, violations FROM quality.rule_result WHERE violations > 0")
    return Told(
        out=done.stdout,
        err=done.stderr,
        points=receiver.points(),
        bodies=b"".join(receiver.bodies),
        events=[json.loads(line) for line in lineage.read_text(encoding="utf-8").splitlines()],
        rows={(dataset, state): int(n) for dataset, state, n in rows},
        rules={tuple(key): n for *key, n in rules},  # type: ignore[misc]
    )


def test_every_record_is_json_and_says_its_run(told: Told) -> None:
    assert len(told.records) > 3
    assert [record for record in told.records if "run" not in record] == []
    assert len({record["run"] for record in told.records}) == 1
    for record in told.records:
        assert {"timestamp", "level", "logger", "event"} <= set(record)


def test_records_say_which_night_province_and_delivery_they_are_about(told: Told) -> None:
    of_deliveries = [r for r in told.records if r["logger"] == "regsosek.night.receiving.reception"]
    assert {r["event"].rsplit(" ", 1)[-1] for r in of_deliveries} == {"accepted", "manifest_invalid"}
    for record in of_deliveries:
        assert (record["night"], record["province"]) == (str(NIGHT), PROVINCE)
        assert record["delivery_id"] in record["event"]
    [published] = [r for r in told.records if r["logger"] == "regsosek.release.publish" and r["level"] == "info"]
    assert (published["step"], published["night"]) == ("publish", str(NIGHT))
    assert set(FIELDS) - {"part"} <= {name for record in told.records for name in record}


def test_measures_are_those_of_the_list_with_its_attributes(told: Told) -> None:
    for name, attributes, _ in told.points:
        if name.startswith("regsosek."):
            assert set(attributes) == set(measures()[name].attributes)
    assert {key[0] for key in told.values("regsosek.step.seconds")} == STEPS | {"compare"}
    assert told.values("regsosek.step.seconds")["judge",] == len(["first part", "second part"])


def test_rows_and_deliveries_are_measured_as_the_ledger_counts_them(told: Told) -> None:
    measured = told.values("regsosek.rows")
    assert {key: measured[key] for key in told.rows} == told.rows
    assert sum(measured.values()) == sum(told.rows.values())
    assert told.values("regsosek.deliveries") == {
        ("REGSOSEK22.K", "accepted"): 1, ("unknown", "rejected"): 2,
    }  # fmt: skip
    assert told.values("regsosek.rows.judged")["keluarga",] == 4
    assert told.values("regsosek.error_share")["keluarga",] == 0.25
    assert told.values("regsosek.bytes")["REGSOSEK22.K",] > 1000


def test_the_night_is_measured_against_the_provinces_asked_for(told: Told) -> None:
    by_state = told.values("regsosek.night.provinces")
    assert told.values("regsosek.night.asked")[()] == sum(by_state.values()) == 1
    assert by_state["in part",] == 1
    assert told.values("regsosek.night.completeness")[()] == 0


def test_nothing_had_to_be_masked_or_was_lost(told: Told) -> None:
    assert told.values("regsosek.log.masked") == {}
    assert told.values("regsosek.telemetry.failures") == {}


# --- lineage ---------------------------------------------------------------------------------------------------------

FACETS: Mapping[str, Any] = {
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "nominalTime": facet_v2.nominal_time_run.NominalTimeRunFacet,
    "tags": facet_v2.tags_run.TagsRunFacet,
    "parent": facet_v2.parent_run.ParentRunFacet,
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
    "dataQualityAssertions": facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
}


def rebuilt(kind: Any, told: Mapping[str, Any]) -> Any:
    """An object of the client's own class; a key that it lacks, or one that is missing, is an error."""
    names = {each.name for each in attr.fields(kind) if each.init}
    fixed = {"_schemaURL", "schemaURL"}
    assert set(told) - fixed <= names, (kind, set(told) - names)
    return kind(**{name.lstrip("_"): value for name, value in told.items() if name not in fixed})


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for holder in (event["run"], event["job"], *event["inputs"], *event["outputs"]):
        for group in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(group, {}).items()


def test_events_and_facets_are_those_of_the_client(told: Told) -> None:
    for event in told.events:
        rebuilt(event_v2.RunEvent, event | {"run": rebuilt(event_v2.Run, event["run"])})
        for each in event["inputs"]:
            rebuilt(event_v2.InputDataset, each)
        for each in event["outputs"]:
            rebuilt(event_v2.OutputDataset, each)
        for name, facet in facets_of(event):
            rebuilt(FACETS[name], facet)
    seen = {name for event in told.events for name, _ in facets_of(event)}
    assert seen == set(FACETS)


def test_each_piece_of_work_begins_and_ends_as_part_of_one_run(told: Told) -> None:
    ends = [(event["job"]["name"], event["eventType"]) for event in told.events]
    assert ends == [
        (f"receive.{PROVINCE}", "START"), (f"receive.{PROVINCE}", "COMPLETE"),
        ("publish.00", "START"), ("publish.00", "COMPLETE"),
    ]  # fmt: skip
    assert len({event["run"]["runId"] for event in told.events}) == 2
    parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in told.events}
    assert len(parents) == 1


def test_deliveries_come_with_the_rules_that_they_violate(told: Told) -> None:
    received = told.events[1]
    found = {}
    for each in received["inputs"]:
        *_, delivery_id, dataset = each["name"].split("/")
        for assertion in each["inputFacets"]["dataQualityAssertions"]["assertions"]:
            if assertion["assertion"] not in {"delivery_accepted", "all_rules"}:
                found[delivery_id, dataset, assertion["assertion"]] = int(assertion["actual"])
                assert (assertion["success"], assertion["expected"]) == (False, "0")
    assert found == told.rules
    assert found
    verdicts = {
        assertion["actual"]: assertion["success"]
        for each in received["inputs"]
        for assertion in each["inputFacets"]["dataQualityAssertions"]["assertions"]
        if assertion["assertion"] == "delivery_accepted"
    }
    assert verdicts == {"accepted": True, "rejected: manifest_invalid": False, "rejected: id_reused": False}
    [delivery_id] = {key[0] for key in told.rules}
    reused = [each for each in received["inputs"] if f"tanggal={NIGHT}/{delivery_id}" in each["name"]]
    assert [each["inputFacets"].keys() for each in reused] == [{"inputStatistics", "dataQualityAssertions"}] * 2
    for each in reused:
        assert len(each["inputFacets"]["dataQualityAssertions"]["assertions"]) == 1


def test_tables_come_with_rows_and_columns_but_for_the_restricted_ones(told: Told) -> None:
    written = {each["name"].split(".", 1)[1]: each for each in told.events[1]["outputs"]}
    assert set(written) == {"core.kasus", "core.keluarga", "core.anggota", "restricted.quarantined"}
    for name, each in written.items():
        assert ("schema" in each["facets"]) is not name.startswith("restricted")
    rows = {name: each["outputFacets"]["outputStatistics"]["rowCount"] for name, each in written.items()}
    assert rows["core.keluarga"] == told.rows["keluarga", "loaded"]
    assert rows["restricted.quarantined"] == told.rows["keluarga", "quarantined"] + told.rows["anggota", "quarantined"]


def test_a_release_names_its_tables_and_its_folder(told: Told) -> None:
    published = told.events[3]
    assert {each["name"].split(".", 1)[1] for each in published["inputs"]} >= {"mart.total", "mart.change"}
    [folder] = published["outputs"]
    assert folder["namespace"].startswith("s3://")
    assert len(folder["facets"]["version"]["datasetVersion"]) == 64


# --- what must not happen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["out", "err", "bodies", "events"])
def test_no_personal_value_is_said_anywhere(told: Told, where: str) -> None:
    said = getattr(told, where)
    text = said.decode(errors="replace") if isinstance(said, bytes) else said if isinstance(said, str) else str(said)
    assert text
    for value in PERSONAL:
        assert value not in text


@pytest.fixture
def nightly(field: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    """The world with its deliveries before the night, in a process that judges by the compiled SQL."""
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)
    for name in [each for each in os.environ if each.startswith(("OTEL_", "OPENLINEAGE"))]:
        monkeypatch.delenv(name)
    deliver(field)
    return field


@pytest.mark.parametrize(
    "transport",
    [
        {"type": "file", "log_file_path": "/dev/full", "append": True},
        {"type": "file", "log_file_path": "/nonexistent/events.jsonl", "append": True},
        {"type": "http", "url": "http://127.0.0.1:9", "retry": {"total": 0}},
        {"type": "nonsense"},
    ],
    ids=["full disk", "no directory", "nobody listens", "unknown"],
)
def test_lineage_that_cannot_leave_fails_no_night(
    nightly: FieldWorld,
    transport: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(transport))
    with telling("test", "run", os.environ):
        done = receive(nightly.resources, PROVINCE, NIGHT)
    assert done.states == STATES
    assert "lineage" in caplog.text


def test_receivers_that_never_answer_hold_the_night_for_seconds_at_most(
    nightly: FieldWorld,
    hanging: Receiver,
    own_provider: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", hanging.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", hanging.url)
    with telling("test", "run", os.environ):
        done = receive(nightly.resources, PROVINCE, NIGHT)
        ended = time.monotonic()
    assert time.monotonic() - ended < 2 * LAST_SECONDS
    assert done.states == STATES
    assert any(body.startswith(b"{") for body in hanging.bodies)
    assert not all(body.startswith(b"{") for body in hanging.bodies)
    assert "events not sent within" in caplog.text
    assert "Failed to export metrics" in caplog.text


@pytest.fixture
def own_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A provider of measures for one test, in place of the one that a process has for its life."""
    held: list[MeterProvider] = []
    monkeypatch.setattr(metrics, "set_meter_provider", held.append)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: held[0] if held else NoOpMeterProvider())
    yield
    for each in held:
        each.shutdown(timeout_millis=1)


@pytest.fixture
def hanging() -> Iterator[Receiver]:
    with receiving(hanging=True) as receiver:
        yield receiver


def test_where_nobody_wants_to_know_nothing_is_made(nightly: FieldWorld) -> None:
    with telling("test", "run", {}):
        assert receive(nightly.resources, PROVINCE, NIGHT).states == STATES
