"""Until when data count, as the release says it."""

from datetime import date

from regsosek.release.figures.words import cut_off


def test_cut_off_by_the_clock_of_the_province() -> None:
    assert cut_off(date(2022, 10, 21), "94") == "2022-10-22 01.59 WIT"
    assert cut_off(date(2022, 10, 21), None) == "2022-10-21 23.59 WIB"
