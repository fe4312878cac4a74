"""How the portal answers: pages and files with what keeps them where they belong, and the frame that every page has."""

from datetime import UTC, datetime

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as RoutingError

from regsosek.errors import AccessError
from regsosek.portal.login.accounts import SETTING
from regsosek.portal.login.viewer import CurrentViewer, Viewer, viewer_of
from regsosek.portal.pages.pages import Frame

NOT_FOUND, NOT_ALLOWED = 404, 403
# Pages carry their styles with them, run our one script, ask nobody but Airflow, and stand in no frame but its own.
# The origin of a form is told to this host alone: without a referrer it would be told to nobody, and could not be
# checked.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def frame_of(request: Request, here: str = "") -> Frame:
    """The frame of a page of section ``here``; before the login, that of nobody."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    return Frame(str(request.scope.get("root_path", "")), datetime.now(UTC), viewer, here)


def html(page: str, status: int = 200) -> Response:
    """A page as an answer."""
    return HTMLResponse(page, status_code=status, headers=HEADERS)


def not_found() -> RoutingError:
    """What is unknown, and what the viewer may not know of: the two must not be told apart."""
    return RoutingError(NOT_FOUND)


def seen_province(request: Request, province: str) -> str:
    """``province``, if whoever asks may see it.

    Raises:
        HTTPException: 404 if not, as if there were no such province.
    """
    if not viewer_of(request).sees(province):
        raise not_found()
    return province


def require_provinces(viewer: CurrentViewer) -> None:
    """Lets through whoever sees any province: nights are nothing for an account that reads what is published.

    Raises:
        AccessError: it sees none.
    """
    if not viewer.provinces:
        raise AccessError(
            "your Airflow account reads what is published and sees no nights; ask the platform team for a line in the "
            f"file that {SETTING} names"
        )


def operator_of(request: Request) -> Viewer:
    """Whoever asks, who must be an operator.

    Raises:
        HTTPException: 403 if not.
    """
    viewer = viewer_of(request)
    if not viewer.operator:
        raise RoutingError(NOT_ALLOWED)
    return viewer
