"""The page of a release on paper: nothing is cut off or folded away, and nothing is printed that only a screen uses."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.servers.browser import Screen, overflow, watched
from support.worlds.system_world import Site

SHEET = Screen("sheet", 1032, 703)  # A4 across without its margins of 12 mm, at 96 dots per inch
ON_SCREEN_ONLY = (
    ".skip",
    ".find",
    ".languages",
    ".interactive",
    ".choose",
    ".sort",
    ".hint",
    ".more",
    'footer a[href="#isi"]',
)
SHOWN = "all => all.filter(each => each.checkVisibility({visibilityProperty: true})).length"
BEYOND = """() => [...document.querySelectorAll('table, th, td, img, pre')]
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => each.closest('table, figure, section')?.id)"""


@pytest.fixture
def paper(browser: Browser, site: Site) -> Iterator[Page]:
    with watched(browser, site.origin, SHEET) as seen:
        seen.page.emulate_media(media="print")
        yield seen.page


def test_every_table_is_printed_and_none_is_wider_than_its_sheet(paper: Page, site: Site) -> None:
    for path in site.pages:
        paper.goto(f"{site.origin}/{path}")
        tables = paper.locator("table")
        assert tables.evaluate_all(SHOWN) == tables.count() > 3, path
        assert paper.evaluate(BEYOND) == [], path
        assert overflow(paper) <= 0, path


def test_what_is_folded_on_a_screen_is_printed(paper: Page, site: Site) -> None:
    for path in site.pages:
        paper.goto(f"{site.origin}/{path}")
        assert paper.locator("details:not([open])").count() > 0, path
        for what in ("details dd", "details table"):
            assert paper.locator(what).evaluate_all(SHOWN) == paper.locator(what).count(), (path, what)


def test_night_and_who_is_missing_are_printed_and_what_only_a_screen_uses_is_not(paper: Page, site: Site) -> None:
    for path in site.pages:
        paper.goto(f"{site.origin}/{path}")
        for told in (".asof", ".notices", "h1", ".crumbs"):
            assert paper.locator(told).evaluate_all(SHOWN) == 1, (path, told)
        for used in ON_SCREEN_ONLY:
            assert paper.locator(used).evaluate_all(SHOWN) == 0, (path, used)


def test_paper_is_white_and_keeps_the_colours_that_mean_something(paper: Page, site: Site) -> None:
    paper.goto(site.origin)
    of = "each => getComputedStyle(each).backgroundColor"
    for plain in ("body", ".asof"):
        assert paper.locator(plain).evaluate(of) == "rgb(255, 255, 255)", plain
    swatches = paper.locator(".keys .swatch")
    assert len(set(swatches.evaluate_all(f"all => all.map({of})"))) == swatches.count()
    adjusted = "each => getComputedStyle(each).printColorAdjust"
    assert {paper.locator(kind).first.evaluate(adjusted) for kind in (".tile", ".swatch", ".sign", ".notice")} == {
        "exact"
    }
