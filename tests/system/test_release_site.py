"""The page of a release in a real browser: for everyone, on a phone and on a desk, in closed networks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from regsosek.geography.provinces import province
from support.servers.browser import DESKTOP, PHONE, SCREENS, Screen, Watched, overflow, violations, walk, watched
from support.worlds.system_world import EVERY_NIGHT, FIRST_NIGHT_ONLY, Site

FIRST_VIEW = 200_000  # bytes


@pytest.fixture(params=SCREENS, ids=lambda screen: screen.name)
def opened(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Watched]:
    with watched(browser, site.origin, request.param) as seen:
        yield seen


def test_an_accessibility_checker_finds_nothing_on_any_kind_of_page(opened: Watched, site: Site) -> None:
    found = {}
    for path in site.pages:
        opened.page.goto(f"{site.origin}/{path}")
        found[path] = violations(opened.page)
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_every_kind_of_page_fits_its_window_and_asks_nothing_of_anyone_else(opened: Watched, site: Site) -> None:
    for path in site.pages:
        opened.page.goto(f"{site.origin}/{path}", wait_until="networkidle")
        opened.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert overflow(opened.page) <= 0, path
        assert opened.page.get_by_role("heading", level=1).count() == 1, path
    assert (opened.strayed, opened.missing, opened.errors) == ([], [], [])


def test_each_page_says_which_language_it_speaks(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        for path in site.pages:
            seen.page.goto(f"{site.origin}/{path}")
            expected = "en" if path.startswith("en/") else "id"
            assert seen.page.locator("html").get_attribute("lang") == expected, path


def test_the_first_view_is_light(browser: Browser, site: Site) -> None:
    sizes: list[int] = []
    with watched(browser, site.origin, PHONE) as seen:
        seen.page.on("response", lambda response: sizes.append(len(response.body())))
        seen.page.goto(site.origin, wait_until="networkidle")
    assert sum(sizes) < FIRST_VIEW


def test_the_first_figure_is_on_the_first_screen_and_the_status_of_each_region_stays_in_sight(
    opened: Watched, site: Site
) -> None:
    for path in site.pages:
        opened.page.goto(f"{site.origin}/{path}")
        figure = opened.page.locator(".answer .figure").first.bounding_box()
        screen = opened.page.viewport_size
        assert figure is not None
        assert screen is not None
        assert figure["y"] + figure["height"] < screen["height"] * 0.75, path
        opened.page.evaluate("document.querySelector('#t-urutan').parentElement.scrollLeft = 10000")
        status = opened.page.locator("#t-urutan tbody .word").first.bounding_box()
        assert status is not None
        assert 0 <= status["x"] < screen["width"] / 2, path


def test_a_chart_is_taken_away_as_picture_and_table_with_its_source(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        seen.page.goto(site.origin)
        for kind, start in (("png", b"\x89PNG"), ("csv", b'"day",')):
            with seen.page.expect_download() as taken:
                seen.page.locator(f"#g-kemajuan .{kind}").click()
            content = taken.value.path().read_bytes()
            assert content.startswith(start), kind
        assert b"Badan Pusat Statistik, Regsosek 2022" in content
        assert seen.errors == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_without_scripts_the_tables_and_the_ways_are_still_there(browser: Browser, site: Site, screen: Screen) -> None:
    with watched(browser, site.origin, screen, scripts=False) as seen:
        seen.page.goto(site.origin)
        provinces = seen.page.get_by_role("table").filter(has_text=province(EVERY_NIGHT[0]).name)
        assert provinces.count() >= 1
        assert provinces.first.is_visible()
        assert provinces.first.get_by_role("row").count() >= 34
        links = seen.page.get_by_role("link")
        assert links.count() >= 10
        for name in ("provinsi.csv", "definisi.csv"):
            assert seen.page.get_by_role("link", name=name).count() >= 1, name


def test_every_file_that_a_page_leads_to_is_there(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        for path in site.pages:
            seen.page.goto(f"{site.origin}/{path}")
            links = seen.page.get_by_role("link").evaluate_all("all => all.map(each => each.href.split('#')[0])")
            own = {link for link in links if link.startswith(site.origin)}
            assert own, path
            broken = [link for link in sorted(own) if not seen.page.request.head(link).ok]
            assert broken == [], path


def test_who_is_missing_and_as_of_when_is_always_in_sight(opened: Watched, site: Site) -> None:
    opened.page.goto(site.origin)
    text = opened.page.locator("body").inner_text()
    assert province(FIRST_NIGHT_ONLY).name in text
    assert re.search(r"22 Okt(ober)? 2022", text)
    assert "23.59" in text


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        for path in site.pages:
            seen.page.goto(f"{site.origin}/{path}")
            reachable, reached, unseen = walk(seen.page, steps=60)
            assert reached == reachable[: len(reached)], path
            assert len(reached) == min(60, len(reachable)), path
            assert unseen == 0, path


def test_figures_of_the_map_stay_within_their_tiles_on_a_phone(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, PHONE) as seen:
        seen.page.goto(site.origin)
        values = seen.page.locator(".tiles .value")
        cut = values.evaluate_all("""all => all.filter((each) => {
            each.textContent = "−14,2";
            const [text, tile] = [document.createRange(), each.closest(".tile").getBoundingClientRect()];
            text.selectNodeContents(each);
            const { left, right } = text.getBoundingClientRect();
            return left < tile.left || right > tile.right;
        }).length""")
        assert (values.count(), cut) == (34, 0)


def test_from_the_nation_to_a_kabkota_and_into_the_other_language(opened: Watched, site: Site) -> None:
    page, name = opened.page, province(EVERY_NIGHT[0]).name
    page.goto(site.origin)
    page.get_by_role("table").get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(f"**/provinsi/{EVERY_NIGHT[0]}.html")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.get_by_role("table").get_by_role("link", name="Sleman").first.click()
    page.wait_for_url("**/kabkota/3404.html")
    page.get_by_role("link", name="English").first.click()
    page.wait_for_url("**/en/kabkota/3404.html")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("navigation", name="Where you are").get_by_role("link", name="Indonesia").click()
    page.wait_for_url("**/en/index.html")
    assert (opened.strayed, opened.missing, opened.errors) == ([], [], [])


def test_the_map_shows_another_measure_and_the_chart_answers_when_asked(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        page = seen.page
        page.goto(f"{site.origin}/en/index.html", wait_until="networkidle")
        tile = page.get_by_role("link", name=re.compile(province(EVERY_NIGHT[0]).name)).first
        before = tile.inner_text()
        chooser = page.get_by_role("combobox").first
        chooser.select_option(index=1)
        assert tile.inner_text() != before
        page.get_by_role("button", name=re.compile("nteracti")).first.click()
        expect(page.locator("canvas, svg.marks").first).to_be_visible(timeout=30_000)
        assert (seen.strayed, seen.missing, seen.errors) == ([], [], [])
