"""
### Regsosek watchdog

*Tiap seperempat jam: melihat dari luar apakah malam berjalan, rilis terbit, dan pemberitahuan terkirim.*

Looks at warehouse, object store, mail and scheduler themselves, not at what Airflow says of its runs, and mails the
platform team when something begins to be wrong, again after six hours, and once when it is over.

**When.** Every quarter of an hour. The command `regsosek watchdog`, started by cron or systemd outside of Airflow, does
the same and looks whether this DAG still runs; this DAG looks whether the command does. Both share what was told.

**How to read it.** Green: the round ran; what it found is its result and in its log. A finding turns nothing red here.

**When it is red.** The round itself could not run, nothing was looked at: the log says why, most often a setting.

**To stop it for a while.** Do not pause it, the command would tell of that: enter a silence
(`docs/runbooks/silences.md`).
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task

from regsosek.geography.recipients import owner_links
from regsosek.runbooks import on_page

WATCH = """
One round: looks at warehouse, object store, mail server and Airflow's heartbeats, tells the platform team what began
and what is over, and pings the dead-man's switch. The findings by kind are the result.

**Red**: the round did not run; the log says why.
""" + on_page("regsosek_watchdog", "watch")
# A round waits for nothing longer than some seconds; the next one comes in a quarter of an hour.
LONGEST_ROUND = timedelta(minutes=10)
# Before all that waits in the queue: a night at work must not keep anybody from looking at it.
FIRST = 1000


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=LONGEST_ROUND,
    default_args={
        "owner": "platform",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": LONGEST_ROUND,
        "priority_weight": FIRST,
    },
    dag_display_name="Regsosek pengawas",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "watchdog", "pengawas"],
)
def regsosek_watchdog() -> None:
    """Look at the nights from outside."""

    @task(task_display_name="Awasi", doc_md=WATCH)
    def watch() -> dict[str, int]:
        """Runs one round; how many findings there are of each kind is the result."""
        from regsosek.watchdog.dag_round import watch_once

        return watch_once(scheduled=get_current_context()["dag_run"].run_type == "scheduled")

    watch()


regsosek_watchdog()
