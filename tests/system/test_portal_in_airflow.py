"""The operator's way through a real Airflow: sign in, the page in the navigation, DAG pages, the form, a province."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from regsosek.geography.provinces import province, provinces
from regsosek.local.airflow_environment import ADMIN
from regsosek.local.stack import Stack
from support.servers.browser import SCREENS, Watched, overflow, violations, watched
from support.worlds.system_world import EVERY_NIGHT, NIGHTS

MILLISECONDS = 60_000  # Airflow's own page is heavy on a busy machine
NIGHTLY = "regsosek_nightly"


@pytest.fixture(scope="module")
def run_id(operated: Stack) -> str:
    """A run of the night: its tasks stand in the grid, and wait, for the DAG is paused until somebody unpauses it."""
    with operated.airflow.client() as client:
        client.await_dag(NIGHTLY)
        return client.trigger(NIGHTLY, conf={"date": NIGHTS[-1], "provinces": list(EVERY_NIGHT), "alerts": False})


@pytest.fixture(scope="module", params=SCREENS, ids=lambda screen: screen.name)
def operator(browser: Browser, operated: Stack, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A browser that somebody signed in with, through the form."""
    expect.set_options(timeout=MILLISECONDS)
    with watched(browser, operated.airflow.url, request.param) as seen:
        seen.page.set_default_timeout(MILLISECONDS)
        seen.page.goto(operated.airflow.url)
        seen.page.get_by_label("Username").fill(ADMIN)
        seen.page.get_by_label("Password", exact=True).fill(operated.airflow.password)
        seen.page.get_by_role("button", name="Sign in").click()
        expect(seen.page.get_by_role("link", name="Regsosek")).to_be_visible()
        yield seen


def portal(page: Page, stack: Stack, path: str = "") -> Frame:
    """The operator's page inside of Airflow's, led to ``path`` from its own links."""
    page.goto(stack.airflow.url)
    page.get_by_role("link", name="Regsosek").click()
    frame = page.wait_for_selector("iframe").content_frame()
    assert frame is not None
    frame.wait_for_selector("h1")
    if path:
        frame.goto(f"{stack.airflow.url}/regsosek/{path}")
    return frame


def test_a_stranger_is_asked_to_sign_in(browser: Browser, operated: Stack) -> None:
    with watched(browser, operated.airflow.url, SCREENS[0]) as seen:
        answer = seen.page.goto(f"{operated.airflow.url}/regsosek/")
        assert answer is not None
        assert answer.status == 401
        assert province(EVERY_NIGHT[0]).name not in seen.page.content()


def test_the_navigation_shows_the_page_inside_of_airflow(operator: Watched, operated: Stack) -> None:
    frame = portal(operator.page, operated)
    assert "/plugin/regsosek" in operator.page.url
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    expect(frame.get_by_text(province("65").name).first).to_be_visible()  # silent on the last night
    assert (violations(frame), overflow(frame)) == ([], 0)


def test_from_the_board_to_a_night_and_to_its_data_docs(operator: Watched, operated: Stack) -> None:
    frame = portal(operator.page, operated)
    frame.get_by_role("link", name="Deliveries and Data Docs of the night").first.click()
    frame.wait_for_url(f"**/nights/{NIGHTS[-1]}")
    assert (violations(frame), overflow(frame)) == ([], 0)
    frame.get_by_role("link", name="keluarga", exact=True).first.click()
    frame.wait_for_url("**/keluarga")
    expect(frame.get_by_role("heading", level=1)).to_contain_text(province(EVERY_NIGHT[0]).name)
    expect(frame.get_by_text("Evaluated Expectations").first).to_be_visible()
    assert overflow(frame) == 0


def test_the_page_of_the_dag_reads_well(operator: Watched, operated: Stack, run_id: str) -> None:
    page = operator.page
    page.goto(f"{operated.airflow.url}/dags/{NIGHTLY}")
    expect(page.get_by_role("heading", name="Regsosek malam")).to_be_attached()
    for name in ("Terima provinsi", "Umumkan rilis", "Kirim ringkasan", "Simpulkan malam"):
        expect(page.get_by_role("link", name=name).first).to_be_visible()
    assert (
        page.get_by_role("link", name="Owner link for platform").get_attribute("href") == "mailto:platform@bps.example"
    )
    page.get_by_role("button", name="Dag Docs").dispatch_event("click")
    expect(page.get_by_role("dialog").get_by_text("When it is red.")).to_be_attached()


def test_the_form_helps_and_is_filled_in_by_name(operator: Watched, operated: Stack, run_id: str) -> None:
    page = operator.page
    page.goto(f"{operated.airflow.url}/dags/{NIGHTLY}")
    page.get_by_role("button", name="Trigger Dag").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_text("Malam (night)")).to_be_visible()
    expect(form.get_by_text("Provinsi (provinces)")).to_be_visible()
    expect(form.get_by_text("not after today in Jakarta")).to_be_visible()
    expect(form.get_by_role("button", name="Siapa diberi tahu")).to_be_visible()


def test_a_task_of_a_province_leads_to_the_province(operator: Watched, operated: Stack, run_id: str) -> None:
    page, at = operator.page, [each.code for each in provinces()].index(EVERY_NIGHT[1])
    page.goto(f"{operated.airflow.url}/dags/{NIGHTLY}/runs/{run_id}/tasks/receive/mapped/{at}/details")
    expect(page.get_by_text("Extra Links")).to_be_attached()
    link = page.locator(f"a[href='/regsosek/provinces/{EVERY_NIGHT[1]}']")
    expect(link).to_be_attached()


def test_nothing_of_it_asked_another_server(operator: Watched) -> None:
    assert operator.strayed == []


SECTIONS = ("Held", "Quarantine", "Steps", "Alerts", "Corrections", "Releases", "Nights")


def test_every_section_is_one_click_away_and_accessible(operator: Watched, operated: Stack) -> None:
    frame = portal(operator.page, operated)
    for name in SECTIONS:
        frame.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()
        frame.wait_for_url(f"**/regsosek/{'' if name == 'Nights' else name.lower()}")
        expect(frame.get_by_role("heading", level=1)).to_be_visible()
        assert (name, violations(frame), overflow(frame)) == (name, [], 0)


def test_why_a_province_is_red_and_how_only_that_is_run_again(operator: Watched, operated: Stack) -> None:
    frame = portal(operator.page, operated)
    frame.get_by_role("link", name=province("65").name).first.click()
    frame.wait_for_url("**/provinces/65")
    assert (violations(frame), overflow(frame)) == ([], 0)
    frame.get_by_role("link", name=re.compile("[Rr]un")).first.click()
    frame.wait_for_url(f"**/run/65/{NIGHTS[-1]}")
    frame.get_by_role("button", name="Run it").click()
    expect(frame.get_by_role("status").last).to_contain_text("The DAG is paused")
    frame.get_by_role("status").last.get_by_role("link").click()
    operator.page.wait_for_url("**/dags/regsosek_nightly/runs/**")
