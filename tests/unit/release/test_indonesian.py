"""Numbers and dates as Indonesian readers write them."""

from datetime import date

import pytest

from regsosek.release.indonesian import (
    cut_off,
    decimal,
    long_date,
    number,
    percentage,
    points,
    share,
    short_date,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(1234567), "1.234.567"),
        (number(-12), "−12"),
        (number(None), "–"),
        (decimal(1234.56), "1.234,6"),
        (decimal(0.25), "0,3"),
        (decimal(-0.04), "0,0"),
        (percentage(12.34), "12,3\u00a0%"),
        (percentage(None), "–"),
        (points(1.2), "+1,2"),
        (points(-11.26), "−11,3"),
        (points(0.0), "0,0"),
        (points(0.04), "0,0"),
        (points(None), "–"),
        (share(0.0005), "0,05\u00a0%"),
        (share(1.0), "100\u00a0%"),
        (long_date(date(2022, 10, 21)), "Jumat, 21 Oktober 2022"),
        (short_date(date(2022, 10, 1)), "1 Okt"),
        (cut_off(date(2022, 10, 21), "94"), "2022-10-21 23.59 WIT"),
        (cut_off(date(2022, 10, 21), None), "2022-10-21 23.59 waktu setempat"),
    ],
)
def test_written(written: str, expected: str) -> None:
    assert written == expected
