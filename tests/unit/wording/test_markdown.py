"""Markdown from templates: regions by name, tables that no value breaks, and nothing that is missing left out."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from regsosek.wording.markdown import filled, page, regions


def module(folder: Path, template: str) -> str:
    (folder / "told.md.j2").write_text(template)
    return str(folder / "told.py")


def test_a_bar_in_a_value_does_not_end_its_cell(tmp_path: Path) -> None:
    told = module(tmp_path, "| a |\n|---|\n| {{ value }} |\n\n{{ value | safe }}\n")
    assert page(told, {"value": "x | y"}) == "| a |\n|---|\n| x \\| y |\n\nx | y\n"


def test_what_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="value"):
        page(module(tmp_path, "{{ value }}"), {})


def test_regions_are_macros_and_fill_the_page_by_their_names(tmp_path: Path) -> None:
    told = module(tmp_path, "{% macro two_words() %}\n{{ value }}\n{% endmacro %}\n")
    marked = "before\n<!-- generated: two-words -->\nold\n<!-- end -->\nafter\n"
    assert filled(marked, regions(told, {"value": 7})) == marked.replace("old", "7")
    with pytest.raises(KeyError, match="two-words"):
        filled(marked, {})
