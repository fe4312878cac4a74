"""The DAG files parse fast, are the ones we know, and keep the house's policies and orderings."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regsosek.geography.provinces import provinces
from regsosek.settings import PROJECT_ROOT

DAGS = PROJECT_ROOT / "dags"
EXPECTED = {"regsosek_audit", "regsosek_nightly", "regsosek_reference", "regsosek_replay"}
HEAVY = {"great_expectations", "pandas", "duckdb", "boto3", "psycopg", "regsosek.warehouse", "regsosek.night.nightly"}
MAX_PARSE_SECONDS = 1.0


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
    from datetime import UTC, datetime

    timetable = bag.dags["regsosek_nightly"].timetable
    assert str(timetable.timezone) == "Asia/Jakarta" or "Jakarta" in repr(timetable.__dict__)
    from regsosek.night.run_request import run_request

    request = run_request(None, {}, run_after=datetime(2022, 10, 21, 18, 0, tzinfo=UTC), run_type="scheduled")
    assert str(request.night) == "2022-10-21"  # 01:00 on the 22nd in Jakarta


def test_the_dag_folder_is_ours() -> None:
    assert {path.stem for path in Path(DAGS).glob("*.py")} == EXPECTED
