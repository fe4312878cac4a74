"""Registers the operator's page with Airflow: its address, its entry in the navigation, the way there from a task."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from regsosek.geography.provinces import provinces
from regsosek.portal.doorway import Doorway

PREFIX = "/regsosek"
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


class RegsosekPortal(AirflowPlugin):
    """The portal under ``/regsosek``, shown inside Airflow's own page."""

    name = "regsosek_portal"
    fastapi_apps: ClassVar[list[Any]] = [{"app": Doorway(), "url_prefix": PREFIX, "name": "Regsosek portal"}]
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
