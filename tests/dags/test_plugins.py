"""The plugin: found by Airflow's own loader, one thin file, and free for every process that never serves a page."""

import subprocess
import sys
from typing import Any

import pytest

from regsosek.settings import PROJECT_ROOT

PLUGINS = PROJECT_ROOT / "plugins"
HEAVY = {"great_expectations", "pandas", "duckdb", "boto3", "psycopg", "sqlalchemy", "fastapi", "jinja2"}
LOADING = f"""
import runpy, sys, time
from airflow.plugins_manager import AirflowPlugin
before, started = set(sys.modules), time.process_time()
runpy.run_path({str(PLUGINS / "regsosek_portal.py")!r})
print(time.process_time() - started, *(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def plugin() -> Any:
    from airflow._shared.plugins_manager import _load_plugins_from_plugin_directory

    plugins, errors = _load_plugins_from_plugin_directory(plugins_folder=str(PLUGINS))
    assert errors == {}
    [found] = [each for each in plugins if each.name == "regsosek_portal"]
    return found


def test_it_costs_nothing_where_no_page_is_served() -> None:
    answer = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    seconds, *modules = answer.stdout.splitlines()[-1].split()
    assert float(seconds) < 0.2
    assert HEAVY & set(modules) == set()
    assert "regsosek.portal.login.doorway" in modules


def test_the_folder_holds_plugins_only() -> None:
    # Airflow executes every file under it as a module of its own, under its bare name.
    assert [path.name for path in PLUGINS.rglob("*.py")] == ["regsosek_portal.py"]


def test_the_navigation_leads_where_the_page_is_mounted(plugin: Any) -> None:
    [app], [view] = plugin.fastapi_apps, plugin.external_views
    assert f"/{view['href']}" == f"{app['url_prefix']}/"
    from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

    assert ExternalViewResponse.model_validate(view).destination == "nav"


def test_a_task_leads_to_its_province(plugin: Any) -> None:
    from types import SimpleNamespace

    [link] = plugin.global_operator_extra_links

    def href(dag_id: str, map_index: int) -> str:
        return str(link.get_link(None, ti_key=SimpleNamespace(dag_id=dag_id, map_index=map_index)))

    [page] = [app["url_prefix"] for app in plugin.fastapi_apps]
    assert href("regsosek_nightly", 22) == f"{page}/provinces/64"
    assert href("regsosek_nightly", 0) == f"{page}/provinces/11"
    assert href("regsosek_nightly", -1) == f"{page}/"
    assert href("somebody_elses", 3) == ""


def test_runs_of_the_night_alone_get_what_they_came_to_as_a_note(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from airflow.listeners.listener import get_listener_manager

    monkeypatch.setattr("regsosek.night.run_notes.conclusion_of_run", lambda dag, run: "33 of 34 provinces whole")
    manager = get_listener_manager()
    manager.add_listener(plugin.listeners[0])
    runs = {dag: SimpleNamespace(dag_id=dag, run_id="r", note=None) for dag in ("regsosek_nightly", "regsosek_audit")}
    try:
        for run in runs.values():
            manager.hook.on_dag_run_failed(dag_run=run, msg="task_failure")
    finally:
        manager.clear()
    assert runs["regsosek_nightly"].note == "Night: 33 of 34 provinces whole"
    assert runs["regsosek_audit"].note is None
