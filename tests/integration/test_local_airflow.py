"""Real Airflow on the local stack: healthy, preloaded, closed to strangers, and gone without a trace when stopped.

One Airflow for the module: it takes some 15 s to start and 5 s to stop.
"""

import os
import stat
import textwrap
from collections.abc import Iterator

import psutil
import pytest

from regsosek.local import stack
from regsosek.local.airflow_client import AirflowClient
from regsosek.local.loopback import wait_until
from regsosek.local.processes import LocalServiceError

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


@dag(schedule=CronPartitionTimetable("0 1 * * *", timezone="Asia/Jakarta", key_format="%Y-%m-%d"), catchup=False)
def probe():
    process.expand(province=["35", "73"])


probe()
'''


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    folder = tmp_path_factory.mktemp("airflow")
    for name in ("dags", "plugins"):
        (folder / name).mkdir()
    (folder / "dags" / "probe.py").write_text(textwrap.dedent(PROBE))
    (folder / "pools.json").write_text('{"warehouse": {"slots": 2, "description": "loads at the same time"}}')
    root = folder / "var"
    try:
        yield stack.up(
            root,
            inherited=os.environ,
            dags_folder=folder / "dags",
            plugins_folder=folder / "plugins",
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
