"""One night through real Airflow with a province that fails by our fault: the others are published, the run ends red.

And then the search: no personal value of any delivered file stands anywhere outside of schema ``restricted``.
"""

import csv
import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import psycopg
import pytest
from ahocorasick_rs import AhoCorasick
from sqlalchemy import text

from regsosek.contract.codebook import all_variables
from regsosek.local import stack as local_stack
from regsosek.local.airflow_environment import ADMIN, AirflowPlan
from regsosek.local.stack import AIRFLOW_METADATA, Stack, services_up
from regsosek.night.reference import load_reference
from regsosek.resources import Resources, open_resources
from regsosek.settings import PROJECT_ROOT, load_settings
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import BucketSink
from regsosek.simulation.simulate import simulate
from support.servers.otlp_receiver import Receiver, receiving

NIGHT = date(2022, 10, 28)
HEALTHY, FAILING = ("31", "65"), "76"
SOUGHT = {"identity", "name", "phone", "address", "officer", "location"}
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
SHORTEST = 8  # characters: shorter values (a first name, 0.5) appear in any text


@dataclass
class NightRun:
    """A finished run and everything it left behind; ``measures``: what its tasks sent, ``lineage``: their events."""

    stack: Stack
    resources: Resources
    measures: Receiver
    lineage: Path
    state: str
    tasks: dict[tuple[str, str], str]
    note: str
    pages: dict[str, str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightRun]:
    root = tmp_path_factory.mktemp("e2e")
    stack = services_up(root)
    try:
        with open_resources(load_settings({"REGSOSEK_ENV_FILE": str(stack.environment_file)})) as resources:
            sink = BucketSink(resources.store, resources.settings.landing_bucket)
            simulate(Campaign(), sink, nights=[NIGHT], provinces=[*HEALTHY, FAILING])
            load_reference(resources)
            with resources.engine.begin() as connection:
                connection.execute(text("DELETE FROM reference.subsls WHERE province = :p"), {"p": FAILING})
            with receiving() as measures:
                yield _run_night(stack, resources, measures)
    finally:
        local_stack.clean(root)


def _run_night(stack: Stack, resources: Resources, measures: Receiver) -> NightRun:
    lineage = stack.root / "lineage.jsonl"
    fresh = stack.postgres.ensure_database(AIRFLOW_METADATA)
    plan = AirflowPlan(
        database_url=stack.postgres.url(AIRFLOW_METADATA),
        dags_folder=PROJECT_ROOT / "dags",
        plugins_folder=PROJECT_ROOT / "plugins",
        variables={
            "REGSOSEK_ENV_FILE": str(stack.environment_file),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": measures.url,
            "OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(lineage), "append": True}),
        },
        inherited=os.environ,
    )
    stack.airflow.start(plan, fresh_database=fresh)
    with stack.airflow.client() as client:
        client.await_dag("regsosek_nightly")
        client.unpause("regsosek_nightly")
        conf = {"date": str(NIGHT), "provinces": [*HEALTHY, FAILING]}
        run_id = client.trigger("regsosek_nightly", conf=conf)
        state = client.await_run("regsosek_nightly", run_id, seconds=400)
        tasks = {(t.task_id, t.label[:2]): str(t.state) for t in client.task_states("regsosek_nightly", run_id)}
        note = str(client.get(f"/dags/regsosek_nightly/dagRuns/{run_id}")["note"])
    return NightRun(stack, resources, measures, lineage, state, tasks, note, _pages(stack))


def _pages(stack: Stack) -> dict[str, str]:
    """What a logged-in operator can open of the night."""
    login = {"username": ADMIN, "password": stack.airflow.password}
    token = httpx.post(f"{stack.airflow.url}/auth/token", json=login, trust_env=False).json()["access_token"]
    paths = ["/", f"/nights/{NIGHT}"]
    paths += [f"/nights/{NIGHT}/{code}/{dataset}" for code in HEALTHY for dataset in ("keluarga", "anggota")]
    paths += ["/held", "/quarantine", "/steps", "/alerts", "/corrections", "/releases", f"/run/{FAILING}/{NIGHT}"]
    paths += [f"/provinces/{code}" for code in (*HEALTHY, FAILING)] + [f"/quarantine/{HEALTHY[0]}/keluarga"]
    base = f"{stack.airflow.url}/regsosek"
    with httpx.Client(base_url=base, headers={"Cookie": f"_token={token}"}, trust_env=False, timeout=60) as operator:
        return {path: operator.get(path).raise_for_status().text for path in paths}


def test_the_run_ends_red_and_names_the_province(run: NightRun) -> None:
    assert run.state == "failed"
    assert run.tasks["receive", FAILING] == "failed"
    assert {run.tasks["receive", code] for code in HEALTHY} == {"success"}
    assert run.tasks["publish", ""] == run.tasks["tell", ""] == "success"
    assert run.tasks["conclude", ""] == "failed"


def test_all_provinces_are_mapped_under_readable_names(run: NightRun) -> None:
    assert len([key for key in run.tasks if key[0] == "receive"]) == 34


def test_the_healthy_provinces_are_loaded_and_the_failed_one_is_not(run: NightRun) -> None:
    with run.resources.engine.connect() as connection:
        loaded = set(connection.execute(text("SELECT DISTINCT province FROM core.kasus_terkini")).scalars())
    assert loaded == set(HEALTHY)


def test_the_release_is_published_and_names_the_gap(run: NightRun) -> None:
    release = run.stack.root / "s3" / run.resources.settings.release_bucket
    pages = [path.read_text(encoding="utf-8") for path in release.rglob("index.html")]
    assert len(pages) == 2, "one in each language"
    assert all("Sulawesi Barat" in page for page in pages)


def test_what_is_simulated_is_published_as_that(run: NightRun) -> None:
    release = run.stack.root / "s3" / run.resources.settings.release_bucket
    [package] = release.rglob("datapackage.json")
    assert json.loads(package.read_bytes())["simulated"] is True
    assert all("DATA SIMULASI" in page.read_text(encoding="utf-8") for page in release.rglob("rilis/*/index.html"))


def test_a_fault_of_ours_goes_to_the_platform_team_only(run: NightRun) -> None:
    messages = [path.read_text(encoding="utf-8", errors="replace") for path in run.stack.mail.received()]
    assert any("platform@bps.example" in message for message in messages)
    assert not any(f"prov{FAILING}@bps.example" in message for message in messages)


def test_the_operators_page_shows_the_night_to_whoever_is_logged_in(run: NightRun) -> None:
    page = run.pages["/"]
    assert "Not processed" in page
    assert "Sulawesi Barat" in page
    assert f"/regsosek/nights/{NIGHT}" in page
    for code in HEALTHY:
        assert f"/regsosek/nights/{NIGHT}/{code}/keluarga" in run.pages[f"/nights/{NIGHT}"]
        assert "Evaluated Expectations" in run.pages[f"/nights/{NIGHT}/{code}/keluarga"]


def test_the_note_of_the_run_says_how_the_night_went(run: NightRun) -> None:
    assert run.note == "Night: 2 of 3 provinces whole; failed: Sulawesi Barat"


def test_the_page_of_a_red_province_leads_to_the_log_of_its_own_task(run: NightRun) -> None:
    for code, state in ((FAILING, "failed"), (HEALTHY[0], "success")):
        address = "/dags/(?P<dag>[^/]+)/runs/(?P<run>[^/]+)/tasks/(?P<task>[^/]+)/mapped/(?P<index>[0-9]+)"
        found = re.search(f'href="{address}"', run.pages[f"/provinces/{code}"])
        assert found is not None
        with run.stack.airflow.client() as client:
            path = "/dags/{dag}/dagRuns/{run}/taskInstances/{task}/{index}".format(**found.groupdict())
            instance = client.get(path)
        assert (instance["rendered_map_index"][:2], instance["state"]) == (code, state)
    assert f'data-index="{found["index"]}"' not in run.pages[f"/run/{FAILING}/{NIGHT}"], "another province's task"


def test_measures_of_every_task_leave_by_airflows_own_exporter(run: NightRun) -> None:
    received = {
        (attributes["province"], attributes["step"])
        for name, attributes, _ in run.measures.points()
        if name.endswith("regsosek.step.seconds")
    }
    assert {(code, "receive") for code in HEALTHY} | {("00", "publish"), ("00", "tell")} <= received
    assert run.measures.services() == {"airflow"}


def test_lineage_tells_each_province_and_the_release_under_one_run(run: NightRun) -> None:
    events = [json.loads(line) for line in run.lineage.read_text(encoding="utf-8").splitlines()]
    ended = {(event["job"]["name"], event["eventType"]) for event in events}
    assert {("receive.31", "COMPLETE"), ("receive.65", "COMPLETE"), ("publish.00", "COMPLETE")} <= ended
    assert (f"receive.{FAILING}", "FAIL") in ended
    assert len({event["run"]["facets"]["parent"]["run"]["runId"] for event in events}) == 1


def test_no_personal_value_stands_outside_restricted(run: NightRun) -> None:
    sought = _personal_values(run.stack.root / "s3" / run.resources.settings.landing_bucket)
    assert len(sought) > 100
    places = dict(_everything_written(run))
    assert len(places) > 20
    searched = _Searched(sought)
    found = {place: Counter(sought[value] for value in searched.standing_in(text)) for place, text in places.items()}
    assert {place: columns for place, columns in found.items() if columns} == {}


def test_what_is_sought_can_be_found(run: NightRun) -> None:
    sought = _personal_values(run.stack.root / "s3" / run.resources.settings.landing_bucket)
    restricted = _table_text(run.stack.postgres.url("regsosek"), "restricted", "anggota_identity")
    assert _Searched(sought).standing_in(restricted)


@pytest.mark.parametrize(("content", "stands"), [("1,2.851472,3", True), ("at 21:03:12.851472+07:00", False)])
def test_a_number_is_found_as_one_and_not_in_the_digits_of_a_clock(content: str, stands: bool) -> None:
    assert bool(_Searched(["2.851472"]).standing_in(content)) == stands


class _Searched:
    """Values sought all at once; digits of a longer number, such as seconds of a clock, are none of them."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = list(values)
        self._automaton = AhoCorasick(self._values)

    def standing_in(self, content: str) -> set[str]:
        """The values that ``content`` says."""
        matches = self._automaton.find_matches_as_indexes(content, overlapping=True)
        return {self._values[n] for n, begin, end in matches if self._whole(self._values[n], content, begin, end)}

    @staticmethod
    def _whole(value: str, content: str, begin: int, end: int) -> bool:
        number = value.lstrip("-").replace(".", "").isdigit()
        return not number or not (content[begin - 1 : begin].isdigit() or content[end : end + 1].isdigit())


def _personal_values(landing: Path) -> dict[str, str]:
    """Values of the delivered files, each with a column that holds it."""
    values: dict[str, str] = {}
    for code in (*HEALTHY, FAILING):
        for dataset in ("keluarga", "anggota"):
            personal = [v.name for v in all_variables(dataset) if v.pii in SOUGHT]
            for path in landing.glob(f"landing/prov={code}/*/*/{dataset}-*.csv.gz"):
                with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                    for row in csv.DictReader(file):
                        values |= {row[name]: name for name in personal if len(row[name]) >= SHORTEST}
    return {value: name for value, name in values.items() if not DATE.fullmatch(value)}  # dates stand everywhere


def _everything_written(run: NightRun) -> Iterator[tuple[str, str]]:
    for database in ("regsosek", AIRFLOW_METADATA):
        url = run.stack.postgres.url(database)
        for schema, table in _tables(url):
            if schema != "restricted":
                yield f"{database}.{schema}.{table}", _table_text(url, schema, table)
    yield from run.pages.items()
    yield "lineage", run.lineage.read_text(encoding="utf-8")
    yield "measures", b"".join(run.measures.bodies).decode("utf-8", errors="replace")
    kept = [run.stack.root / "airflow" / "logs", run.stack.root / "mail"]
    kept += [run.stack.root / "s3" / run.resources.settings.release_bucket]
    for folder in kept:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(run.stack.root)), path.read_text(encoding="utf-8", errors="replace")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _tables(url: str) -> list[tuple[str, str]]:
    query = (
        "SELECT schemaname, tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    )
    with psycopg.connect(_plain(url)) as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def _table_text(url: str, schema: str, table: str) -> str:
    with psycopg.connect(_plain(url)) as connection, connection.cursor() as cursor:
        query = f'COPY (SELECT * FROM "{schema}"."{table}") TO STDOUT'
        with cursor.copy(query.encode()) as copy:
            return b"".join(copy).decode("utf-8", errors="replace")
