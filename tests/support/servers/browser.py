"""A real browser on a closed network: where it is, how it is started, and what may be asked of it in each test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, Playwright, Route

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing is fetched but what a test opens, and root may start it.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
# What the browser says of its own about a page that has no icon.
HARMLESS = ("favicon.ico",)


@dataclass(frozen=True)
class Screen:
    """A window to look through."""

    name: str
    width: int
    height: int

    @property
    def is_phone(self) -> bool:
        """Whether it is held in a hand."""
        return self.width < 600


PHONE, DESKTOP = Screen("phone", 390, 844), Screen("desktop", 1280, 900)
SCREENS = (PHONE, DESKTOP)


def chromium() -> Path:
    """Where Chromium is.

    Raises:
        RuntimeError: there is none; a suite that saw nothing must not pass.
    """
    named = os.environ.get("REGSOSEK_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or not os.access(found, os.X_OK):
        raise RuntimeError(
            f"no Chromium at {named or 'any of ' + ', '.join(NAMES)}: run tools/install-chromium.sh as root, "
            "or name one in REGSOSEK_CHROMIUM"
        )
    return Path(found)


def launch(playwright: Playwright) -> Browser:
    """Starts it, without a window."""
    return playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))


@dataclass
class Watched:
    """A page, what it asked of other servers (and did not get), what it could not load, and what went wrong in it."""

    page: Page
    strayed: list[str]
    missing: list[str]
    errors: list[str]


@contextmanager
def watched(browser: Browser, origin: str, screen: Screen, *, scripts: bool = True) -> Iterator[Watched]:
    """A fresh page that reaches ``origin`` only."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        has_touch=screen.is_phone,
        is_mobile=screen.is_phone,
        java_script_enabled=scripts,
        locale="id-ID",
    )
    page = context.new_page()
    seen = Watched(page, [], [], [])

    def reach(route: Route) -> None:
        if _origin(route.request.url) == origin or route.request.url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            seen.strayed.append(route.request.url)
            route.abort()

    def harmless(text: str) -> bool:
        return any(name in text for name in HARMLESS)

    context.route("**/*", reach)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("response", lambda r: None if r.ok or r.status < 400 or harmless(r.url) else seen.missing.append(r.url))
    try:
        yield seen
    finally:
        context.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def violations(page: Page | Frame) -> list[str]:
    """What axe-core finds: rule, impact, and the first places."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']} ({each['impact']}): {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found]


def overflow(page: Page | Frame) -> int:
    """By how many pixels the page is wider than its window: a reader would have to push it sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


WALKABLE = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true}))
  .map((e, n) => (e.dataset.walk = String(n)))"""
FOCUSED = "() => document.activeElement?.dataset?.walk ?? null"
RING = """() => { const s = getComputedStyle(document.activeElement);
  return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'; }"""


def walk(page: Page, steps: int) -> tuple[list[str], list[str], int]:
    """Walks by the Tab key.

    Returns what could be reached, what was reached within ``steps``, and how often the place was not to be seen.
    """
    reachable, reached, unseen = page.evaluate(WALKABLE), [], 0
    for _ in range(min(steps, len(reachable))):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is not None:
            reached.append(focused)
            unseen += not page.evaluate(RING)
    return reachable, reached, unseen
