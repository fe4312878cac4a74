"""What the tests in a browser look for they would find: a page with every fault, and each is told."""

from playwright.sync_api import Browser

from support.servers.browser import DESKTOP, PHONE, overflow, violations, walk, watched
from support.worlds.system_world import Site

FAULTY = """<!doctype html><html><title>t</title><body><h1>Faults</h1>
<img src="https://elsewhere.example/picture.png"><img src="/not-there.png" alt="">
<p style="color:#ddd;background:#fff">too pale to read</p><div style="width:3000px">too wide</div>
<a href="#a" style="outline:none">one</a> <a href="#b" tabindex="2">two</a>
<script>throw new Error("broken")</script></body></html>"""


def test_every_fault_is_seen(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, PHONE) as seen:
        seen.page.route("**/faulty.html", lambda route: route.fulfill(body=FAULTY, content_type="text/html"))
        seen.page.goto(f"{site.origin}/faulty.html", wait_until="networkidle")
        told = " ".join(violations(seen.page))
        assert all(rule in told for rule in ("html-has-lang", "image-alt", "color-contrast"))
        assert overflow(seen.page) > 2000
    assert seen.strayed == ["https://elsewhere.example/picture.png"]
    assert [url.rsplit("/", 1)[-1] for url in seen.missing] == ["not-there.png"]
    assert seen.errors == ["broken"]


def test_a_walk_out_of_order_and_out_of_sight_is_seen(browser: Browser, site: Site) -> None:
    with watched(browser, site.origin, DESKTOP) as seen:
        seen.page.route("**/faulty.html", lambda route: route.fulfill(body=FAULTY, content_type="text/html"))
        seen.page.goto(f"{site.origin}/faulty.html")
        reachable, reached, unseen = walk(seen.page, steps=5)
    assert (reachable, reached, unseen) == (["0", "1"], ["1", "0"], 1)
