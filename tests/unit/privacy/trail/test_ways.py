"""Every way by which cases are shown has a line in the data, and whoever reads cases for others enters it."""

import re

import pytest

from regsosek.privacy.trail.ways import ways
from regsosek.settings import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "include" / "regsosek"
# What answers with cases by their keys, or with raw rows.
SHOWING = re.compile(
    r"\b(quarantined_cases|quarantine_page|delivery_detail|write_counted_cases|trail_of_case|listed_by_province|requests_made)\("
)
SHOWN_BY = ("portal", "cli")


def test_every_way_is_gone_and_every_way_that_is_gone_is_described() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    named = {way for way in ways() if f'"{way}"' in text or f"'{way}'" in text}
    assert named == set(ways())
    assert {each.act for each in ways().values()} == {"read", "handed on", "looked up"}


@pytest.mark.parametrize("room", SHOWN_BY)
def test_whoever_shows_cases_enters_it(room: str) -> None:
    showing = {
        path.name: "enter_shown" in text
        for path in (SOURCE / room).rglob("*.py")
        if SHOWING.search(text := path.read_text(encoding="utf-8"))
    }
    assert showing
    assert not [name for name, enters in showing.items() if not enters]
