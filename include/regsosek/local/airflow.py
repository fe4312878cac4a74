"""Airflow's four processes on one machine: started in the order of their needs, watched, stopped whole."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import httpx

from local_services.environment_file import read_environment, write_environment
from local_services.loopback import HOST, claim_port, remembered_port, wait_until
from local_services.private_files import private_directory, read_record, write_record
from local_services.processes import BackgroundProcess, LocalServiceError
from regsosek.local.airflow_client import AirflowClient
from regsosek.local.airflow_environment import ADMIN, AirflowPlan, admin_password, airflow_environment

API_SERVER = "api-server"
# Name of the process: how the health report calls it, and its arguments. No log servers: they would listen on all
# interfaces, and on one machine the API server reads the log files itself.
WORKING_COMPONENTS = {
    "scheduler": ("scheduler", ("scheduler", "--skip-serve-logs")),
    "dag-processor": ("dag_processor", ("dag-processor",)),
    "triggerer": ("triggerer", ("triggerer", "--skip-serve-logs")),
}
READY_SECONDS = 180.0
POLL_SECONDS = 0.5
AIRFLOW = (sys.executable, "-m", "airflow")

Health = dict[str, dict[str, str | None]]


@dataclass(frozen=True)
class Airflow:
    """The Airflow whose AIRFLOW_HOME is ``home``."""

    home: Path

    @property
    def name(self) -> str:
        """Name of the service."""
        return "airflow"

    @property
    def processes(self) -> list[BackgroundProcess]:
        """The API server and the working components, in order of start."""
        return [BackgroundProcess(name, self.home / "processes") for name in (API_SERVER, *WORKING_COMPONENTS)]

    @property
    def running(self) -> bool:
        """Whether all four processes live."""
        return all(process.running for process in self.processes)

    @property
    def url(self) -> str:
        """Address of UI and API."""
        return f"http://{HOST}:{remembered_port(self._port_file)}"

    @property
    def password(self) -> str:
        """Password of the user ``admin``."""
        return admin_password(self.home)

    def client(self) -> AirflowClient:
        """A client of the REST API, logged in as ``admin``."""
        return AirflowClient(self.url, ADMIN, self.password)

    def start(self, plan: AirflowPlan, *, fresh_database: bool = False) -> None:
        """Starts what does not run and waits until every component has reported itself healthy.

        Args:
            fresh_database: the metadata database was just made, so that its tables are missing whatever we remember.
        """
        if self.running:
            return
        self.stop()  # a half-dead Airflow is worse than none
        private_directory(self.home)
        port = claim_port(self._port_file)
        write_environment(self._environment_file, airflow_environment(self.home, port, plan))
        self._migrate(fresh_database=fresh_database)
        if plan.pools_file is not None:
            self.run_cli("pools", "import", str(plan.pools_file))
        self._start_processes()

    def stop(self) -> None:
        """Ends all four, and the tasks that run: the scheduler first, so that nothing new starts meanwhile."""
        api_server, *working = self.processes
        for process in working:
            process.ask_to_end()
        for process in (*working, api_server):
            process.stop()

    def run_cli(self, *arguments: str) -> str:
        """Runs ``airflow <arguments>`` in the environment of the components; returns its standard output.

        Raises:
            LocalServiceError: with the end of what the command said.
        """
        done = subprocess.run(
            [*AIRFLOW, *arguments], env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LocalServiceError(f"`airflow {' '.join(arguments[:2])}` failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def reserialize(self) -> None:
        """Parses the DAG folder now instead of when the DAG processor comes round."""
        self.run_cli("dags", "reserialize")

    @property
    def _port_file(self) -> Path:
        return self.home / "port.json"

    @property
    def _environment_file(self) -> Path:
        return self.home / "airflow.env"

    def _environment(self) -> dict[str, str]:
        environ = read_environment(self._environment_file)
        if not environ:
            raise LocalServiceError(f"there is no Airflow in {self.home}; start it with `make up`")
        return environ

    def _migrate(self, *, fresh_database: bool) -> None:
        """``airflow db migrate``, which takes 5 seconds, once per version of Airflow."""
        marker, wanted = self.home / "migrated.json", {"airflow": version("apache-airflow-core")}
        if fresh_database or read_record(marker) != wanted:
            self.run_cli("db", "migrate")
            write_record(marker, wanted)

    def _start_processes(self) -> None:
        since = datetime.now(UTC)
        api_server, *working = self.processes
        # Tasks that a scheduler launches before the API answers fail for good.
        api_server.start([*AIRFLOW, API_SERVER, "--host", HOST], self._environment())
        self._await([api_server], lambda health: is_healthy(health, "metadatabase", since=None))
        for process in working:
            process.start([*AIRFLOW, *WORKING_COMPONENTS[process.name][1]], self._environment())
        names = [name for name, _ in WORKING_COMPONENTS.values()]
        self._await(self.processes, lambda health: all(is_healthy(health, name, since=since) for name in names))

    def _await(self, processes: Sequence[BackgroundProcess], ready: Callable[[Health], bool]) -> None:
        def ready_or_dead() -> bool:
            return not all(process.running for process in processes) or ready(self._health())

        in_time = wait_until(ready_or_dead, seconds=READY_SECONDS, interval=POLL_SECONDS)
        for process in processes:
            if not process.running:
                raise process.failure("ended while starting")
        if not in_time:
            raise LocalServiceError(f"Airflow is not healthy after {READY_SECONDS:.0f} s: {self._health()}")

    def _health(self) -> Health:
        try:
            report: Health = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5.0, trust_env=False).json()
        except (httpx.TransportError, ValueError):
            return {}
        return report


def is_healthy(health: Health, component: str, *, since: datetime | None) -> bool:
    """Whether ``component`` says so itself, and with a heartbeat after ``since``: a dead one looks healthy for 30 s."""
    report = health.get(component, {})
    if report.get("status") != "healthy" or since is None:
        return report.get("status") == "healthy"
    heartbeat = report.get(f"latest_{component}_heartbeat")
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= since
