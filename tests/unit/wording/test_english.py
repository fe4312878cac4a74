"""Numbers and dates as English readers write them."""

from datetime import UTC, date, datetime

from regsosek.wording.english import day, full_date, long_date, moment, number, percent_of, plain_percentage


def test_written() -> None:
    assert (number(1234567), percent_of(312, 1000), plain_percentage(2.5)) == ("1,234,567", "31.2%", "2.5%")
    assert (day(date(2022, 10, 1)), long_date(date(2022, 10, 1))) == ("1 Oct 2022", "1 October 2022")
    assert full_date(date(2022, 10, 21)) == "Friday, 21 October 2022"
    assert moment(datetime(2022, 10, 26, 23, 59, tzinfo=UTC)) == "26 Oct 2022 23:59 UTC"
