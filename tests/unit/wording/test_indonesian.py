"""Numbers and dates as Indonesian readers write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from regsosek.wording.indonesian import (
    day,
    decimal,
    long_date,
    moment,
    number,
    percent_of,
    percentage,
    plain_percentage,
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
        (percentage(99.996), "99,9\u00a0%"),
        (percentage(100.0), "100,0\u00a0%"),
        (points(1.2), "+1,2"),
        (points(-11.26), "−11,3"),
        (points(0.0), "0,0"),
        (points(0.04), "0,0"),
        (points(None), "–"),
        (share(0.0005), "0,05\u00a0%"),
        (share(1.0), "100\u00a0%"),
        (share(0.000659779), "0,066\u00a0%"),
        (share(0.288779), "28,9\u00a0%"),
        (share(0.000563), "0,056\u00a0%"),
        (share(0.000001), "<0,001\u00a0%"),
        (share(0.0), "0\u00a0%"),
        (long_date(date(2022, 10, 21)), "Jumat, 21 Oktober 2022"),
        (short_date(date(2022, 10, 1)), "1 Okt"),
        (day(date(2022, 5, 1)), "1 Mei 2022"),
        (plain_percentage(48.0), "48\u00a0%"),
        (plain_percentage(2.5), "2,5\u00a0%"),
        (plain_percentage(60), "60\u00a0%"),
        (percent_of(312, 1000), "31,2\u00a0%"),
        (percent_of(12_000, 1000), "1.200,0\u00a0%"),
        (percent_of(0, 7), "0,0\u00a0%"),
        (percent_of(3, 0), "–"),
    ],
)
def test_written(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Jakarta", "26 Okt 2022 pukul 23.30 WIB"),
        ("Asia/Makassar", "27 Okt 2022 pukul 00.30 WITA"),
        ("Asia/Jayapura", "27 Okt 2022 pukul 01.30 WIT"),
    ],
)
def test_moments_by_the_clock_of_the_province(zone: str, written: str) -> None:
    assert moment(datetime(2022, 10, 26, 16, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))) == written


def test_names_of_months_and_days() -> None:
    firsts = [date(2022, month, 1) for month in range(1, 13)]
    assert " ".join(day(each).split()[1] for each in firsts) == "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des"
    assert " ".join(long_date(each).split()[2] for each in firsts) == (
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
    )
    week = [long_date(date(2022, 10, 3 + number)).partition(",")[0] for number in range(7)]
    assert " ".join(week) == "Senin Selasa Rabu Kamis Jumat Sabtu Minggu"
