"""What the page of a release does beyond being read, in a real browser: search, order, map, glossary, folds."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from regsosek.geography.provinces import province
from support.servers.browser import DESKTOP, SCREENS, Screen, Watched, watched
from support.worlds.system_world import EVERY_NIGHT, Site


@pytest.fixture
def seen(browser: Browser, site: Site) -> Iterator[Watched]:
    with watched(browser, site.origin, DESKTOP) as found:
        yield found
        assert (found.strayed, found.missing, found.errors) == ([], [], [])


@pytest.fixture
def page(seen: Watched) -> Page:
    return seen.page


@pytest.mark.parametrize("folder", ["", "en/"], ids=["id", "en"])
def test_a_region_of_each_level_is_found_by_name_and_leads_to_its_place(page: Page, site: Site, folder: str) -> None:
    for name, place in (
        ("DI Yogya", "provinsi/34.html"),
        ("sleman", "kabkota/3404.html"),
        ("minggir", "kabkota/3404.html#w"),
    ):
        page.goto(f"{site.origin}/{folder}provinsi/64.html", wait_until="networkidle")
        page.get_by_role("searchbox").fill(name)
        page.locator(".found").get_by_role("link", name=re.compile(name, re.IGNORECASE)).first.click()
        expect(page).to_have_url(re.compile(re.escape(f"{site.origin}/{folder}{place}")))
        assert page.get_by_role("heading", level=1).count() == 1, place
    expect(page.locator("details:target")).to_have_attribute("open", "")
    expect(page.locator("details:target table")).to_be_visible()


def test_names_that_are_searched_are_shown_as_text(page: Page, site: Site) -> None:
    def hostile(route: Route) -> None:
        route.fulfill(
            body='window.regsosekRegions=[["11","<b>Aceh</b>","provinsi","00"]];', content_type="text/javascript"
        )

    page.route("**/wilayah-*.js", hostile)
    page.goto(site.origin)
    page.get_by_role("searchbox").fill("Aceh")
    expect(page.locator(".found a").first).to_contain_text("<b>Aceh</b>")


def test_a_column_puts_its_table_in_order_by_number_both_ways_and_leaves_the_nation_on_top(
    page: Page, site: Site
) -> None:
    page.goto(f"{site.origin}/en/index.html")
    table = page.locator("#t-urutan")
    heads = table.locator("thead th").all_inner_texts()
    place = next(n for n, head in enumerate(heads) if head.startswith("Target"))
    button = table.locator("thead th").nth(place).get_by_role("button")
    for direction, descending in (("ascending", False), ("descending", True)):
        button.click()
        expect(table.locator("thead th").nth(place)).to_have_attribute("aria-sort", direction)
        rows = [cells.split("\t") for cells in table.locator("tbody tr").all_inner_texts()]
        assert rows[0][0].startswith("Indonesia")
        targets = [int(row[place].replace(",", "")) for row in rows[1:]]
        assert len(targets) == 34
        assert targets == sorted(targets, reverse=descending)


def test_another_measure_of_the_map_brings_its_colours_and_its_legend(page: Page, site: Site) -> None:
    page.goto(f"{site.origin}/en/index.html")
    tile = page.get_by_role("link", name=re.compile(province(EVERY_NIGHT[0]).name)).and_(page.locator(".tile"))
    page.get_by_role("combobox").select_option("visited_of_plan_base")
    expect(page.locator(".measured")).to_have_text("Visited of the plan's denominator")
    legend = page.locator(".keys .swatch").evaluate_all("all => all.map(each => getComputedStyle(each).background)")
    assert len(set(legend)) == len(legend) == 7
    keys = page.locator(".keys li").all_inner_texts()
    breaks = [float(each.split()[-1]) for each in keys[:-2]]
    value = float(tile.locator(".value").inner_text())
    assert breaks == sorted(breaks)
    step = sum(value >= each for each in breaks)
    assert tile.evaluate("each => getComputedStyle(each).background") == legend[step]


def test_a_figure_is_explained_where_it_stands_until_it_is_closed(page: Page, site: Site) -> None:
    page.goto(f"{site.origin}/en/index.html")
    link = page.locator("#t-urutan thead a.def").first
    link.click()
    name = link.inner_text()
    expect(page.locator(".explained")).to_contain_text(name)
    meaning = page.locator(f"{link.get_attribute('href')} dd").text_content() or ""
    expect(page.locator(".explained")).to_contain_text(meaning)
    page.keyboard.press("Escape")
    expect(page.locator(".explained")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_the_state_of_the_data_stays_in_sight_wherever_one_reads(browser: Browser, site: Site, screen: Screen) -> None:
    with watched(browser, site.origin, screen) as seen:
        seen.page.goto(site.origin)
        for place in ("#t-urutan", "#berkas"):
            seen.page.locator(place).scroll_into_view_if_needed()
            seen.page.evaluate("window.scrollBy(0, 400)")
            expect(seen.page.locator(".asof")).to_be_in_viewport()
