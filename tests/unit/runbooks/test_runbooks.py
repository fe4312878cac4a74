"""Every condition, finding, task and error leads to a page that exists and says what to do; no page is orphaned."""

import csv
import inspect
import re
from datetime import date
from pathlib import Path

import pytest

from regsosek import errors, runbooks
from regsosek.alerts.conditions.kinds import kind_traits
from regsosek.alerts.messages.platform_message import PlatformFigures, compose_platform
from regsosek.errors import ParityError, RegsosekError
from regsosek.runbooks import link, link_of_error, on_page, pages
from regsosek.settings import PROJECT_ROOT
from regsosek.watchdog import finding
from regsosek.watchdog.finding import traits

DOCS = PROJECT_ROOT / "docs"
PAGES = sorted((DOCS / "runbooks").glob("*.md"))
UNLISTED = {"README", "silences"}
LINK = re.compile(r"\]\((?P<target>[^)#]+?\.md)(?:#[^)]*)?\)")


def named(about: str) -> set[str]:
    return {name for kind, name in pages() if kind == about}


def test_every_kind_of_condition_has_a_runbook() -> None:
    assert {each.runbook for each in kind_traits().values()} <= {page.stem for page in PAGES} - UNLISTED


def test_every_finding_of_the_watchdog_has_a_line_and_a_runbook() -> None:
    assert named("finding") == set(finding.FindingKind) == set(traits())


def test_every_typed_error_has_a_runbook() -> None:
    kinds = {
        name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RegsosekError)
    }  # fmt: skip
    assert named("error") == kinds


def test_every_line_leads_to_a_page_and_every_page_is_led_to() -> None:
    led = {*pages().values(), *(each.runbook for each in kind_traits().values())}
    assert led == {page.stem for page in PAGES} - UNLISTED


def test_the_table_names_each_thing_once() -> None:
    with runbooks.TABLE.open(encoding="utf-8", newline="") as file:
        rows = [(row["about"], row["name"]) for row in csv.DictReader(file)]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem not in UNLISTED], ids=lambda page: page.stem)
def test_a_page_says_what_it_means_how_to_look_and_what_to_do(page: Path) -> None:
    said = page.read_text(encoding="utf-8")
    for part in ("**What it means.**", "## How to look", "## What to do"):
        assert said.count(part) == 1, part
    # What leads here is named here, so that whoever searches for it finds the page.
    led = [name for (about, name), stem in pages().items() if stem == page.stem and about in {"finding", "error"}]
    assert [name for name in led if f"`{name}`" not in said and name != "RegsosekError"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_hold(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [each for each in targets if not (page.parent / each).exists()] == []
    assert page.stem == "README" or f"({page.name})" in (DOCS / "runbooks" / "README.md").read_text(encoding="utf-8")


def test_links_are_paths_in_the_repository_or_below_the_configured_address() -> None:
    assert link("error", "ParityError", None) == "docs/runbooks/parity.md"
    assert (PROJECT_ROOT / link("error", "ParityError", None)).exists()
    assert link("error", "ParityError", "https://docs.example/r/") == "https://docs.example/r/runbooks/parity.md"


def test_an_error_that_is_more_special_takes_the_runbook_of_its_kind() -> None:
    class OneRuleError(ParityError):
        pass

    assert link_of_error(OneRuleError("x"), None).endswith("/parity.md")


def test_a_task_page_carries_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runbooks, "configured_docs_url", lambda: None)
    assert on_page("regsosek_nightly", "tell") == "\n**Runbook**: `docs/runbooks/alerts-waiting.md`\n"
    monkeypatch.setattr(runbooks, "configured_docs_url", lambda: "https://docs.example")
    address = "https://docs.example/runbooks/alerts-waiting.md"
    assert on_page("regsosek_nightly", "tell") == f"\n**Runbook**: [{address}]({address})\n"


def test_the_platform_message_carries_links() -> None:
    failed = {"64": "ObjectStoreError: no answer", "73": "ParityError: rule"}
    figures = PlatformFigures(date(2022, 10, 26), ["64", "73"], frozenset(), failed, "AuditError: sums differ")
    body = compose_platform(figures, "https://docs.example").body
    for page in ("parity", "province-red", "audit", "night-red"):
        assert f"Runbook: https://docs.example/runbooks/{page}.md" in body
