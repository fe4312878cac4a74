"""What may never stand in a line of a message, and what may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.messages.rendering import harmless


def test_what_a_digest_writes_stays_as_it_is() -> None:
    line = "6403 Kabupaten Berau: 31,2 % dari 14.037.000; s.d. 27 Okt 2022 00:59 WITA \u2013 (P18-428h) [KRITIS] \u2026"
    assert harmless(line) == line


@given(st.text())
def test_no_line_breaks_and_no_long_numbers_survive(text: str) -> None:
    line = harmless(text)
    assert len(line.splitlines()) <= 1
    assert harmless(line) == line


@pytest.mark.parametrize("nik", ["6403015502840001", "6403 0155 0284 0001", "64.03.01.550284.0001", "081234567890"])
def test_numbers_of_persons_are_masked(nik: str) -> None:
    assert harmless(f"NIK {nik}!") == "NIK \u2026!"


def test_codes_that_are_told_may_stand() -> None:
    code = "6403010001000100"
    assert harmless(f"sub-SLS {code}, {code[:-1]}1", [code]) == f"sub-SLS {code}, \u2026"
