"""The one place of the portal that knows Airflow: whoever is logged in there is let in here."""

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, Request

from regsosek.geography.provinces import provinces
from regsosek.portal.airflow_links import NIGHTLY
from regsosek.portal.application import application
from regsosek.portal.sources import Sources
from regsosek.portal.viewer import Viewer
from regsosek.settings import load_settings


def build() -> FastAPI:
    """The portal of this process, open to an Airflow session (cookie) or bearer token; to anybody else 401.

    Airflow mounts the applications of plugins without any login of its own, and does not count the functions used here
    among its public API: a release that moves or changes them fails ``tests/integration/test_local_airflow.py``.
    """
    return application(Sources(load_settings), Depends(login))


def login(request: Request, user: GetUserDep) -> None:
    """Lets an account in; whoever may run the nightly DAG is an operator."""
    run = {"access_entity": DagAccessEntity.RUN, "details": DagDetails(id=NIGHTLY)}
    operator = get_auth_manager().is_authorized_dag(method="POST", user=user, **run)
    every = frozenset(each.code for each in provinces())
    request.state.viewer = Viewer(user.get_name(), every, operator=operator, sensitive=operator)
