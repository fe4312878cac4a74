"""
### Regsosek nightly

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

**When it is red.** Open the log of the red `receive [PP Name]`: the error names the delivery, part or rule and the fix.
Then clear that task *with its downstream tasks*: it takes up the interrupted delivery, publishes again and closes the
gap.

**To look without Airflow's grid.** [The operator's page](/plugin/regsosek), "Regsosek" in the navigation, shows
the last nights by province, every delivery with its reason, and the Data Docs of Great Expectations. In a terminal,
`regsosek status --date D` shows a night.

**One date or some provinces.** Trigger with the form: `date` and `provinces`. Running a night again changes nothing
that was decided; deliveries that came after it was sealed belong to the next night (`regsosek night --reopen` takes
them in).

**Backfill.** `airflow backfill create --dag-id regsosek_nightly --from-date D1 --to-date D2T23:59:59`. Backfilled
nights send no digests and never move the public pointer backwards.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, Param, TriggerRule, dag, get_current_context, task

from regsosek.geography.provinces import provinces
from regsosek.night.run_request import RunRequest, run_request

PROVINCES = {province.code: province.name for province in provinces()}
# A store that accepts connections and never answers would hold a task for ever; the largest province takes minutes.
LONGEST_TASK = timedelta(hours=2)


def requested() -> RunRequest:
    """What this run is about: its night, its provinces, and whether digests are sent."""
    context = get_current_context()
    run = context["dag_run"]
    return run_request(run.partition_key, context["params"], run_after=run.run_after, run_type=str(run.run_type))


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
    doc_md=__doc__,
    tags=["regsosek", "nightly"],
    params={
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Night",
            description="The night to process; empty: the partition, else yesterday in Jakarta.",
        ),
        "provinces": Param(
            [],
            type="array",
            items={"type": "string", "enum": list(PROVINCES)},
            examples=list(PROVINCES),
            values_display=PROVINCES,
            title="Provinces",
            description="Only these provinces; none chosen means all 34.",
        ),
        "alerts": Param(True, type="boolean", title="Send digests", description="Off for a trial run."),
    },
)
def regsosek_nightly() -> None:
    """Receive every province, publish what can be published, tell who must know, and say how it went."""

    @task(map_index_template="{{ province_name }}")
    def receive(province: str) -> dict[str, Any]:
        """Receives one province; its row counts by state of delivery are the result."""
        from regsosek.night.dag_steps import receive_one

        get_current_context()["province_name"] = f"{province} {PROVINCES[province]}"
        return receive_one(requested(), province)

    @task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def publish() -> str:
        """Publishes the release of the night; the release id is the result."""
        from regsosek.night.dag_steps import publish_night

        return publish_night(requested())

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def tell() -> dict[str, int]:
        """Sends the digests."""
        from regsosek.night.dag_steps import tell_all

        return tell_all(requested())

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def conclude() -> None:
        """Fails if anything of ours failed: an all-done task before it would leave the run green."""
        from regsosek.night.dag_steps import conclude_night

        conclude_night(requested())

    # Two leaves: the run is red if anything failed before, and also if nobody could be told.
    receive.expand(province=list(PROVINCES)) >> publish() >> [tell(), conclude()]


regsosek_nightly()
