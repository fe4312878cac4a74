"""Addresses of Airflow's own pages and API, as its browser application has them (3.3); tried in a real browser."""

from urllib.parse import quote

from regsosek.warehouse.nights.task_runs import TaskRun

NIGHTLY = "regsosek_nightly"
# To the form of whichever auth manager there is, and out again; an account of a province is shown nothing else there.
SIGN_IN, SIGN_OUT = "/api/v2/auth/login", "/api/v2/auth/logout"
# Where Airflow's API is asked for a run, and to do a task again in the run that it belongs to.
DAG_ADDRESS = f"/api/v2/dags/{NIGHTLY}"
TRIGGER_ADDRESS = f"{DAG_ADDRESS}/dagRuns"
CLEAR_ADDRESS = f"{DAG_ADDRESS}/clearTaskInstances"


def run_address(dag_id: str, run_id: str) -> str:
    """A run's page."""
    return f"/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def log_address(run: TaskRun) -> str:
    """The page of a task instance, which opens with its log and can clear it."""
    task = f"{run_address(run.dag_id, run.run_id)}/tasks/{quote(run.task_id, safe='')}"
    return f"{task}/mapped/{run.map_index}" if run.map_index >= 0 else task
