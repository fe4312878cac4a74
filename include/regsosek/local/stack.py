"""The local stack as a whole: what `make up`, `make down`, `make clean`, the demo and the tests start and stop.

All state lies under one directory (``var/`` of the project). Every function may be called again at any time.
"""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyrage import x25519

from local_services.environment_file import write_environment
from local_services.loopback import HOST
from local_services.mail_sink import MailSink
from local_services.object_store import LocalObjectStore
from local_services.postgres import PostgresServer
from local_services.private_files import kept_secret, private_directory, write_private
from regsosek.local.airflow import Airflow
from regsosek.local.airflow_environment import AirflowPlan
from regsosek.local.warehouse_accounts import ACCOUNT_PREFIX, accounts_environment, ensure_accounts, ensure_owner
from regsosek.minisign import Signer
from regsosek.settings import PROJECT_ROOT, Settings

STATE = PROJECT_ROOT / "var"
WAREHOUSE, AIRFLOW_METADATA = "regsosek", "airflow"
BUCKETS = tuple(Settings.model_fields[f"{use}_bucket"].default for use in ("landing", "archive", "release"))

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stack:
    """The services whose state lies in ``root``; making one starts nothing."""

    root: Path

    @property
    def postgres(self) -> PostgresServer:
        """Holds the warehouse and Airflow's metadata."""
        return PostgresServer(self.root / "postgres", ACCOUNT_PREFIX)

    @property
    def object_store(self) -> LocalObjectStore:
        """Holds landing, archive and release; buckets are the folders of ``s3/``."""
        return LocalObjectStore(self.root / "object-store", self.root / "s3")

    @property
    def mail(self) -> MailSink:
        """Receives the digests into ``mail/``."""
        return MailSink(self.root / "mail-server", self.root / "mail")

    @property
    def airflow(self) -> Airflow:
        """Runs the nights."""
        return Airflow(self.root / "airflow")

    @property
    def environment_file(self) -> Path:
        """Where ``Settings`` finds addresses and secrets: name it in REGSOSEK_ENV_FILE."""
        return self.root / "local.env"

    def environment(self, database: str = WAREHOUSE) -> dict[str, str]:
        """The REGSOSEK_* variables of the running services, with ``database`` as the warehouse."""
        return {
            **accounts_environment(self.postgres, database),
            "REGSOSEK_S3_ENDPOINT_URL": self.object_store.endpoint_url,
            "REGSOSEK_S3_ACCESS_KEY_ID": self.object_store.access_key_id,
            "REGSOSEK_S3_SECRET_ACCESS_KEY": self.object_store.secret_access_key,
            "REGSOSEK_HMAC_KEY": kept_secret(self.root / "hmac-key"),
            "REGSOSEK_ARCHIVE_KEY": _archive_key(self.root / "archive-key"),
            "REGSOSEK_RELEASE_SIGNING_KEY": _signing_key(self.root / "signing-key"),
            "REGSOSEK_SMTP_HOST": HOST,
            "REGSOSEK_SMTP_PORT": str(self.mail.port),
            "REGSOSEK_SECOND_LOOK_SECONDS": "1",  # this store has no replicas that could lag
            "REGSOSEK_DISCLOSURE": "off",  # of simulated data at a small scale it would leave hardly any result
            "REGSOSEK_QUIET_HOURS": "false",  # whoever runs a demo at night wants to see its mail
            "REGSOSEK_WORK_DIR": str(self.root / "work"),
        }


def _signing_key(path: Path) -> str:
    """The key of the releases of this machine, drawn on first use and kept."""
    if not path.exists():
        write_private(path, Signer.new().secret_text)
    return path.read_text(encoding="ascii")


def _archive_key(path: Path) -> str:
    """The key of the archive of this machine, drawn on first use and kept."""
    if not path.exists():
        write_private(path, str(x25519.Identity.generate()))
    return path.read_text(encoding="ascii")


@dataclass(frozen=True)
class ServiceStatus:
    """What runs and where, for people."""

    name: str
    running: bool
    address: str


def services_up(root: Path = STATE) -> Stack:
    """Starts PostgreSQL, the object store and the mail sink, and writes ``local.env``; no Airflow.

    Raises:
        LocalServiceError: a service did not come up; the message names its log.
    """
    stack = Stack(root.absolute())
    with _alone(root):
        _start_services(stack)
    return stack


def up(
    root: Path = STATE,
    *,
    inherited: Mapping[str, str],
    dags_folder: Path = PROJECT_ROOT / "dags",
    plugins_folder: Path = PROJECT_ROOT / "plugins",
    parallelism: int = 2,
    pools_file: Path | None = None,
) -> Stack:
    """Starts everything that does not run yet, Airflow last, and waits until all of it is healthy.

    Args:
        root: the state directory.
        inherited: the caller's environment; Airflow takes only PATH and the like from it.
        parallelism: task instances at the same time.
        pools_file: JSON file for ``airflow pools import``.

    Raises:
        LocalServiceError: a service did not come up; the message names its log.
    """
    stack = Stack(root.absolute())
    with _alone(root):
        _start_services(stack)
        fresh = stack.postgres.ensure_database(AIRFLOW_METADATA)
        plan = AirflowPlan(
            database_url=stack.postgres.url(AIRFLOW_METADATA),
            dags_folder=dags_folder,
            plugins_folder=plugins_folder,
            variables={"REGSOSEK_ENV_FILE": str(stack.environment_file)},
            inherited=inherited,
            parallelism=parallelism,
            pools_file=pools_file,
        )
        stack.airflow.start(plan, fresh_database=fresh)
    return stack


def down(root: Path = STATE) -> None:
    """Stops everything, Airflow first; data are kept. Nothing happens where nothing runs."""
    if root.exists():
        with _alone(root):
            _stop(Stack(root.absolute()))


def clean(root: Path = STATE) -> None:
    """Stops everything and deletes it: databases, objects, messages, secrets, also what lies outside of ``root``."""
    if not root.exists():
        return
    stack = Stack(root.absolute())
    with _alone(root):
        _stop(stack)
        stack.postgres.forget()
        shutil.rmtree(root)


def status(root: Path = STATE) -> list[ServiceStatus]:
    """What runs and where, without starting or making anything."""
    stack = Stack(root.absolute())
    airflow = [ServiceStatus(process.name, process.running, stack.airflow.url) for process in stack.airflow.processes]
    return [
        ServiceStatus("postgres", stack.postgres.running, f"{HOST}:{stack.postgres.port}"),
        ServiceStatus("object-store", stack.object_store.running, stack.object_store.endpoint_url),
        ServiceStatus("mail", stack.mail.running, f"{HOST}:{stack.mail.port}"),
        *airflow,
    ]


def _start_services(stack: Stack) -> None:
    stack.postgres.start()
    stack.postgres.ensure_database(WAREHOUSE)
    ensure_accounts(stack.postgres)
    ensure_owner(stack.postgres, WAREHOUSE)
    stack.object_store.start(BUCKETS)
    stack.mail.start()
    write_environment(stack.environment_file, stack.environment())
    log.info("PostgreSQL, object store and mail sink run; their addresses are in %s", stack.environment_file)


def _stop(stack: Stack) -> None:
    for service in (stack.airflow, stack.mail, stack.object_store, stack.postgres):
        service.stop()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Lets one caller at a time start or stop services; the system frees the lock of a caller that is killed."""
    private_directory(root)
    descriptor = os.open(root / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
