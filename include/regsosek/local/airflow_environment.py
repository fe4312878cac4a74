"""How Airflow is configured on one machine: environment variables only, no airflow.cfg to drift."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_services.loopback import HOST
from local_services.private_files import kept_secret, read_record, write_private, write_record

ADMIN = "admin"
INCLUDE_DIRECTORY = Path(__file__).resolve().parents[2]
# Everything that does not depend on where the stack lies. One line per decision.
DECISIONS = {
    "AIRFLOW__CORE__EXECUTOR": "regsosek.local.executor.PreloadingLocalExecutor",
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "15",  # seconds: whoever watches a machine of their own waits
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Jakarta",
    "AIRFLOW__CORE__TEST_CONNECTION": "Disabled",
    "AIRFLOW__CORE__MP_START_METHOD": "fork",  # what is preloaded must reach the workers; Python 3.14 would not fork
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
    "AIRFLOW__API__EXPOSE_CONFIG": "False",
    "AIRFLOW__API__INSTANCE_NAME": "Regsosek Nightly",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",  # of the DAG folder's listing; 300 s by default
    "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
    # The simulated world stands in October 2022: a night of today would take the place of its release.
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # halves the wall time of short tasks
}
# All that comes from the calling shell: anything else could bend the decisions above.
INHERITED = ("PATH", "HOME", "USER", "LANG", "TMPDIR")
# And where telemetry goes, by the variables of its own libraries.
INHERITED_KINDS = ("OTEL_", "OPENLINEAGE_", "AIRFLOW__METRICS__")


@dataclass(frozen=True)
class AirflowPlan:
    """What a particular Airflow works on.

    Args:
        database_url: of the metadata, postgresql+psycopg://...
        parallelism: task instances at the same time.
        variables: added to the environment of all components and tasks, e.g. REGSOSEK_ENV_FILE.
        inherited: the environment that the launcher was called with.
        pools_file: JSON file for ``airflow pools import``; none means the default pool only.
    """

    database_url: str
    dags_folder: Path
    plugins_folder: Path
    variables: Mapping[str, str]
    inherited: Mapping[str, str]
    parallelism: int = 2
    pools_file: Path | None = None


def airflow_environment(home: Path, port: int, plan: AirflowPlan) -> dict[str, str]:
    """All variables for the components of the Airflow in ``home``, whose API listens on ``port``."""
    inherited = {
        name: value for name, value in plan.inherited.items() if name in INHERITED or name.startswith(INHERITED_KINDS)
    }
    return {**inherited, **DECISIONS, **_surroundings(home, port, plan), **_secrets(home), **plan.variables}


def admin_password(home: Path) -> str:
    """Password of the user ``admin``, drawn on first use; SimpleAuthManager reads it from the same file."""
    file = home / "passwords.json"
    if not file.exists():
        write_record(file, {ADMIN: secrets.token_urlsafe(18)})
    return str((read_record(file) or {})[ADMIN])


def _surroundings(home: Path, port: int, plan: AirflowPlan) -> dict[str, str]:
    admin_password(home)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__DAGS_FOLDER": str(plan.dags_folder),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__CORE__PARALLELISM": str(plan.parallelism),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plan.plugins_folder),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": plan.database_url,
        "PYTHONPATH": str(INCLUDE_DIRECTORY),
    }


def _secrets(home: Path) -> dict[str, str]:
    return {
        "AIRFLOW__API_AUTH__JWT_SECRET": kept_secret(
            home / "secrets" / "jwt", bytes_of_entropy=64
        ),  # what SHA-512 asks for
        "AIRFLOW__API__SECRET_KEY": kept_secret(home / "secrets" / "session"),
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(home / "secrets" / "fernet"),
    }


def _fernet_key(file: Path) -> str:
    if not file.exists():
        write_private(file, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return file.read_text(encoding="ascii")
