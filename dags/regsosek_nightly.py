"""
### Regsosek nightly

*Setiap malam: menerima kiriman semua provinsi, mengumumkan statistik penyelesaian, memberi tahu kantor provinsi.*

Receives what every province delivered, publishes completion statistics, and tells each provincial office what to do.

**When.** 01:00 Asia/Jakarta, for the night of the day before (partition key `YYYY-MM-DD`).

**What it does.** `receive`, once per province: seal the night's deliveries, verify, archive, validate, load, refresh
the statistics. `publish`: build the release, audit it, flip the public pointer. `tell`: the digests. `conclude`: green
only if nothing of *ours* failed.

**How to read it.** A rejected delivery is an outcome: its task is green and the province is told. Red means that we
failed. A red province keeps its last good figures, and the release names the gap.

**When a delivery is held.** Too much of it is wrong (`quality/hold_limits.csv`): nothing of it counts until you decide.
The run stays green, `conclude` warns, and mail comes to the province and to you. The operator's page shows it on top;
`regsosek deliveries show ID`, then `regsosek deliveries free ID --reason "..."` or `reject`.

**When it is red.** Open the log of the red `Terima provinsi [PP Name]` (`receive`): the error names the delivery, part
or rule and the fix. Then clear that task *with its downstream tasks*: it takes up the interrupted delivery, publishes
again and closes the gap. Its link *Regsosek* leads to the province in the operator's page.

**To look without Airflow's grid.** [The operator's page](/plugin/regsosek), "Regsosek" in the navigation, shows
the last nights by province, every delivery with its reason, and the Data Docs of Great Expectations. In a terminal,
`regsosek status --date D` shows a night.

**One date or some provinces.** Trigger with the form: `date` and `provinces`. Running a night again changes nothing
that was decided; deliveries that came after it was sealed belong to the next night (`regsosek night --reopen` takes
them in). A night that cannot be run (a date to come, an unknown province) fails at once and says what to enter.

**Backfill.** `airflow backfill create --dag-id regsosek_nightly --from-date D1 --to-date D2T23:59:59`. Backfilled
nights send no digests and never move the public pointer backwards.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from regsosek.errors import RegsosekError
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import owner_links
from regsosek.night.run_request import RunRequest, run_request
from regsosek.runbooks import on_page

RECEIVE = """
Receives one province: seals the night's deliveries, verifies and archives them, validates every family and person,
loads what is clean, keeps the rest in quarantine, refreshes the statistics.

**Green** also when a delivery was rejected or held: its result counts them by state. A province that was not chosen is
skipped inside of the task. **Red**: ours to mend. The last lines of the log name delivery, part or rule, and the fix;
clear this task with its downstream tasks.
""" + on_page("regsosek_nightly", "receive")
PUBLISH = """
Builds the release of the night, audits it, uploads it, and moves the public pointer; the release id is the result.

**Red**: readers go on seeing the last release. The log tells every check that failed and which province it is of. With
half of the provinces red this runs all the same and names the gaps.
""" + on_page("regsosek_nightly", "publish")
TELL = """
Composes the digests of provinces and platform team and sends what is due; what can wait waits for the morning of its
province (`regsosek_send`). Sent digests are never sent twice; backfills and runs without alerts send none.

**Red**: the mail server does not answer or refuses us. `regsosek_send` goes on trying; clear the task when it is
through. A single recipient who is refused leaves it green: the deputy is written to and you are told.
""" + on_page("regsosek_nightly", "tell")
CONCLUDE = """
Says how the night went, whatever came before: red if anything of *ours* failed, and a warning for each delivery that
waits for a decision. Clear it together with the task that it names.
""" + on_page("regsosek_nightly", "conclude")

PROVINCES = {province.code: province.name for province in provinces()}
# A store that accepts connections and never answers would hold a task for ever; the largest province takes minutes.
LONGEST_TASK = timedelta(hours=2)


def requested() -> RunRequest:
    """What this run is about: its night, its provinces, and whether digests are sent; what cannot be fails for good."""
    context = get_current_context()
    run = context["dag_run"]
    try:
        return run_request(run.partition_key, context["params"], run_after=run.run_after, run_type=str(run.run_type))
    except RegsosekError as refused:
        raise AirflowFailException(str(refused)) from None


@dag(
    schedule=CronPartitionTimetable("0 1 * * *", timezone="Asia/Jakarta", run_offset=-1, key_format="%Y-%m-%d"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "platform",
        "retries": 2,
        "execution_timeout": LONGEST_TASK,
        "retry_exponential_backoff": 2.0,
    },
    dag_display_name="Regsosek malam: terima, umumkan, beri tahu",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "nightly", "malam"],
    params={
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Malam (night)",
            description_md="The night to process, `YYYY-MM-DD`, not after today in Jakarta. Empty: the partition, "
            "else yesterday. A night that was processed before is not decided anew.",
        ),
        "provinces": Param(
            [],
            type="array",
            items={"type": "string", "enum": list(PROVINCES)},
            examples=list(PROVINCES),
            values_display=PROVINCES,
            title="Provinsi (provinces)",
            description_md="Only these, by BPS code; none chosen: all. The release is of all either way.",
        ),
        "alerts": Param(
            True,
            type="boolean",
            title="Kirim ringkasan (send digests)",
            description_md="Off: nobody gets mail of this run, as in a trial.",
            section="Siapa diberi tahu (who is told)",
        ),
    },
)
def regsosek_nightly() -> None:
    """Receive every province, publish what can be published, tell who must know, and say how it went."""

    @task(task_display_name="Terima provinsi", doc_md=RECEIVE, map_index_template="{{ province_name }}")
    def receive(province: str) -> dict[str, Any]:
        """Receives one province; its row counts by state of delivery are the result."""
        from regsosek.night.dag_steps import receive_one

        get_current_context()["province_name"] = f"{province} {PROVINCES[province]}"
        return receive_one(requested(), province)

    @task(task_display_name="Umumkan rilis", doc_md=PUBLISH, trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def publish() -> str:
        """Publishes the release of the night; the release id is the result."""
        from regsosek.night.dag_steps import publish_night

        return publish_night(requested())

    @task(task_display_name="Kirim ringkasan", doc_md=TELL, trigger_rule=TriggerRule.ALL_DONE)
    def tell() -> dict[str, int]:
        """Sends the digests."""
        from regsosek.local.airflow_connection import mail_variables
        from regsosek.night.dag_steps import notify_all

        return notify_all(requested(), mail_variables())

    @task(task_display_name="Simpulkan malam", doc_md=CONCLUDE, trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def conclude() -> None:
        """Fails if anything of ours failed: an all-done task before it would leave the run green."""
        from regsosek.night.dag_steps import conclude_night

        conclude_night(requested())

    # Two leaves: the run is red if anything failed before, and also if nobody could be told.
    receive.expand(province=list(PROVINCES)) >> publish() >> [tell(), conclude()]


regsosek_nightly()
