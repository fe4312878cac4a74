"""Real Airflow on the local stack: healthy, preloaded, closed to strangers, and gone without a trace when stopped.

One Airflow for the module: it takes some 15 s to start and 5 s to stop.
"""

import os
import stat
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest

from local_services.loopback import wait_until
from local_services.processes import LocalServiceError
from regsosek.local import stack
from regsosek.local.airflow_client import AirflowClient
from regsosek.local.airflow_environment import ADMIN
from regsosek.settings import PROJECT_ROOT

PROBE = '''
"""A night of two provinces that only tells what its processes see."""

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task


@task(map_index_template="{{ province }}", retries=2)
def process(province: str) -> str:
    import sys

    from regsosek.settings import load_settings

    preloaded = "great_expectations" in sys.modules
    context = get_current_context()
    context["province"] = f"provinsi {province}"
    assert load_settings().smtp_port
    assert preloaded
    return context["partition_key"]


@dag(schedule=CronPartitionTimetable("* * * * *", timezone="Asia/Jakarta", key_format="%Y-%m-%d"), catchup=False)
def probe():
    process.expand(province=["35", "73"])


probe()
'''


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    (folder / "dags" / "probe.py").write_text(textwrap.dedent(PROBE))
    (folder / "pools.json").write_text('{"warehouse": {"slots": 2, "description": "loads at the same time"}}')
    root = folder / "var"
    try:
        yield stack.up(
            root,
            inherited=os.environ,
            dags_folder=folder / "dags",
            plugins_folder=PROJECT_ROOT / "plugins",
            pools_file=folder / "pools.json",
        )
    finally:
        stack.clean(root)


def test_runs_a_partition_with_readable_names_and_preloaded_libraries(airflow: stack.Stack) -> None:
    seen: list[int] = []
    with airflow.airflow.client() as client:
        client.await_dag("probe")
        client.unpause("probe")
        run_id = client.trigger("probe", partition_key="2022-10-21")
        state = client.await_run("probe", run_id, seconds=120, watch=lambda tasks: seen.append(len(tasks)))
        tasks = client.task_states("probe", run_id)
    assert state == "success"
    assert [(task.label, task.state, task.tries) for task in tasks] == [
        ("provinsi 35", "success", 1),
        ("provinsi 73", "success", 1),
    ]
    assert seen[-1] == 2


def test_pools_come_from_the_file(airflow: stack.Stack) -> None:
    with airflow.airflow.client() as client:
        assert client.get("/pools/warehouse")["slots"] == 2


def test_unknown_partition_key_is_refused_with_airflows_words(airflow: stack.Stack) -> None:
    with airflow.airflow.client() as client:
        client.await_dag("probe")
        with pytest.raises(LocalServiceError, match="400"):
            client.trigger("probe", partition_key="last night")


def test_refuses_a_wrong_password(airflow: stack.Stack) -> None:
    with pytest.raises(LocalServiceError, match="401"):
        AirflowClient(airflow.airflow.url, "admin", "wrong")


PAGES = (
    "/", "/nights/2022-10-21", "/nights/2022-10-21/64/keluarga", "/releases/x/index.html", "/steps", "/provinces/64",
    "/run/64/2022-10-21", "/deliveries/64/01GFWC1W80A0B1C2D3E4F5G6H7/free", "/script.js",
)  # fmt: skip


def test_the_operators_page_is_closed_to_strangers(airflow: stack.Stack) -> None:
    # The first request builds the portal: seconds of CPU, and more of them on a busy machine.
    with httpx.Client(base_url=f"{airflow.airflow.url}/regsosek", trust_env=False, timeout=60) as stranger:
        answers = [stranger.get(path) for path in PAGES]
        forged = stranger.get("/", headers={"Authorization": "Bearer forged", "Cookie": "_token=forged"})
        undocumented = [stranger.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")]
    assert {answer.status_code for answer in (*answers, forged)} <= {401, 403}
    assert all("Sign in to Airflow" in answer.text for answer in answers)
    assert set(undocumented) == {404}


def test_whoever_is_logged_in_gets_the_operators_page(airflow: stack.Stack) -> None:
    login = {"username": ADMIN, "password": airflow.airflow.password}
    token = httpx.post(f"{airflow.airflow.url}/auth/token", json=login, trust_env=False).json()["access_token"]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"_token={token}"}):
        page = httpx.get(f"{airflow.airflow.url}/regsosek/", headers=headers, trust_env=False)
        # The warehouse of this stack has no tables yet, and the page says so instead of breaking.
        assert (page.status_code, "<h1>No warehouse</h1>" in page.text) == (503, True)


def test_the_navigation_shows_the_operators_page(airflow: stack.Stack) -> None:
    with airflow.airflow.client() as client:
        [plugin] = [p for p in client.get("/plugins")["plugins"] if p["name"] == "regsosek_portal"]
        assert client.get("/plugins/importErrors")["import_errors"] == []
    assert [(view["name"], view["href"]) for view in plugin["external_views"]] == [("Regsosek", "regsosek/")]


def test_everything_listens_on_loopback_only(airflow: stack.Stack) -> None:
    processes = [member for process in airflow.airflow.processes for member in process.members]
    assert {address for process in processes for address in _listening(process)} == {"127.0.0.1"}


def _listening(process: psutil.Process) -> set[str]:
    try:
        return {c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    except psutil.AccessDenied:
        return set()  # Airflow's workers hide their descriptors, even from their own user; they do not listen


def test_secrets_are_private(airflow: stack.Stack) -> None:
    home = airflow.airflow.home
    files = [home / "passwords.json", home / "airflow.env", *(home / "secrets").iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_nothing_starts_by_itself(airflow: stack.Stack) -> None:
    """The probe's schedule is due every minute, and it was unpaused by the first test."""
    with airflow.airflow.client() as client:
        [first] = client.get("/dags/probe/dagRuns")["dag_runs"]
        due = datetime.fromisoformat(first["run_after"]) + timedelta(seconds=80)
        time.sleep(max(0, (due - datetime.now(UTC)).total_seconds()))
        assert [run["run_type"] for run in client.get("/dags/probe/dagRuns")["dag_runs"]] == ["manual"]


def test_down_after_a_killed_scheduler_leaves_no_process(airflow: stack.Stack) -> None:
    members = [member for process in airflow.airflow.processes for member in process.members]
    scheduler = next(process for process in airflow.airflow.processes if process.name == "scheduler")
    workers = scheduler.members
    assert len(workers) > 1
    next(member for member in workers if "scheduler" in " ".join(member.cmdline())).kill()
    assert wait_until(lambda: not airflow.airflow.running, seconds=5)
    stack.down(airflow.root)
    alive = [member for member in members if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    assert alive == []
