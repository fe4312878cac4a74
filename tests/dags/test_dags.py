"""The DAG files parse fast, are the ones we know, and keep the house's policies and orderings."""

import copy
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from regsosek.geography.provinces import provinces
from regsosek.settings import PROJECT_ROOT

DAGS = PROJECT_ROOT / "dags"
EXPECTED = {
    "regsosek_audit", "regsosek_nightly", "regsosek_reference", "regsosek_replay", "regsosek_send", "regsosek_watchdog",
}  # fmt: skip
HEAVY = {"great_expectations", "pandas", "duckdb", "boto3", "psycopg", "regsosek.warehouse", "regsosek.night.nightly"}
MAX_PARSE_SECONDS = 1.0
NOW = datetime(2022, 10, 21, 18, tzinfo=UTC)  # 01:00 on the 22nd in Jakarta


@pytest.fixture(scope="module")
def bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(DAGS))


def test_every_file_parses_and_holds_the_dags_we_know(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == EXPECTED


def test_every_file_parses_in_under_a_second(bag: Any) -> None:
    slow = {stat.file: stat.duration for stat in bag.dagbag_stats if stat.duration.total_seconds() >= MAX_PARSE_SECONDS}
    assert slow == {}


def test_no_dag_file_imports_anything_heavy() -> None:
    code = (
        "import sys, runpy, pathlib\n"
        "import airflow.sdk\n"
        "before = set(sys.modules)\n"
        f"for path in sorted(pathlib.Path({str(DAGS)!r}).glob('*.py')): runpy.run_path(str(path))\n"
        "print(*(set(sys.modules) - before))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(answer.stdout.split()) == set()


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_policies(bag: Any, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.doc_md and "When it is red" in dag.doc_md
    assert "regsosek" in dag.tags
    for task in dag.tasks:
        assert task.owner == "platform"
        assert task.retries >= 2 or task.task_id == "conclude", f"{task.task_id} gives up too early"


def test_the_night_publishes_after_every_province_and_concludes_last(bag: Any) -> None:
    dag = bag.dags["regsosek_nightly"]
    order = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert order == {"receive": set(), "publish": {"receive"}, "tell": {"publish"}, "conclude": {"publish"}}
    rules = {task.task_id: task.trigger_rule.value for task in dag.tasks}
    assert rules["publish"] == "all_done_min_one_success"
    assert rules["tell"] == rules["conclude"] == "all_done"


def test_the_audit_concludes_whatever_became_of_a_province(bag: Any) -> None:
    dag = bag.dags["regsosek_audit"]
    order = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert order == {"audit": set(), "conclude": {"audit"}, "retain": {"conclude"}}
    assert dag.get_task("retain").trigger_rule.value == "all_success"  # what may still be asked about stays
    assert dag.get_task("conclude").trigger_rule.value == "all_done"
    assert dag.get_task("audit").op_kwargs_expand_input.value["province"] == [each.code for each in provinces()]


def test_all_provinces_are_always_mapped_under_readable_names(bag: Any) -> None:
    receive = bag.dags["regsosek_nightly"].get_task("receive")
    assert receive.op_kwargs_expand_input.value["province"] == [province.code for province in provinces()]
    assert receive.partial_kwargs["map_index_template"] == "{{ province_name }}"


def test_the_night_is_that_of_the_day_before_in_jakarta(bag: Any) -> None:
    timetable = bag.dags["regsosek_nightly"].timetable
    assert str(timetable.timezone) == "Asia/Jakarta" or "Jakarta" in repr(timetable.__dict__)
    from regsosek.night.run_request import run_request

    request = run_request(None, {}, run_after=datetime(2022, 10, 21, 18, 0, tzinfo=UTC), run_type="scheduled")
    assert str(request.night) == "2022-10-21"  # 01:00 on the 22nd in Jakarta


def test_the_dag_folder_is_ours() -> None:
    assert {path.stem for path in Path(DAGS).glob("*.py")} == EXPECTED


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_page_reads_well(bag: Any, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert dag.dag_display_name.startswith("Regsosek ")
    for task in dag.tasks:
        assert task.task_display_name != task.task_id
        assert task.doc_md and len(task.doc_md) > 100, task.task_id
    for name in dag.params:
        about = dag.params.get_param(name).schema
        assert about["title"] and len(about["description_md"]) > 40, name


def test_every_task_leads_to_its_runbook_and_no_line_is_of_a_task_that_is_gone(bag: Any) -> None:
    from regsosek.runbooks import link, pages

    tasks = {f"{dag_id}.{task.task_id}": task for dag_id, dag in bag.dags.items() for task in dag.tasks}
    assert {name for about, name in pages() if about == "task"} == set(tasks)
    for name, task in tasks.items():
        assert link("task", name, None) in task.doc_md, name


def test_the_watchdog_waits_behind_nothing_and_ends_before_its_next_round(bag: Any) -> None:
    dag = bag.dags["regsosek_watchdog"]
    others = [task for dag_id in EXPECTED - {"regsosek_watchdog"} for task in bag.dags[dag_id].tasks]
    assert dag.get_task("watch").priority_weight > len(others) * max(task.priority_weight for task in others)
    assert dag.dagrun_timeout.total_seconds() < 15 * 60


@pytest.mark.parametrize(("run_type", "tells"), [("scheduled", True), ("manual", False), ("backfill", False)])
def test_only_the_watchdogs_own_schedule_tells(
    bag: Any, monkeypatch: pytest.MonkeyPatch, run_type: str, tells: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("regsosek.watchdog.dag_round.watch_once", lambda *, scheduled: asked.append(scheduled) or {})
    watch = bag.dags["regsosek_watchdog"].get_task("watch").python_callable
    from airflow.sdk.api.datamodels._generated import DagRunType

    context = {"dag_run": SimpleNamespace(run_type=DagRunType(run_type))}
    monkeypatch.setitem(watch.__globals__, "get_current_context", lambda: context)
    assert watch() == {}
    assert asked == [tells]


def test_the_owner_can_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By a process that reads DAG files and holds no secret."""
    from regsosek.geography.recipients import owner_links

    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    for name in [name for name in os.environ if name.startswith("REGSOSEK_") and name != "REGSOSEK_ENV_FILE"]:
        monkeypatch.delenv(name)
    assert owner_links("platform") == {"platform": "mailto:platform@bps.example"}
    (tmp_path / "empty.csv").touch()
    monkeypatch.setenv("REGSOSEK_RECIPIENTS_FILE", str(tmp_path / "empty.csv"))
    assert owner_links("platform") == {}


@pytest.mark.parametrize(
    ("dag_id", "params", "told"),
    [
        ("regsosek_nightly", {"date": "21-10-2022"}, "'21-10-2022' is not a 'date'"),
        ("regsosek_nightly", {"provinces": ["99"]}, "'99' is not one of"),
        ("regsosek_replay", {"provinces": ["64"]}, "first"),
        ("regsosek_replay", {"first": "2022-10-21", "provinces": []}, "[] should be non-empty"),
    ],
)
def test_the_form_refuses_what_is_malformed(bag: Any, dag_id: str, params: dict[str, Any], told: str) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    form = copy.deepcopy(bag.dags[dag_id].params)
    with pytest.raises(ParamValidationError, match=re.escape(told)):
        form.update(params)
        form.validate()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"date": "2022-10-24"}, "today in Jakarta is 2022-10-22: give that date or an earlier one"),
        ({"date": "yesterday"}, "write YYYY-MM-DD"),
        ({"provinces": ["99"]}, "use a BPS code of the 2022 frame"),
    ],
)
@pytest.mark.parametrize("dag_id", ["regsosek_nightly", "regsosek_replay"])
def test_what_cannot_be_run_fails_for_good_and_says_what_to_enter(
    bag: Any, monkeypatch: pytest.MonkeyPatch, dag_id: str, given: dict[str, Any], told: str
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = bag.dags[dag_id].get_task({"regsosek_nightly": "publish", "regsosek_replay": "replay"}[dag_id])
    function = getattr(task, "python_callable", None) or task.partial_kwargs["python_callable"]
    params = {"first": given.get("date", "2022-10-21"), **given}
    run = SimpleNamespace(partition_key=None, run_after=NOW, run_type="manual")
    context = {"params": params, "dag_run": run}
    monkeypatch.setitem(function.__globals__, "get_current_context", lambda: context)
    arguments = {"province": "64"} if dag_id == "regsosek_replay" else {}
    with pytest.raises(AirflowFailException, match=re.escape(told)):
        function(**arguments)


def test_sending_is_asked_for_every_quarter_of_an_hour(bag: Any) -> None:
    dag = bag.dags["regsosek_send"]
    assert [task.task_id for task in dag.tasks] == ["send"]
    assert "*/15 * * * *" in str(dag.timetable)


@pytest.mark.parametrize(
    ("extra", "tls", "starttls"),
    [
        ({}, "true", "false"),
        ({"disable_ssl": True}, "false", "true"),
        ({"disable_ssl": True, "disable_tls": True}, "false", "false"),
    ],
)
def test_a_connection_is_read_as_airflows_own_hook_reads_it(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], tls: str, starttls: str
) -> None:
    from regsosek.local.airflow_connection import mail_variables

    needed = {"WAREHOUSE_URL": "postgresql+psycopg://u@h/d", "S3_ACCESS_KEY_ID": "a", "S3_SECRET_ACCESS_KEY": "b",
              "HMAC_KEY": "0" * 32, "ENV_FILE": "/nonexistent", "SMTP_CONN_ID": "surat"}  # fmt: skip
    for name, value in needed.items():
        monkeypatch.setenv(f"REGSOSEK_{name}", value)
    connection = {"conn_type": "smtp", "host": "smtp.bps.example", "port": 587, "login": "malam", "password": "rahasia"}
    monkeypatch.setenv("AIRFLOW_CONN_SURAT", json.dumps(connection | {"extra": extra}))
    assert mail_variables() == {
        "REGSOSEK_SMTP_HOST": "smtp.bps.example",
        "REGSOSEK_SMTP_PORT": "587",
        "REGSOSEK_SMTP_USERNAME": "malam",
        "REGSOSEK_SMTP_PASSWORD": "rahasia",
        "REGSOSEK_SMTP_TLS": tls,
        "REGSOSEK_SMTP_STARTTLS": starttls,
    }
    monkeypatch.setenv("REGSOSEK_SMTP_HOST", "relay.bps.example")
    assert mail_variables() == {}
