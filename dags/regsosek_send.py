"""
### Regsosek send

*Setiap seperempat jam: mengirim pesan yang sudah waktunya, dan membaca surat yang kembali.*

Sends what is due in the outbox: digests that waited for the morning of their province, and what an earlier try did not
bring through. Composes nothing.

**When.** Every 15 minutes. Unpause it together with `regsosek_nightly`: while it is paused, what waits stays until the
next night's `tell`.

**What it does.** `send`: sends what is due, reads the bounces in the sender's mailbox, writes to the deputy of whoever
cannot be reached, and tells the platform team what cannot be delivered. Each message reaches each recipient once,
however many runs there are.

**To look.** `regsosek alerts outbox` shows every message by recipient with the next try; `regsosek alerts send`
with `--dry-run` shows what waits, word for word, and sends nothing.

**When it is red.** Settings, recipients or warehouse are at fault: the log says which. A mail server that refuses or
does not answer leaves it green: every message keeps its next try, and after some of them you are told, by chat if the
recipients file names one.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from regsosek.geography.recipients import owner_links
from regsosek.runbooks import on_page

SEND = """
Sends what is due and answers with counts of deliveries (one message to one recipient each): `sent`, `failed` tries,
`waiting` for the next try (`unreached` of them for want of a server), `later` for the end of quiet hours, `bounced`.
**Red**: the log names the setting or file.
""" + on_page("regsosek_send", "send")
LONGEST_TASK = timedelta(minutes=30)  # a run begins with no message after 12 minutes; a server may take 10 for the last


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    dag_display_name="Regsosek kirim pesan",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "send", "kirim"],
)
def regsosek_send() -> None:
    """Send what is due."""

    @task(task_display_name="Kirim yang sudah waktunya", doc_md=SEND)
    def send() -> dict[str, int]:
        """Sends what is due; counts of deliveries are the result."""
        from regsosek.local.airflow_connection import mail_variables
        from regsosek.night.dag_steps import send_due

        return send_due(mail_variables())

    send()


regsosek_send()
