"""The few calls of Airflow's REST API that the demo and the tests make: trigger a run, watch it, read its outcome."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from local_services.loopback import wait_until
from local_services.processes import LocalServiceError

FINISHED = frozenset({"success", "failed"})
PAGE = 100
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class TaskState:
    """How far one task instance is.

    Args:
        label: rendered map index (the readable name, e.g. a province) or an empty text when the task is not mapped.
        state: Airflow's word; none before it is scheduled.
    """

    task_id: str
    label: str
    state: str | None
    tries: int
    seconds: float | None


class AirflowClient:
    """A logged-in client; use it as a context manager.

    Args:
        url: address of the API server, without a path.
    """

    def __init__(self, url: str, username: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0, trust_env=False)
        answer = self._http.post("/auth/token", json={"username": username, "password": password})
        token = self._checked(answer)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """Any other resource below ``/api/v2``."""
        return self._checked(self._http.get(f"/api/v2{path}", params=parameters))

    def knows_dag(self, dag_id: str) -> bool:
        """Whether the DAG has been parsed and stored."""
        return self._http.get(f"/api/v2/dags/{dag_id}").status_code == httpx.codes.OK

    def await_dag(self, dag_id: str, *, seconds: float = 120.0) -> None:
        """Waits until the DAG processor has stored the DAG.

        Raises:
            LocalServiceError: with the import errors, which are the usual cause.
        """
        if not wait_until(lambda: self.knows_dag(dag_id), seconds=seconds, interval=POLL_SECONDS):
            raise LocalServiceError(
                f"DAG {dag_id} did not appear in {seconds:.0f} s; {self.import_errors() or 'no errors'}"
            )

    def import_errors(self) -> dict[str, str]:
        """File name to stack trace of every DAG file that could not be parsed."""
        return {error["filename"]: error["stack_trace"] for error in self.get("/importErrors")["import_errors"]}

    def unpause(self, dag_id: str) -> None:
        """Lets the scheduler work on the DAG."""
        self._checked(self._http.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}))

    def trigger(self, dag_id: str, *, partition_key: str | None = None, conf: Mapping[str, Any] | None = None) -> str:
        """Starts a run for a partition (the night) or with parameters, and returns its run id."""
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        if partition_key is not None:
            body["partition_key"] = partition_key
        return str(self._checked(self._http.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body))["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Airflow's word for the state of the run."""
        return str(self.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_states(self, dag_id: str, run_id: str) -> list[TaskState]:
        """All task instances of the run."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=PAGE, offset=len(found), order_by="id")
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return [_task_state(instance) for instance in found]

    def await_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        seconds: float,
        watch: Callable[[Sequence[TaskState]], None] | None = None,
    ) -> str:
        """Waits until the run has ended; ``watch`` sees all task instances after every poll. Returns the final state.

        Raises:
            LocalServiceError: it has not ended in ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while (state := self.run_state(dag_id, run_id)) not in FINISHED and time.monotonic() < deadline:
            if watch is not None:
                watch(self.task_states(dag_id, run_id))
            time.sleep(POLL_SECONDS)
        if watch is not None:
            watch(self.task_states(dag_id, run_id))
        if state not in FINISHED:
            raise LocalServiceError(f"run {run_id} of {dag_id} is still {state} after {seconds:.0f} s")
        return state

    @staticmethod
    def _checked(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            request = f"{answer.request.method} {answer.request.url.path}"
            raise LocalServiceError(f"Airflow answered {answer.status_code} to {request}: {answer.text[:500]}")
        document: dict[str, Any] = answer.json()
        return document


def _task_state(instance: Mapping[str, Any]) -> TaskState:
    return TaskState(
        task_id=instance["task_id"],
        label=instance["rendered_map_index"] or "",
        state=instance["state"],
        tries=instance["try_number"],
        seconds=instance["duration"],
    )
