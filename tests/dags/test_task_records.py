"""Records of ours in a task of Airflow: with fields, and guarded, whoever writes them."""

import json
import os
import subprocess
import sys

from support.servers.otlp_receiver import receiving

# As a task's process does it, apart: Airflow's set-up of logging is the whole process's.
TASK = """
import io, logging, sys
import pandas as pd
import structlog
from airflow.sdk.log import configure_logging
from regsosek.telemetry.context import within
from regsosek.telemetry.setup import telling

out = io.BytesIO()
configure_logging(json_output=True, output=out, sending_to_supervisor=True)
airflow = structlog.get_logger(logger_name="task")
airflow.info("bound before")
with telling("regsosek_nightly", "scheduled__1", {}), within(province="64", step="load"):
    logging.getLogger("regsosek.night.receiving.receiving").info("loaded %s", "6471035203850002")
    try:
        raise ValueError("value 6471035203850002 is refused")
    except ValueError:
        airflow.exception("Task failed with exception")
        logging.getLogger("regsosek.night").exception("failed")
    try:
        raise pd.errors.DatabaseError("Execution failed on sql 'SELECT secret_value'")
    except OSError as error:
        airflow.exception("Database failed", error=error)
        logging.getLogger("pandas").exception("of a library: %s", error)
logging.getLogger("regsosek").info("afterwards")
sys.stdout.buffer.write(out.getvalue())
"""


def test_a_record_in_a_task_has_our_fields_and_no_personal_value_even_in_airflows_own_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", TASK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    records = {record["event"]: record for record in map(json.loads, done.stdout.splitlines())}
    ours = records["loaded ***"]
    assert ours | {"run": "scheduled__1", "province": "64", "step": "load", "masked": 1} == ours
    for event in ("Task failed with exception", "failed"):
        assert "value *** is refused" in json.dumps(records[event])
        assert records[event]["province"] == "64"
    assert "province" not in records["afterwards"]
    assert "6471035203850002" not in done.stdout


def test_no_statement_of_a_database_is_in_a_record_of_a_task_whoever_writes_it() -> None:
    done = subprocess.run([sys.executable, "-c", TASK], capture_output=True, text=True, check=False)
    records = [record for record in map(json.loads, done.stdout.splitlines()) if "DatabaseError" in json.dumps(record)]
    assert len(records) == 2, done.stderr
    assert "secret_value" not in done.stdout + done.stderr


# Airflow sets its meters up with the first number that it counts itself, which is before a task begins.
MEASURED = """
import os
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from regsosek.telemetry.context import within
from regsosek.telemetry.measures import step_taken
from regsosek.telemetry.setup import telling

stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
stats.incr("ti.start")
with telling("regsosek_nightly", "scheduled__1", os.environ), within(province="64"):
    step_taken("load", 1.5, 1 << 20)
"""


def test_measures_of_a_task_leave_by_airflows_own_exporter() -> None:
    with receiving() as receiver:
        on = {"AIRFLOW__METRICS__OTEL_ON": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        done = subprocess.run(
            [sys.executable, "-c", MEASURED], env=os.environ | on, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Overriding" not in done.stdout + done.stderr  # what OpenTelemetry says to a second provider
        names = [name for name, _, _ in receiver.points()]
    assert "airflow.ti.start" in names
    assert names.count("regsosek.step.seconds") == 1
    assert receiver.services() == {"airflow"}  # a provider of our own would be "regsosek"
