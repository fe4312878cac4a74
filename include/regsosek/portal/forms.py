"""Forms that change something are honoured only from a page that this portal gave to the same browser and account.

A page with a form sets a cookie with random text, and carries a token that fits cookie, account, form and hour. Another
site can make a browser send the cookie at most, never read the page; the browser names the origin besides.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException as RoutingError

from regsosek.portal.answers import NOT_ALLOWED
from regsosek.portal.viewer import viewer_of

COOKIE = "regsosek_form"
GOOD_FOR_SECONDS = 3600
_PURPOSE = b"forms of the portal"


@dataclass(frozen=True)
class Forms:
    """Gives tokens and checks them; ``key`` is a secret of the installation, used here through a key of its own."""

    key: bytes

    def token(self, request: Request, cookie: str, form: str) -> str:
        """A token for ``form``, good for an hour."""
        until = int(time.time()) + GOOD_FOR_SECONDS
        return f"{until}.{self._signed(request, cookie, form, until)}"

    def require(self, request: Request, form: str, token: str) -> None:
        """Lets a submitted form pass.

        Raises:
            HTTPException: 403, it does not come from a page of ours, or is too old.
        """
        until, _, signed = token.partition(".")
        cookie = request.cookies.get(COOKIE, "")
        fresh = until.isdecimal() and int(until) >= time.time()
        expected = self._signed(request, cookie, form, int(until)) if fresh else ""
        ours = hmac.compare_digest(expected.encode(), signed.encode(errors="replace"))
        if not (fresh and ours and of_this_origin(request)):
            raise RoutingError(NOT_ALLOWED)

    def _signed(self, request: Request, cookie: str, form: str, until: int) -> str:
        own = hmac.digest(self.key, _PURPOSE, hashlib.sha256)
        told = "\n".join((cookie, viewer_of(request).name, form, str(until)))
        return hmac.new(own, told.encode(), hashlib.sha256).hexdigest()


def form_cookie(request: Request) -> str:
    """The browser's text, or a new one."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def set_form_cookie(request: Request, response: Response, cookie: str) -> None:
    """Lets the browser keep its text, for pages of the portal alone and out of reach of scripts."""
    path = str(request.scope.get("root_path", "")) or "/"
    response.set_cookie(
        COOKIE, cookie, path=path, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def of_this_origin(request: Request) -> bool:
    """Whether the browser says that the form was sent from a page of this very host; one that does not say is refused.

    A proxy may have changed the name of the host; then ``Sec-Fetch-Site``, which no page can set, decides.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "")
