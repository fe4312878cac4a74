"""
### Regsosek weekly audit

Proves the newest release again as a whole. Every night proves what it changed; this counts everything from all cases of
the log, compares it with changes, totals and the published tables, and reads every archived file once more.

**When.** Sundays 09:00 Asia/Jakarta, after the night; by hand whenever you doubt a figure (`regsosek audit --full`).

**What it does.** `audit`, once per province: what does not hold is its result, and is recorded
(`regsosek audit` shows it). `conclude`: the nation against its provinces; tells the platform team by mail. `retain`,
only if all holds: thins out releases older than `REGSOSEK_RELEASE_KEEP_DAYS` nights (`docs/release.md`); unset, all
stay whole.

**How long.** An hour or so for the largest province at the end of a campaign, in bounded memory; it writes nothing that
a night reads, so both may run at once.

**When it is red.** `conclude` names province and figure, and the mail the next step. A red `audit [PP Name]` could not
be audited: its log says why.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, get_current_context, task

from regsosek.geography.provinces import provinces

PROVINCES = {province.code: province.name for province in provinces()}
LONGEST_TASK = timedelta(hours=12)


@dag(
    schedule=CronTriggerTimetable("0 9 * * 0", timezone="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    doc_md=__doc__,
    tags=["regsosek", "audit"],
)
def regsosek_audit() -> None:
    """Prove the newest release again as a whole."""

    @task(map_index_template="{{ province_name }}")
    def audit(province: str) -> list[str]:
        """Audits one province; what does not hold is the result."""
        from regsosek.night.dag_steps import audit_one

        get_current_context()["province_name"] = f"{province} {PROVINCES[province]}"
        return audit_one(province)

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def conclude() -> None:
        """Fails, and tells the platform team, if any figure does not hold or a province was not audited."""
        from regsosek.night.dag_steps import conclude_audit

        conclude_audit(list(PROVINCES))

    @task
    def retain() -> list[str]:
        """Thins out old releases, and answers with their ids."""
        from regsosek.night.dag_steps import retain_releases

        return retain_releases()

    audit.expand(province=list(PROVINCES)) >> conclude() >> retain()


regsosek_audit()
