"""Registers the operator's page with Airflow: its address and its entry in the navigation."""

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from regsosek.portal.doorway import Doorway

PREFIX = "/regsosek"


class RegsosekPortal(AirflowPlugin):
    """The portal under ``/regsosek``, shown inside Airflow's own page."""

    name = "regsosek_portal"
    fastapi_apps: ClassVar[list[Any]] = [{"app": Doorway(), "url_prefix": PREFIX, "name": "Regsosek portal"}]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Regsosek",
            "href": f"{PREFIX.removeprefix('/')}/",
            "destination": "nav",
            "url_route": "regsosek",
            "nav_top_level": True,
        }
    ]
