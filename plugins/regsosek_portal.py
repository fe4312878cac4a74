"""Registers with Airflow: our pages, the ways there, what stands before all, and what writes the notes of runs."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from regsosek.geography.provinces import provinces
from regsosek.portal.login.doorway import Doorway
from regsosek.portal.login.front_door import FrontDoor

PREFIX = "/regsosek"
NIGHTLY = "regsosek_nightly"
DAGS = "regsosek_"


class PortalLink(BaseOperatorLink):
    """From a task to the operator's page: of a task that is mapped over the provinces, to its province."""

    name = "Regsosek"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - the signature is Airflow's
        """The address on Airflow's own server; none for DAGs that are not ours."""
        if not ti_key.dag_id.startswith(DAGS):
            return ""
        base = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        if ti_key.map_index < 0:
            return f"{base}{PREFIX}/"
        return f"{base}{PREFIX}/provinces/{provinces()[ti_key.map_index].code}"


class RunNotes:
    """Writes how a night went into the note of its run: a task cannot, the scheduler can, and asks the warehouse."""

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:  # noqa: ARG002 - signature of the hook
        """A run ended well."""
        _write_note(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:  # noqa: ARG002 - signature of the hook
        """A run failed."""
        _write_note(dag_run)


def _write_note(dag_run: Any) -> None:
    if dag_run.dag_id != NIGHTLY:
        return
    # Loads a driver, when a night has ended.
    from regsosek.night.run_notes import conclusion_of_run, with_conclusion  # noqa: PLC0415

    sentence = conclusion_of_run(dag_run.dag_id, dag_run.run_id)
    if sentence is not None:
        dag_run.note = with_conclusion(dag_run.note, sentence)


class RegsosekPortal(AirflowPlugin):
    """The portal under ``/regsosek``, shown inside Airflow's own page."""

    name = "regsosek_portal"
    fastapi_apps: ClassVar[list[Any]] = [{"app": Doorway(), "url_prefix": PREFIX, "name": "Regsosek portal"}]
    fastapi_root_middlewares: ClassVar[list[Any]] = [{"middleware": FrontDoor, "name": "Regsosek front door"}]
    global_operator_extra_links: ClassVar[list[Any]] = [PortalLink()]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Regsosek",
            "href": f"{PREFIX.removeprefix('/')}/",
            "destination": "nav",
            "url_route": "regsosek",
            "nav_top_level": True,
        }
    ]
    listeners: ClassVar[list[Any]] = [RunNotes()]
