"""Takes the pictures of ``docs/images`` from what runs here: newest release, digests, the operator's page, a DAG page.

Start it first, with nights in it (``make demo``, or ``make up`` and a night), then ``make screenshots``.
"""

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from local_services.environment_file import read_environment
from regsosek.alerts.nightly import read_digest
from regsosek.local.airflow_environment import ADMIN
from regsosek.local.stack import STATE, Stack
from regsosek.release.publish import current_prefix
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, load_settings

sys.path.insert(0, str(PROJECT_ROOT / "tests"))
from support.servers.browser import DESKTOP, PHONE, Screen, launch  # the browser of the tests

IMAGES = PROJECT_ROOT / "docs" / "images"
MILLISECONDS = 60_000
# Digests of the demo's nights: a province that was silent and is behind plan, and one with nothing to do.
DIGESTS = (
    ("digest-phone.png", "94", 0),
    ("digest-kabkota-phone.png", "94", 1_700),
    ("digest-short-phone.png", "82", 0),
)
DIGEST_NIGHT = date(2022, 10, 29)
SETTLED = 3_000  # milliseconds that Airflow's charts move for


def main() -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="state directory of what runs (var/)")
    parser.add_argument("--into", type=Path, default=IMAGES, help="where the pictures go (docs/images)")
    given = parser.parse_args()
    stack = Stack(given.state.absolute())
    with sync_playwright() as playwright:
        browser = launch(playwright)
        with served(_release(stack)) as origin:
            picture(browser, DESKTOP, f"{origin}/index.html", given.into / "release-page.png")
            picture(browser, PHONE, f"{origin}/index.html", given.into / "release-page-phone.png")
        pictures_of_digests(browser, stack, given.into)
        _pictures_of_airflow(browser, stack, given.into)
        browser.close()


def picture(browser: Browser, screen: Screen, url: str, path: Path) -> None:
    """The top of a page as it fills a screen."""
    page = _page(browser, screen)
    page.goto(url, wait_until="networkidle")
    _save(page, path)


def pictures_of_digests(browser: Browser, stack: Stack, into: Path) -> None:
    """Digests as a phone's mail program shows them, from the given place of the page on."""
    settings = load_settings(read_environment(stack.environment_file))
    page = _page(browser, PHONE)
    with open_resources(settings) as resources:
        for name, province, top in DIGESTS:
            page.set_content(read_digest(resources.engine, settings, DIGEST_NIGHT, province).html)
            page.evaluate(f"scrollTo(0, {top})")
            _save(page, into / name)


def _release(stack: Stack) -> Path:
    """The folder of the release that readers see."""
    settings = load_settings(read_environment(stack.environment_file))
    with open_resources(settings) as resources:
        prefix = current_prefix(resources.store, settings)
    if prefix is None:
        raise SystemExit("nothing is published here yet: run a night first (make demo)")
    return stack.root / "s3" / settings.release_bucket / prefix


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the library
        """Says nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of ``folder`` behind a web server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def _pictures_of_airflow(browser: Browser, stack: Stack, into: Path) -> None:
    url, page = stack.airflow.url, _page(browser, DESKTOP)
    page.goto(url)
    page.get_by_label("Username").fill(ADMIN)
    page.get_by_label("Password", exact=True).fill(stack.airflow.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Regsosek").click()
    page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()
    _save(page, into / "operator-page.png")
    page.goto(f"{url}/dags/regsosek_nightly")
    page.get_by_role("link", name="Terima provinsi").first.wait_for()
    page.wait_for_timeout(SETTLED)
    _save(page, into / "dag-page.png")


def _page(browser: Browser, screen: Screen) -> Page:
    page = browser.new_context(
        viewport={"width": screen.width, "height": screen.height}, locale="id-ID", timezone_id="Asia/Jakarta"
    ).new_page()
    page.set_default_timeout(MILLISECONDS)
    return page


def _save(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    print(path)


if __name__ == "__main__":
    main()
