"""What a run of the nightly DAG came to, for the note that Airflow shows beside it. Light: the scheduler asks."""

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from regsosek.settings import load_settings
from regsosek.transport import warehouse_tls

# The scheduler waits meanwhile: a warehouse that does not answer at once is not waited for.
PATIENCE_SECONDS = 2
CAME_TO = "Night: "
LONGEST_NOTE = 1000  # what Airflow takes
_CONCLUSION = (
    "SELECT told FROM ledger.task_run WHERE dag_id = %s AND run_id = %s AND told IS NOT NULL ORDER BY started_at DESC"
)


def conclusion_of_run(dag_id: str, run_id: str) -> str | None:
    """The sentence that the run concluded with; None where it did not come to that, or the warehouse is not there."""
    settings = load_settings()
    given = settings.warehouse_of("watchdog").get_secret_value()
    url = given.replace("postgresql+psycopg://", "postgresql://", 1)
    options = f"-c statement_timeout={PATIENCE_SECONDS * 1000}"
    try:
        proved = make_conninfo(url, **warehouse_tls(settings, conninfo_to_dict(url)))
        with psycopg.connect(proved, connect_timeout=PATIENCE_SECONDS, options=options) as connection:
            found = connection.execute(_CONCLUSION, (dag_id, run_id)).fetchone()
    except psycopg.Error:
        return None
    return None if found is None else str(found[0])


def with_conclusion(note: str | None, sentence: str) -> str:
    """A run's note, and below it what the run came to, in place of what an earlier try of it came to."""
    kept = [line for line in (note or "").splitlines() if not line.startswith(CAME_TO)]
    return "\n".join([*kept, CAME_TO + sentence])[:LONGEST_NOTE]
