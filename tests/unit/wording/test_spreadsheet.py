"""What a spreadsheet would run, and what it must be left to read."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.wording.spreadsheet import Spreadsheet, unrun


@pytest.mark.parametrize("value", ["=1+1", "+CMD|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", " \r\n=1", "=HYPERLINK(1)"])
def test_text_that_would_be_run_stands_behind_an_apostrophe(value: str) -> None:
    assert unrun(value) == f"'{value}"


@pytest.mark.parametrize("value", ["-3", "-3.25", "+62", "", "RT 001", "6403-01", None, -3, 2.5])
def test_numbers_and_plain_text_stay(value: object) -> None:
    assert unrun(value) == value


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=4))
def test_no_cell_begins_like_a_formula_and_none_is_lost(row: list[str]) -> None:
    file = io.StringIO(newline="")
    Spreadsheet(file).writerow(row)
    [read] = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in row]
    assert not any(cell.lstrip()[:1] in {*"=@"} for cell in read)
