"""Airflow, where it is configured beside us: asked by its own command, because this room does not know it."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from regsosek.doctor.check_result import Check, CheckResult, fail, ok
from regsosek.doctor.surroundings import Surroundings

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
WAIT_SECONDS = 120
_FIX = "`airflow dags list-import-errors` shows the whole message; build the image anew if a module is missing"


def _dags(surroundings: Surroundings) -> CheckResult:
    if DATABASE not in surroundings.environ:
        return ok("not configured for this process: nothing to check")
    command = shutil.which("airflow", path=os.pathsep.join([sysconfig.get_path("scripts"), os.defpath]))
    if command is None:
        return fail(f"{DATABASE} is set and there is no Airflow", "install the lock (make install), or build the image")
    asked = [command, "dags", "list-import-errors", "--output", "json"]
    try:
        answer = subprocess.run(  # noqa: S603 - our own environment's command, without words from outside
            asked, env=dict(surroundings.environ), capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return fail(f"Airflow did not answer within {WAIT_SECONDS} s", "look at its database and at the load here")
    return told(answer.stdout)


def told(output: str) -> CheckResult:
    """Airflow writes warnings before the list, with brackets of their own, or plain words in place of an empty one."""
    if "No data found" in output:
        return ok("no DAG has import errors")
    found = re.search(r"^\[.*", output, re.MULTILINE | re.DOTALL)
    try:
        errors = json.loads(found[0] if found else "")
    except ValueError:
        return fail("Airflow could not be asked", f"run `airflow db check`; its database is named in {DATABASE}")
    files = sorted({Path(each["filepath"]).name for each in errors})
    return fail(f"{', '.join(files)} cannot be imported", _FIX) if files else ok("no DAG has import errors")


CHECKS = (Check("DAGs of Airflow", _dags),)
