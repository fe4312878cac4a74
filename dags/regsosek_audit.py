"""
### Regsosek weekly audit

*Setiap minggu: membuktikan kembali rilis terakhir secara utuh, dari semua kasus dan semua berkas arsip.*

Proves the newest release again as a whole. Every night proves what it changed; this counts everything from all cases of
the log, compares it with changes, totals and the published tables, and reads every archived file once more.

**When.** Sundays 09:00 Asia/Jakarta, after the night; by hand whenever you doubt a figure (`regsosek audit --full`).

**What it does.** `audit`, once per province: what does not hold is its result, and is recorded
(`regsosek audit` shows it). `conclude`: the nation against its provinces; tells the platform team by mail. `retain`,
only if all holds: thins out releases older than `REGSOSEK_RELEASE_KEEP_DAYS` nights (`docs/release.md`); unset, all
stay whole.

**How long.** An hour or so for the largest province at the end of a campaign, in bounded memory; it writes nothing that
a night reads, so both may run at once.

**When it is red.** `conclude` names province and figure, and the mail the next step. A red `Periksa provinsi [PP Name]`
(`audit`) could not be audited: its log says why.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, get_current_context, task

from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import owner_links
from regsosek.runbooks import on_page

AUDIT = """
Counts one province of the newest release again from all its cases and archived files. What does not hold is the
result, and `conclude` tells it: green does not mean that all holds, red that it could not be counted.
""" + on_page("regsosek_audit", "audit")
CONCLUDE = """
Holds the nation against its provinces and tells the platform team by mail. **Red**: figures that do not hold, or a
province that was not audited; the log names them, the mail the next step.
""" + on_page("regsosek_audit", "conclude")
RETAIN = """
Thins out releases older than `REGSOSEK_RELEASE_KEEP_DAYS` nights, and answers with their ids; unset, all stay whole.
Skipped over (upstream failed) while anything is in doubt.
""" + on_page("regsosek_audit", "retain")

PROVINCES = {province.code: province.name for province in provinces()}
LONGEST_TASK = timedelta(hours=12)


@dag(
    schedule=CronTriggerTimetable("0 9 * * 0", timezone="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    dag_display_name="Regsosek pemeriksaan mingguan",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "audit", "mingguan"],
)
def regsosek_audit() -> None:
    """Prove the newest release again as a whole."""

    @task(task_display_name="Periksa provinsi", doc_md=AUDIT, map_index_template="{{ province_name }}")
    def audit(province: str) -> list[str]:
        """Audits one province; what does not hold is the result."""
        from regsosek.night.dag_steps import audit_one

        get_current_context()["province_name"] = f"{province} {PROVINCES[province]}"
        return audit_one(province)

    @task(task_display_name="Simpulkan pemeriksaan", doc_md=CONCLUDE, trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def conclude() -> None:
        """Fails, and tells the platform team, if any figure does not hold or a province was not audited."""
        from regsosek.local.airflow_connection import mail_variables
        from regsosek.night.dag_steps import conclude_audit

        conclude_audit(list(PROVINCES), mail_variables())

    @task(task_display_name="Rampingkan rilis lama", doc_md=RETAIN)
    def retain() -> list[str]:
        """Thins out old releases, and answers with their ids."""
        from regsosek.night.dag_steps import retain_releases

        return retain_releases()

    audit.expand(province=list(PROVINCES)) >> conclude() >> retain()


regsosek_audit()
