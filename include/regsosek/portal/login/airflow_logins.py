"""The one place of the portal that knows Airflow: who is logged in there, and whether they may see all of it."""

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep, bearer_scheme, get_user
from fastapi import Request
from starlette.exceptions import HTTPException

from regsosek.errors import AccessError, RegsosekError
from regsosek.portal.login.accounts import AccountsFile, without_file
from regsosek.portal.login.front_door import Standing
from regsosek.portal.login.viewer import Viewer
from regsosek.settings import load_settings

__all__ = ["GetUserDep", "accounts_file", "standing", "viewer_of_airflow"]

log = logging.getLogger(__name__)


@cache
def accounts_file() -> AccountsFile:
    """The table of this process."""
    path = load_settings().accounts_file
    return AccountsFile(lambda: path)


def viewer_of_airflow(user: Any) -> Viewer:
    """What an account of Airflow sees here.

    Raises:
        AccessError: it is not in the table.
        RegsosekError: the table, or a setting, cannot be read.
    """
    return accounts_file().viewer(user.get_name(), roles_of(user))


async def standing(scope: Any) -> Standing:
    """Whether somebody is logged in, and operates; of a table that cannot be read, whoever runs Airflow does."""
    request = Request(scope)
    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return "nobody"
    try:
        operates = viewer_of_airflow(user).operator
    except AccessError:
        operates = False
    except RegsosekError as error:
        log.warning("the table of accounts cannot be read, so Airflow's own roles decide: %s", type(error).__name__)
        operates = without_file(user.get_name(), roles_of(user)).operator
    return "operator" if operates else "account"


def roles_of(user: Any) -> tuple[str, ...]:
    """The names of the roles of an Airflow user: the one of the simple auth manager, those of FAB; else none."""
    roles: Iterable[Any] = getattr(user, "roles", None) or filter(None, [getattr(user, "role", None)])
    return tuple(str(getattr(role, "name", role)) for role in roles)
