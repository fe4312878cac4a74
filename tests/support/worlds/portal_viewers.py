"""Who looks at the portal in tests, and a login that lets them in."""

from collections.abc import Callable

from fastapi import Request

from regsosek.geography.provinces import provinces
from regsosek.portal.login.viewer import Viewer

EVERY = frozenset(each.code for each in provinces())
OPERATOR = Viewer("sari", EVERY, operator=True, sensitive=False)
OTHER_OPERATOR = Viewer("budi", EVERY, operator=True, sensitive=False)


def office(*codes: str) -> Viewer:
    """The account of a provincial office."""
    return Viewer(f"bps{codes[0]}", frozenset(codes), operator=False, sensitive=False)


def seen_as(viewer: Viewer) -> Callable[[Request], None]:
    """A login that takes everybody for ``viewer``."""

    def login(request: Request) -> None:
        request.state.viewer = viewer

    return login
