"""What of a request can be anybody's words at all: the rest is refused before a route, store or warehouse sees it."""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException as RoutingError

# Control characters, which PostgreSQL refuses in part, and halves of characters, which no encoding takes.
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_readable(text: str) -> bool:
    """Whether ``text`` holds nothing but whole, visible characters and blanks."""
    return _UNREADABLE.search(text) is None


def require_readable(request: Request) -> None:
    """Lets a request through whose address is readable.

    Raises:
        HTTPException: 400, it is not.
    """
    named = parse_qsl(request.url.query, keep_blank_values=True)
    if not is_readable(request.url.path) or not all(is_readable(part) for pair in named for part in pair):
        raise RoutingError(HTTPStatus.BAD_REQUEST)
