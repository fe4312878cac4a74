"""The one place of the portal that knows Airflow: who is logged in there, and what they may see here."""

from collections.abc import Iterable
from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, Request

from regsosek.portal.accounts import AccountsFile
from regsosek.portal.application import application
from regsosek.portal.sources import Sources
from regsosek.settings import load_settings


def build() -> FastAPI:
    """The portal of this process, open to an Airflow session (cookie) or bearer token; to anybody else 401.

    Airflow mounts the applications of plugins without any login of its own, and does not count the dependency used here
    among its public API: a release that moves or changes it fails ``tests/integration/test_local_airflow.py``.
    """
    sources = Sources(load_settings)
    accounts = AccountsFile(lambda: sources.settings.accounts_file)

    def login(request: Request, user: GetUserDep) -> None:
        request.state.viewer = accounts.viewer(user.get_name(), roles_of(user))

    return application(sources, Depends(login))


def roles_of(user: Any) -> tuple[str, ...]:
    """The names of the roles of an Airflow user: the one of the simple auth manager, those of FAB; else none."""
    roles: Iterable[Any] = getattr(user, "roles", None) or filter(None, [getattr(user, "role", None)])
    return tuple(str(getattr(role, "name", role)) for role in roles)
