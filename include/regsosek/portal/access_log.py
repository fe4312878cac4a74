"""Who looked at what: a line of the log for each request of pages and API, by account, without a value of anybody's."""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from regsosek.portal.login.doorway import Application, Message
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.views.published import province_of_region

log = logging.getLogger(__name__)

# Codes of regions, nights, releases, ids of deliveries: what an address names here. Longer numbers may be a person's.
_TOLD = re.compile(r"\d{1,10}|\d{4}-\d\d-\d\d(-[0-9a-f]{12})?|(?!.*\d{11})[0-9A-HJKMNP-TV-Z]{26}")
_WORD = re.compile(r"(?!.*\d{9})[A-Za-z0-9_./-]{1,80}")
_ACCOUNT = re.compile(r"(?!.*\d{11})[\w.@+ -]{1,100}")
_QUERIES = frozenset({"provinsi", "kode", "kode_induk", "malam", "release", "night"})
# Beside regions, officers have codes.
_OF_REGIONS = "code"
REFUSED = 400
NOT_TOLD = "?"


class AccessLog:
    """A middleware of the portal, inside which the login leaves a :class:`Viewer`."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Hands one request on, and writes its line when it is answered, or could not be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        begun, status = time.monotonic(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            log.info("%s", line_of(scope, status, time.monotonic() - begun))


def line_of(scope: Message, status: int, seconds: float) -> str:
    """``account=kanwil64 GET /regsosek/provinces/{province} status=200 province=64 ms=31``."""
    viewer = scope["state"].get("viewer")
    name = viewer.name if isinstance(viewer, Viewer) else "-"
    account = name if _ACCOUNT.fullmatch(name) else NOT_TOLD
    route = f"{scope.get('root_path', '')}{getattr(scope.get('route'), 'path', '')}"
    named = [f"{each}={value}" for each, value in _named(scope, status)]
    said = [f"account={account}", scope["method"], route, f"status={status}", *named, f"ms={seconds * 1000:.0f}"]
    return " ".join(said)


def _named(scope: Message, status: int) -> Iterator[tuple[str, str]]:
    """What the address names; words only where a route knew them, which it does not answer otherwise."""
    for name, value in scope.get("path_params", {}).items():
        if name != "path":
            yield name, _told(name, str(value), words=status < REFUSED)
    for name, value in parse_qsl(scope.get("query_string", b"").decode("latin-1")):
        if name in _QUERIES:
            yield name, _told(name, value, words=False)


def _told(name: str, value: str, *, words: bool) -> str:
    if name == _OF_REGIONS:
        known = _TOLD.fullmatch(value) is not None and province_of_region(value) is not None
    else:
        known = _TOLD.fullmatch(value) is not None or (words and _WORD.fullmatch(value) is not None)
    return value if known else NOT_TOLD
