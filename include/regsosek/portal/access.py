"""The one place of the portal that knows Airflow: whoever is logged in there is let in here."""

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI

from regsosek.portal.application import application
from regsosek.portal.sources import Sources
from regsosek.settings import load_settings


def build() -> FastAPI:
    """The portal of this process, open to an Airflow session (cookie) or bearer token; to anybody else 401.

    Airflow mounts the applications of plugins without any login of its own, and does not count the function used here
    among its public API: a release that moves or changes it fails ``tests/integration/test_local_airflow.py``.
    """
    return application(Sources(load_settings), Depends(requires_authenticated()))
