"""Numbers, days and moments as an Indonesian office writes them, and what may never stand in a line."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.indonesian import day, harmless, moment, number, percent, points


@pytest.mark.parametrize(("value", "written"), [(0, "0"), (1204, "1.204"), (14_037_000, "14.037.000"), (0.5, "0,5")])
def test_numbers(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(312, 1000, "31,2 %"), (1070, 1000, "107,0 %"), (12_000, 1000, "1.200,0 %"), (0, 7, "0,0 %"), (3, 0, "\u2013 %")],
)
def test_percentages_are_never_clipped(part: int, whole: int, written: str) -> None:
    assert percent(part, whole) == written


def test_points_have_a_decimal_only_if_they_need_it() -> None:
    assert (points(48.0), points(2.5)) == ("48 %", "2,5 %")


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Jakarta", "26 Okt 2022 23:30 WIB"),
        ("Asia/Makassar", "27 Okt 2022 00:30 WITA"),
        ("Asia/Jayapura", "27 Okt 2022 01:30 WIT"),
    ],
)
def test_moments_by_the_clock_of_the_province(zone: str, written: str) -> None:
    assert moment(datetime(2022, 10, 26, 16, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))) == written


def test_months() -> None:
    assert [day(date(2022, month, 1)).split()[1] for month in (5, 8, 10, 12)] == ["Mei", "Agu", "Okt", "Des"]


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
