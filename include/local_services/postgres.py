"""A PostgreSQL 18 server of our own on loopback: made once, started, adopted, stopped; the data stay.

By hand: of pgserver only the binaries serve; its own server trusts every local account and ends with who started it.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from local_services.loopback import HOST, claim_port, remembered_port, wait_until
from local_services.postgres_files import PostgresPlace, remembered_place, settle
from local_services.private_files import kept_secret, open_private_log, private_directory, write_private
from local_services.processes import LocalServiceError

READY_SECONDS = 60.0
STALE_SECONDS = 10.0  # a postmaster's children notice its death and end
# More than one, because a server may be found dying, and a free port may be lost to somebody else.
LAUNCHES = 3
SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # their paths may not exceed 107 characters, ours may
    "max_connections": "150",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "timezone": "UTC",
    # A peer that is gone is noticed within a minute, whatever its sessions ask for.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "client_connection_check_interval": "10s",
    # The text of a failed statement or a rejected value can hold personal data: the client is told, the log is not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass
class PostgresServer:
    """The server whose state (place, port, password, log) is kept in ``folder``.

    Args:
        superuser: the account that owns the server; it stays what it was when the data were made.
    """

    folder: Path
    superuser: str = "postgres"
    name: str = field(default="postgres", init=False)

    @property
    def log_file(self) -> Path:
        """The server's own log; errors of statements are not in it."""
        return self.folder / "postgres.log"

    @property
    def port(self) -> int | None:
        """The port of the running server, or the one that it had last time."""
        return remembered_port(self.folder / "port.json")

    @property
    def running(self) -> bool:
        """Whether a server of ours works on our data, whoever launched it."""
        return self._postmaster() is not None

    def url(self, database: str) -> str:
        """SQLAlchemy URL of ``database`` for the superuser, with the password in it."""
        return f"postgresql+psycopg://{self.superuser}:{quote(self._password)}@{HOST}:{self.port}/{database}"

    def connect(self, database: str = "postgres", *, timeout_seconds: int = 5) -> psycopg.Connection:
        """An autocommit connection of the superuser."""
        return psycopg.connect(
            host=HOST, port=self.port, dbname=database, user=self.superuser, password=self._password,
            connect_timeout=timeout_seconds, autocommit=True,
        )  # fmt: skip

    def start(self) -> None:
        """Makes the database cluster if there is none, starts the server unless it runs, waits until it answers.

        Raises:
            LocalServiceError: the server did not come up; its log says why.
        """
        place = settle(private_directory(self.folder))
        self._initialise(place)
        if not any(self._comes_up(place) for _ in range(LAUNCHES)):
            raise LocalServiceError(f"PostgreSQL did not come up on port {self.port}; read {self.log_file}")

    def stop(self) -> None:
        """Ends the server: open transactions are rolled back, data are kept."""
        place = remembered_place(self.folder)
        if place is not None and self.running:
            place.run("pg_ctl", "stop", "-D", str(place.data), "-m", "fast", "-w", "-t", "60")

    def ensure_database(self, name: str) -> bool:
        """Creates database ``name`` unless it exists; True when it was created."""
        with self.connect() as connection:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except psycopg.errors.DuplicateDatabase:
                return False
        return True

    def forget(self) -> None:
        """Stops the server and deletes everything, also what lies outside of ``folder``."""
        self.stop()
        place = remembered_place(self.folder)
        if place is not None:
            place.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _password(self) -> str:
        return kept_secret(self._password_file)

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _initialise(self, place: PostgresPlace) -> None:
        whole = (place.data / "PG_VERSION").exists() and (place.home / "initialised").exists()
        if whole and self._password_file.exists():
            return
        # Of an initdb that was killed half-way, or of a folder that was deleted without `make clean`: for root the data
        # lie outside of it, and nobody knows their password any more.
        for left in _processes_on(place):
            left.kill()
        shutil.rmtree(place.data, ignore_errors=True)
        place.data.mkdir(mode=0o700)
        place.give(place.data)
        password_file = place.home / "password"  # the account can't read ours
        write_private(password_file, self._password)
        place.give(password_file)
        try:
            place.run(
                "initdb", "-D", str(place.data), "--username", self.superuser, "--pwfile", str(password_file),
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
            )  # fmt: skip
        finally:
            password_file.unlink()
        (place.home / "initialised").touch()

    def _comes_up(self, place: PostgresPlace) -> bool:
        launched = None if self.running else self._launch(place, claim_port(self.folder / "port.json"))

        def gone() -> bool:
            return not self.running if launched is None else launched.poll() is not None

        return wait_until(lambda: self._answers() or gone(), seconds=READY_SECONDS) and self._answers()

    def _launch(self, place: PostgresPlace, port: int) -> Popen[str]:
        _clear_stale_lock(place)
        settings = {**SERVER_SETTINGS, "port": str(port)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = open_private_log(self.log_file)
        try:
            return place.launch("postgres", ["-D", str(place.data), *arguments], output=log)
        finally:
            os.close(log)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _postmaster(self) -> psutil.Process | None:
        place = remembered_place(self.folder)
        if place is None:
            return None
        postmaster = _locked_by(place)
        ours = postmaster is not None and postmaster in _processes_on(place)
        return postmaster if ours else None


def _locked_by(place: PostgresPlace) -> psutil.Process | None:
    try:
        pid = int((place.data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
        return psutil.Process(pid)
    except (FileNotFoundError, NotADirectoryError, ValueError, psutil.NoSuchProcess):
        return None


def _processes_on(place: PostgresPlace) -> list[psutil.Process]:
    """Every process of PostgreSQL that works on the data, also children that a killed postmaster left for a moment."""
    found = psutil.process_iter(["cwd", "status"])  # PostgreSQL changes into its data directory
    return [
        process
        for process in found
        if process.info["cwd"] == str(place.data.resolve()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _clear_stale_lock(place: PostgresPlace) -> None:
    """Removes the lock file of a dead server whose process id lives on, as a zombie or as somebody else.

    PostgreSQL itself would refuse to start. Its guard against two servers on the same data is kept: as long as any
    process works on them, the lock stays.
    """
    if wait_until(lambda: not _processes_on(place), seconds=STALE_SECONDS):
        (place.data / "postmaster.pid").unlink(missing_ok=True)
