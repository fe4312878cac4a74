"""The portal as the plugin builds it: closed to whoever is not logged in to Airflow."""

from fastapi import Depends, FastAPI, Request

from regsosek.portal.application import application
from regsosek.portal.login.airflow_logins import GetUserDep, viewer_of_airflow
from regsosek.portal.sources import Sources
from regsosek.settings import load_settings


def build() -> FastAPI:
    """The portal of this process, open to an Airflow session (cookie) or bearer token; to anybody else 401.

    Airflow mounts the applications of plugins without any login of its own, and does not count the dependency used here
    among its public API: a release that moves or changes it fails ``tests/integration/local/test_local_airflow.py``.
    """

    def login(request: Request, user: GetUserDep) -> None:
        request.state.viewer = viewer_of_airflow(user)

    return application(Sources(load_settings), Depends(login))
