"""How many logins may fail: of an account from one address, of an account, from an address. Beyond that all wait.

All processes of the API server on a machine count together (``shared_counts.py``); several machines each for itself.
"""

import json
import logging
import math
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from regsosek.portal.login.doorway import Application, Message
from regsosek.portal.login.front_door import answer
from regsosek.portal.login.shared_counts import SharedCounts, counts_at_hand

log = logging.getLogger(__name__)

BOTH, ACCOUNT, ADDRESS = parse("10 per 5 minutes"), parse("50 per 1 hour"), parse("100 per 5 minutes")
MOST_BYTES = 64 * 1024
LONGEST_NAME = 100
FORM = "/auth/login"
PUT_OFF = "Too many logins failed. Wait, then try again; Retry-After says how many seconds."
TOO_LONG = "No login is that long."
ONE_ACCOUNT = "A login names one account, in JSON or as the form sends it."
_TYPE = b"content-type"
FORM_TYPE, JSON_TYPE = "application/x-www-form-urlencoded", "application/json"


class LoginLimits:
    """Counts every try as failed until it is known to have succeeded, so that many at once gain nothing."""

    def __init__(self, storage: SharedCounts | MemoryStorage | None = None) -> None:
        self._count_in(storage or MemoryStorage())

    def seconds_to_wait(self, address: str, account: str) -> int:
        """Counts a try; 0 where it may go on."""
        try:
            return self._tried(address, account)
        except sqlite3.Error as error:  # a full disk keeps nobody out, and lets nobody guess
            log.warning("failed logins are counted by this process for itself: %s", type(error).__name__)
            self._count_in(MemoryStorage())
            return self._tried(address, account)

    def succeeded(self, address: str, account: str) -> None:
        """Takes back what a try counted for; the account may mistype again from its address."""
        with suppress(sqlite3.Error):
            self._counter.clear(BOTH, address, account)
            self._storage.decr(ACCOUNT.key_for(account))
            self._storage.decr(ADDRESS.key_for(address))

    def _count_in(self, storage: SharedCounts | MemoryStorage) -> None:
        self._storage, self._counter = storage, FixedWindowRateLimiter(storage)

    def _tried(self, address: str, account: str) -> int:
        over = [each for each in _counted(address, account) if not self._counter.hit(each[0], *each[1])]
        ends = [self._counter.get_window_stats(item, *of).reset_time for item, of in over]
        return max((math.ceil(end - time.time()) for end in ends), default=0)


_LIMITS = LoginLimits(counts_at_hand())


def _counted(address: str, account: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    return [(BOTH, (address, account)), (ACCOUNT, (account,)), (ADDRESS, (address,))]


def slowed(app: Application, limits: LoginLimits = _LIMITS) -> Application:
    """``app`` for a request that is a login."""

    async def login(scope: Message, receive: Any, send: Any) -> None:
        body = await _body(receive)
        if body is None:
            await answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LONG)(scope, receive, send)
            return
        named = accounts_in(scope["headers"], body)
        if named is None or len(named) > 1:
            await answer(HTTPStatus.BAD_REQUEST, ONE_ACCOUNT)(scope, receive, send)
            return
        who = (scope["client"] or ("", 0))[0], *named
        if seconds := limits.seconds_to_wait(*who):
            log.warning("a login from %s is put off for %s s: too many failed", who[0], seconds)
            put_off = answer(HTTPStatus.TOO_MANY_REQUESTS, PUT_OFF, {"retry-after": str(seconds)})
            await put_off(scope, receive, send)
            return

        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start" and succeeded(scope["path"], message):
                limits.succeeded(*who)
            await send(message)

        await app(scope, _again(body, receive), watching)

    return login


def succeeded(path: str, start: Message) -> bool:
    """Whether an answer says that somebody is logged in; a form that failed is shown again, or led back to."""
    status = start["status"]
    if not path.rstrip("/").endswith(FORM):
        return bool(status < HTTPStatus.BAD_REQUEST)
    target = next((value.decode("latin-1") for name, value in start["headers"] if name.lower() == b"location"), "")
    return bool(status < HTTPStatus.BAD_REQUEST and target) and not urlsplit(target).path.rstrip("/").endswith(FORM)


def accounts_in(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> frozenset[str] | None:
    """The accounts that a login names, read as whoever logs in will read it; None of one in neither of their forms.

    Of two names for one field the form takes the first and readers of JSON the last: such a login is for nobody.
    """
    types = [value.decode("latin-1").partition(";")[0].strip().lower() for name, value in headers if name == _TYPE]
    if types == [FORM_TYPE]:
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    elif types in ([], [JSON_TYPE]):
        fields = _fields_of_json(body)
    else:
        return None
    return frozenset(_plain(value) for name, value in fields if name == "username") or frozenset({""})


def _fields_of_json(body: bytes) -> list[tuple[str, Any]]:
    """The fields of the outermost object, one that stands twice too."""
    fields: list[tuple[str, Any]] = []
    try:
        given = json.loads(body, object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError):
        return fields
    return given if isinstance(given, list) and all(isinstance(each, tuple) for each in given) else fields


def _plain(name: Any) -> str:
    return " ".join(str(name or "").split()).casefold()[:LONGEST_NAME]


async def _body(receive: Any) -> bytes | None:
    """The whole body; None of one that is too long."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Any) -> Any:
    """A ``receive`` that gives the body first, which was taken already."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Any:
        return waiting.pop() if waiting else await receive()

    return receiving
