"""A real release and a real Airflow to look at with a real browser: made once for all files of this folder."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, sync_playwright

from regsosek.local import stack
from support.servers.browser import launch
from support.worlds.system_world import Site, released, run_nights


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """Two nights, published."""
    root = tmp_path_factory.mktemp("system")
    try:
        services = stack.services_up(root)
        run_nights(services)
        yield services
    finally:
        stack.clean(root)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def site(published: stack.Stack) -> Iterator[Site]:
    """The newest release as readers get it: its files behind a web server that knows nothing else."""
    folder = released(published)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Site(folder, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()


@pytest.fixture(scope="session")
def operated(published: stack.Stack) -> stack.Stack:
    """The same, with Airflow on top, and steps that took minutes, as they do on a server."""
    with published.postgres.connect(stack.WAREHOUSE) as connection:
        connection.execute("UPDATE ledger.step_timing SET seconds = seconds + 600, peak_rss_bytes = 1500 * 1048576")
    return stack.up(published.root, inherited=os.environ)
