"""Pages with a form and the answers to one, alike for everything that an operator decides here."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from regsosek.errors import RegsosekError
from regsosek.portal.pages import pages
from regsosek.portal.pages.forms import Forms, form_cookie, set_form_cookie
from regsosek.portal.pages.responses import HEADERS, frame_of, html
from regsosek.portal.sources import Sources
from regsosek.warehouse.nights.reason import LONGEST_REASON

CONFLICT, SEE_OTHER = 409, 303


def page_with_form(sources: Sources, request: Request, template: str, here: str, **values: object) -> Response:
    """A page of section ``here``; its ``template`` gets token and longest reason besides ``values``."""
    cookie = form_cookie(request)
    token = _forms(sources).token(request, cookie, request.url.path)
    page = pages.page(template, frame_of(request, here), token=token, longest=LONGEST_REASON, **values)
    answer = html(page)
    set_form_cookie(request, answer, cookie)
    return answer


def require_own_form(sources: Sources, request: Request, token: str) -> None:
    """Lets through what was submitted from the page at this address.

    Raises:
        HTTPException: 403, it does not come from a page of ours, or is too old.
    """
    _forms(sources).require(request, request.url.path, token)


def refused(request: Request, here: str, title: str, error: RegsosekError) -> Response:
    """Why nothing was done, as a page of section ``here``."""
    return html(pages.message(frame_of(request, here), title, str(error)), CONFLICT)


def done(request: Request, path: str) -> Response:
    """On to ``path`` of the portal, which shows what was done; reading it again does nothing again."""
    return RedirectResponse(f"{frame_of(request).base}{path}", status_code=SEE_OTHER, headers=HEADERS)


def _forms(sources: Sources) -> Forms:
    return Forms(sources.settings.token_secret)
