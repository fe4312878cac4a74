"""What stands before the whole of Airflow's API server, before Airflow's own pages and API too.

Airflow's pages, logs and API tell of every province: they are for operators, whatever role Airflow gave to another
account. Documentation of programs is for operators too, logins that fail are slowed down, and every answer says how a
browser keeps it where it belongs. Nothing heavy is imported here: every Airflow process loads the plugin.
"""

import asyncio
import importlib
import json
import re
from collections.abc import Iterable
from enum import StrEnum, auto
from http import HTTPStatus
from typing import Any, Literal

from regsosek.portal.login.doorway import Application, Message

OWN = "/regsosek/"
# The watchdog reads the health without a login, and everybody may log out.
OPEN_OF_API = ("/api/v2/monitor/health", "/api/v2/auth/login", "/api/v2/auth/logout")
LOGINS = frozenset({"/auth/login", "/auth/token", "/auth/token/cli"})
AIRFLOWS = ("/api/", "/ui/", "/pluginsv2/", "/auth/fab/")
# FAB's pages of users and roles, by which an account could be made another: they go by a cookie of their own, and FAB
# takes two slashes for one. Who is to sign in must reach the form, and its styles; the own password is one's own.
OF_ACCOUNTS = "/auth/"
OPEN_OF_ACCOUNTS = re.compile(r"/auth/((login|logout|token|static|oauth-authorized|resetmypassword)(/[^/].*|/*))?")
LOGIN = "/auth/login/"
# With a login of its own, of tasks (/execution), or none.
OPEN = (OWN, OF_ACCOUNTS, "/execution/", "/static/")
DOCUMENTATION = re.compile(r"(/auth|/execution)?/(docs(/.*)?|redoc|openapi\.json|changelog)/*")
SETTLED = ("/static/", "/auth/static/")
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": "base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'",
}
PRIVATE = {"cache-control": "no-store"}
OVER_TLS = {"strict-transport-security": "max-age=31536000"}
FOR_OPERATORS = "Airflow's own pages and API are for operators; yours is /regsosek/."
SIGN_IN = "Sign in first."

Standing = Literal["nobody", "account", "operator"]


class AddressKind(StrEnum):
    """What an address leads to."""

    OPEN = auto()
    AIRFLOW = auto()
    ACCOUNTS = auto()
    DOCUMENTATION = auto()
    PAGE = auto()


def kind_of(method: str, path: str, accept: str) -> AddressKind:
    """What ``path`` leads to; a page is what a browser navigates to: Airflow answers any such address with its UI."""
    if DOCUMENTATION.fullmatch(path):
        return AddressKind.DOCUMENTATION
    if path.startswith(AIRFLOWS):
        return AddressKind.OPEN if path in OPEN_OF_API else AddressKind.AIRFLOW
    if path.startswith(OF_ACCOUNTS) and not OPEN_OF_ACCOUNTS.fullmatch(path):
        return AddressKind.ACCOUNTS
    return AddressKind.OPEN if path.startswith(OPEN) or not _is_browsed(method, accept) else AddressKind.PAGE


def _is_browsed(method: str, accept: str) -> bool:
    """Whether a browser asks for a page."""
    return method == "GET" and "text/html" in accept


class FrontDoor:
    """A middleware; ``logins`` and ``limits`` name the modules that know who asks and how many logins failed."""

    def __init__(
        self,
        app: Application,
        logins: str = "regsosek.portal.login.airflow_logins",
        limits: str = "regsosek.portal.login.throttling",
    ) -> None:
        self._app, self._logins, self._limits = app, logins, limits

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answers one request, or hands it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_of(scope)
        if scope["method"] == "POST" and path.rstrip("/") in LOGINS:
            answering: Application = (await _module(self._limits)).slowed(self._app)
        else:
            answering = await self._closed(scope, path) or self._app
        await answering(scope, receive, _saying(scope, path, send))

    async def _closed(self, scope: Message, path: str) -> Application | None:
        """What answers in Airflow's place; None where the way is free."""
        accept = header(scope, b"accept")
        kind = kind_of(scope["method"], path, accept)
        if kind is AddressKind.OPEN:
            return None
        standing: Standing = await (await _module(self._logins)).standing(scope)
        if standing == "operator":
            return None
        leads = kind is AddressKind.PAGE or (kind is AddressKind.ACCOUNTS and _is_browsed(scope["method"], accept))
        if standing == "nobody":
            return _of_nobody(scope, kind, leads=leads)
        if leads:
            return answer(HTTPStatus.SEE_OTHER, FOR_OPERATORS, {"location": f"{_root(scope)}{OWN}"})
        return answer(HTTPStatus.FORBIDDEN, FOR_OPERATORS)


def _of_nobody(scope: Message, kind: AddressKind, *, leads: bool) -> Application | None:
    """What who is not signed in is answered; None where Airflow has its own answer, which leads to the login."""
    if kind is AddressKind.ACCOUNTS and leads:
        return answer(HTTPStatus.SEE_OTHER, SIGN_IN, {"location": f"{_root(scope)}{LOGIN}"})
    return (
        answer(HTTPStatus.UNAUTHORIZED, SIGN_IN) if kind in {AddressKind.ACCOUNTS, AddressKind.DOCUMENTATION} else None
    )


def path_of(scope: Message) -> str:
    """The path as Airflow's routes know it, without the one that a proxy serves it under."""
    path, root = str(scope["path"]), _root(scope)
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def header(scope: Message, name: bytes) -> str:
    """The first header of that name; empty if there is none."""
    found: Iterable[bytes] = (value for each, value in scope["headers"] if each == name)
    return next(iter(found), b"").decode("latin-1")


def answer(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Application:
    """An application that answers with ``detail``, in the form of Airflow's own errors."""
    named = {"content-type": "application/json", **(headers or {})}

    async def answering(scope: Message, receive: Any, send: Any) -> None:  # noqa: ARG001 - signature of ASGI
        await send({"type": "http.response.start", "status": int(status), "headers": _encoded(named)})
        await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})

    return answering


def _saying(scope: Message, path: str, send: Any) -> Any:
    """``send``, with our headers wherever an answer does not name its own."""
    ours = HEADERS | ({} if path.startswith(SETTLED) else PRIVATE) | (OVER_TLS if scope["scheme"] == "https" else {})

    async def saying(message: Message) -> None:
        if message["type"] == "http.response.start":
            named = {name.lower() for name, _ in message.get("headers", ())}
            added = [each for each in _encoded(ours) if each[0] not in named]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return saying


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def _root(scope: Message) -> str:
    return str(scope.get("root_path", "")).rstrip("/")


async def _module(name: str) -> Any:
    """The module, imported when it is needed first: that takes a while, and others wait for their answers."""
    return await asyncio.to_thread(importlib.import_module, name)
