"""What the plugin registers: an ASGI application that costs nothing until somebody opens the page.

Every Airflow process loads the plugins, also those that never answer a request; they must not pay for pandas, the
warehouse's driver and a web framework.
"""

import asyncio
import importlib
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Doorway:
    """Builds ``<module>.build()`` at the first request, in a thread of its own, and hands every request on to it."""

    def __init__(self, module: str = "regsosek.portal.access") -> None:
        self._module = module
        self._lock = threading.Lock()
        self._application: Application | None = None

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answers one request."""
        application = self._application
        if application is None:
            application = await asyncio.to_thread(self._built)
        await application(scope, receive, send)

    def _built(self) -> Application:
        with self._lock:
            if self._application is None:
                built: Application = importlib.import_module(self._module).build()
                self._application = built
            return self._application
