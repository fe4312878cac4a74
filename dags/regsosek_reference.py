"""
### Regsosek reference data

*Sebelum malam: memuat wilayah, kerangka sub-SLS dan perubahannya, petugas, dan target.*

Loads the BPS region master, the sub-SLS frame and its changes, the officers' roster and the targets into the
warehouse, and brings its schema up to date.

**When.** 00:15 Asia/Jakarta, before the night; trigger it by hand after delivering a new version.

**What it reads.** `reference/<sls|psls|petugas|target>/<version>/` in the landing bucket; the format is in
`docs/reference-files.md`. The newest version that is whole is taken; a broken one is passed over and named in the log.

**When it is red.** No version of a dataset is whole (only `psls`, the changes, may be absent), or a target is
missing: the log names it. The night goes on with what was loaded before; without any frame it refuses to run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from regsosek.geography.recipients import owner_links
from regsosek.runbooks import on_page

LOAD = """
Loads regions, frame, its changes, officers and targets; versions, rows and faults of each dataset are the result.

**Red**: no version of a dataset is whole, and the log says what is wrong with which file. Deliver a mended version and
clear the task; until then the night goes on with what was loaded before.
""" + on_page("regsosek_reference", "load")
LONGEST_TASK = timedelta(hours=1)


@dag(
    schedule=CronTriggerTimetable("15 0 * * *", timezone="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    dag_display_name="Regsosek data acuan",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "reference", "acuan"],
)
def regsosek_reference() -> None:
    """Load what the night looks up."""

    @task(task_display_name="Muat data acuan", doc_md=LOAD)
    def load() -> list[dict[str, Any]]:
        """Loads regions, frame, its changes, officers and targets; versions, rows and faults are the result."""
        from regsosek.night.dag_steps import load_reference_data

        return load_reference_data()

    load()


regsosek_reference()
