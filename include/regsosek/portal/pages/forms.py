"""Forms that change something are honoured only from a page that this portal gave to the same browser and account.

A page with a form sets a cookie with random text, and carries a token that fits cookie, account, form and hour. Another
site can make a browser send the cookie at most, never read the page; the browser names the origin besides.
"""

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response
from itsdangerous import BadSignature, TimestampSigner
from starlette.exceptions import HTTPException as RoutingError

from regsosek.portal.login.viewer import viewer_of
from regsosek.portal.pages.responses import NOT_ALLOWED

COOKIE = "regsosek_form"
GOOD_FOR_SECONDS = 3600
_PURPOSE = "forms of the portal"


@dataclass(frozen=True)
class Forms:
    """Gives tokens and checks them; ``key`` is a secret of the installation, used here through a key of its own."""

    key: bytes

    def token(self, request: Request, cookie: str, form: str) -> str:
        """A token for ``form``, good for an hour."""
        return self._signer(request, cookie, form).sign("").decode()

    def require(self, request: Request, form: str, token: str) -> None:
        """Lets a submitted form pass.

        Raises:
            HTTPException: 403, it does not come from a page of ours, or is too old.
        """
        signer = self._signer(request, request.cookies.get(COOKIE, ""), form)
        try:
            # Whatever a browser sends is read: a sign that no encoding has is no error of ours.
            signer.unsign(token.encode(errors="replace"), max_age=GOOD_FOR_SECONDS)
        except BadSignature:
            raise RoutingError(NOT_ALLOWED) from None
        if not of_this_origin(request):
            raise RoutingError(NOT_ALLOWED)

    def _signer(self, request: Request, cookie: str, form: str) -> TimestampSigner:
        """A signer for this browser, account and form alone: each has a key of its own."""
        salt = "\n".join((_PURPOSE, cookie, viewer_of(request).name, form))
        return TimestampSigner(self.key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)


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
